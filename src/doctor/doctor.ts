// doctor.ts: why do runs not arrive? Each probe looks at one thing on the way of a run, in its
// order, and says what to do. It changes nothing on disk, and never sends a run.
import { ciVariableSet } from '../config/ci.ts';
import { loadConfig } from '../config/config.ts';
import { type Consent, decidedBy } from '../consent/consent.ts';
import { type Mode, resolveMode } from '../consent/resolve-mode.ts';
import { type Situation, situationOf } from '../consent/situation.ts';
import type { Host } from '../system/host.ts';
import { projectRoot } from '../system/project-root.ts';
import { version } from '../system/version.ts';
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
  /** What becomes of runs, as `status` says it. */
  situation: Situation;
  /** No probe failed. */
  ok: boolean;
  /** Host and port, or `null`. */
  endpoint: string | null;
  proxy: string | null;
  probes: Probe[];
}

const PROBES = [
  ...([
    'consent',
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
  ] as const),
  'delivery',
] as const;

export async function diagnose(host: Host): Promise<Diagnosis> {
  const decision = resolveMode(host, projectRoot(host.cwd));
  const { consent, mode, paths, config } = decision;
  const found = await situationOf(decision, host);
  const network = await probeNetwork(mode, config, host.env);
  const verdicts: Record<(typeof PROBES)[number], Verdict> = {
    consent: probeConsent(consent),
    hook: await probeHook(host, paths),
    // Read also where telemetry is off: whoever looks after many machines wants to know of a broken
    // file on each.
    configuration: probeConfiguration(mode, loadConfig(host, paths)),
    notice: probeNotice(found, paths),
    state: guarded(() => probeState(paths, found.obstacle)),
    folders: guarded(() => probeFolders(paths, ciVariableSet(host.env))),
    spool: guarded(() => probeSpool(paths)),
    environment: guarded(() => probeEnvironment(host.env, config)),
    proxy: config?.proxy
      ? ok(`${config.proxy.host} (from ${config.proxy.called})`)
      : ok('none applies'),
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
      `${result.padEnd(RESULT_WIDTH)} ${name.padEnd(NAME_WIDTH)} ${detail}${advice ? `: ${advice}` : ''}`,
  );

/**
 * Off is no failure; a file that cannot be read, and so means off, is one: nobody has asked for it.
 */
function probeConsent(consent: Consent): Verdict {
  if (consent.enabled) return ok('nothing is switched off');
  const why = `telemetry is off: ${decidedBy(consent)}`;
  return consent.problem === undefined
    ? warning(why, 'nothing is recorded until that is taken back')
    : failure(why, 'nothing is recorded until that is mended');
}

/** What cannot even be looked at is a failure of its own. */
function guarded(probe: () => Verdict): Verdict {
  try {
    return probe();
  } catch (error) {
    return failure(`cannot be read (${codeOf(error)})`, 'make the state folder yours and readable');
  }
}
