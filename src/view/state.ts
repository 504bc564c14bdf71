// state.ts: consent and delivery for the local page. It is the status of `lhp-otel status`, without
// paths, and with how to switch each layer off and on. Like `status`, it contains no header values.
import { LAYERS, type Layer as LayerName } from '../consent/consent.ts';
import { thisProject } from '../history/this-project.ts';
import { type Status, statusOf } from '../status.ts';
import type { Host } from '../system/host.ts';
import type { State } from './api.ts';

type Switch = Record<'off' | 'on', string>;
const variable = (name: string, value: string): Switch => ({
  off: `\`export ${name}=${value}\``,
  on: `\`unset ${name}\`, wherever it is set`,
});

const SWITCHES: Record<LayerName, Switch> = {
  LHP_DISABLE_ANALYTICS: variable('LHP_DISABLE_ANALYTICS', '1'),
  DO_NOT_TRACK: variable('DO_NOT_TRACK', '1'),
  LHP_TELEMETRY: variable('LHP_TELEMETRY', 'off'),
  OTEL_SDK_DISABLED: variable('OTEL_SDK_DISABLED', 'true'),
  PYTEST_CURRENT_TEST: { off: 'pytest sets it for the tests it runs', on: 'ends with the tests' },
  '.lhp_do_not_track': {
    off: '`touch .lhp_do_not_track` beside `lhp.yaml`: for this project, and for the team if it is committed',
    on: 'delete the file',
  },
  'lhp-otel off': { off: '`lhp-otel off`', on: '`lhp-otel on`' },
  'user configuration': {
    off: '`"enabled": false` in your `config.json`, or one that cannot be read',
    on: 'mend the file, or take that out of it',
  },
  'lhp telemetry off': {
    off: '`lhp telemetry off` (lhp 0.9.2 and later)',
    on: '`lhp telemetry on`',
  },
  'operator configuration': {
    off: '`"enabled": false` in the operator’s `config.json`, or one that cannot be read',
    on: 'only who runs this machine can',
  },
};

/** @param shown - how many of the recorded runs the page shows. */
export async function stateOf(host: Host, shown: number): Promise<State> {
  const status = await statusOf(host);
  const { consent, delivery } = status;
  const runs = status.runs ?? { waiting: 0, sent: 0, local: 0, lost: 0 };
  const withoutHome = (text: string) => (host.home ? text.replaceAll(host.home, '~') : text);
  return {
    version: status.version,
    mode: status.mode,
    summary: withoutHome(status.summary),
    layers: LAYERS.map((name) => ({
      name,
      ...SWITCHES[name],
      decided: !consent.enabled && consent.layer === name,
    })),
    project: thisProject(host) ?? null,
    endpoint: status.endpoint,
    endpointSource: sourceInWords(status),
    proxy: status.proxy,
    headers: status.headers,
    compression: status.compression,
    timeoutMs: status.timeout_ms,
    oldestWaiting: status.oldest_waiting,
    delivery,
    unreadable: Math.max(0, runs.waiting + runs.sent + runs.local + runs.lost - shown),
    problems: status.problems.map(withoutHome),
    warnings: status.warnings.map(withoutHome),
  };
}

function sourceInWords({ endpoint_source: source, paths }: Status): string | null {
  if (source === paths.config) return 'your config.json';
  return source === paths.system_config ? 'the operator’s config.json' : source;
}
