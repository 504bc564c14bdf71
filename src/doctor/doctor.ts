// doctor.ts: finds out why runs do not arrive. Each probe checks one step between lhp and the
// collector, in the order of a delivery, and says what to do. No probe changes a file or sends a
// run.
import { ciVariableSet } from '../config/ci.ts';
import { loadConfig } from '../config/config.ts';
import { type Consent, decidedBy } from '../consent/consent.ts';
import { type Mode, resolveMode } from '../consent/resolve-mode.ts';
import { type Situation, situationOf } from '../consent/situation.ts';
import type { Host } from '../system/host.ts';
import { projectRoot } from '../system/project-root.ts';
import { version } from '../system/version.ts';
import { probeCopies } from './copies.ts';
import { probeEnvironment } from './environment.ts';
import { probeHook } from './hook.ts';
import {
  probeConfiguration,
  probeDelivery,
  probeFolders,
  probeSpool,
  probeState,
} from './machine.ts';
import { probeNetwork } from './network.ts';
import { probeNotice } from './notice.ts';
import { codeOf, failure, ok, type Verdict, warning } from './verdict.ts';

interface Probe extends Verdict {
  name: (typeof PROBES)[number];
}

export interface Diagnosis {
  version: string;
  mode: Mode;
  /** What happens to a run that is recorded now, as in `status`. */
  situation: Situation;
  /** Whether no probe failed. */
  ok: boolean;
  /** Host and port, or `null`. */
  endpoint: string | null;
  /** Host and port, or `null`. */
  proxy: string | null;
  probes: Probe[];
}

/** In the order of the output. */
const PROBES = [
  'consent',
  'copies',
  'hook',
  'configuration',
  'notice',
  'state',
  'folders',
  'spool',
  'environment',
  'proxy',
  'dns',
  'tcp',
  'tls',
  'request',
  'clock',
  'delivery',
] as const;

export async function diagnose(host: Host): Promise<Diagnosis> {
  const decision = resolveMode(host, projectRoot(host.cwd));
  const { consent, mode, paths, config } = decision;
  const found = await situationOf(decision, host);
  const network = await probeNetwork(mode, config, host.env);
  const verdicts: Record<(typeof PROBES)[number], Verdict> = {
    consent: probeConsent(consent),
    copies: guarded(() => probeCopies(host)),
    hook: await probeHook(host, paths),
    // Also checked if telemetry is off: an operator wants to find a broken file on any machine.
    configuration: probeConfiguration(mode, loadConfig(host, paths)),
    notice: probeNotice(found, paths),
    state: guarded(() => probeState(paths, found.obstacle)),
    folders: guarded(() => probeFolders(paths, ciVariableSet(host.env))),
    spool: guarded(() => probeSpool(paths)),
    environment: guarded(() => probeEnvironment(host.env, config)),
    proxy: config?.proxy
      ? ok(`${config.proxy.host} (from ${config.proxy.called})`)
      : ok('none is used'),
    ...network,
    delivery: probeDelivery(paths),
  };
  const probes = PROBES.map((name): Probe => ({ name, ...verdicts[name] }));
  return {
    version,
    mode,
    situation: found.situation,
    ok: probes.every(({ result }) => result !== 'failure'),
    endpoint: config?.url === undefined ? null : new URL(config.url).host,
    proxy: config?.proxy?.host ?? null,
    probes,
  };
}

const RESULT_WIDTH = 8;
const NAME_WIDTH = 14;
/** The column in which the details begin. */
export const DOCTOR_COLUMN = RESULT_WIDTH + 1 + NAME_WIDTH + 1;

export const diagnosisText = ({ probes }: Diagnosis): string[] =>
  probes.map(
    ({ name, result, detail, advice }) =>
      `${result.padEnd(RESULT_WIDTH)} ${name.padEnd(NAME_WIDTH)} ` +
      (advice ? `${detail}: ${advice}` : detail),
  );

/**
 * Being switched off is a warning. A file that cannot be read also switches off, but nobody asked
 * for that, so it is a failure.
 */
function probeConsent(consent: Consent): Verdict {
  if (consent.enabled) return ok('nothing is switched off');
  const why = `telemetry is off: ${decidedBy(consent)}`;
  return consent.problem === undefined
    ? warning(why, 'nothing is recorded until this is switched on again')
    : failure(why, 'nothing is recorded until the file is fixed');
}

/** A probe that cannot read its files reports that as a failure. */
function guarded(probe: () => Verdict): Verdict {
  try {
    return probe();
  } catch (error) {
    return failure(
      `cannot be read (${codeOf(error)})`,
      'make yourself the owner of the state folder, and make it readable',
    );
  }
}
