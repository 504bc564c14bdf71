// doctor.ts: why do runs not arrive? Each probe looks at one thing on the way of a run, in its order, and says what to do. It
// changes nothing on disk, and never sends a run.
import { decide, type Mode, projectRoot } from '../../decide/decide.ts';
import type { Deps } from '../../system/deps.ts';
import { version } from '../../system/version.ts';
import { probeEnvironment } from './environment.ts';
import { probeHook } from './hook.ts';
import { probeConfiguration, probeDelivery, probeSpool, probeState } from './machine.ts';
import { probeNetwork } from './network.ts';
import { codeOf, failure, ok, type Verdict, warning } from './verdict.ts';

interface Probe extends Verdict {
  name: (typeof PROBES)[number];
}

export interface Diagnosis {
  version: string;
  mode: Mode;
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
    'state',
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

export async function diagnose(deps: Deps): Promise<Diagnosis> {
  const { consent, mode, paths, config } = decide(deps, projectRoot(deps.cwd));
  const network = await probeNetwork(mode, config, deps.env);
  const verdicts: Record<(typeof PROBES)[number], Verdict> = {
    consent: consent.enabled
      ? ok('nothing is switched off')
      : warning(`telemetry is off: ${consent.layer}`, 'nothing is recorded until that is taken back'),
    hook: await probeHook(deps, paths),
    configuration: probeConfiguration(mode, config),
    state: guarded(() => probeState(paths)),
    spool: guarded(() => probeSpool(paths)),
    environment: guarded(() => probeEnvironment(deps.env, config)),
    proxy: config?.proxy ? ok(`${config.proxy.host} (from ${config.proxy.called})`) : ok('none applies'),
    ...network,
    delivery: probeDelivery(paths),
  };
  const probes = PROBES.map((name): Probe => ({ name, ...verdicts[name] }));
  return {
    version,
    mode,
    ok: probes.every(({ result }) => result !== 'failure'),
    endpoint: config?.url === undefined ? null : new URL(config.url).host,
    proxy: config?.proxy?.host ?? null,
    probes,
  };
}

/** A line each. */
export function diagnosisText({ probes }: Diagnosis): string[] {
  return probes.map(
    ({ name, result, detail, advice }) =>
      `${result.padEnd(8)} ${name.padEnd(14)} ${detail}${advice ? `: ${advice}` : ''}`,
  );
}

/** What cannot even be looked at is a failure of its own. */
function guarded(probe: () => Verdict): Verdict {
  try {
    return probe();
  } catch (error) {
    return failure(`cannot be read (${codeOf(error)})`, 'make the state folder yours and readable');
  }
}
