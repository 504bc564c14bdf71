// state.ts: consent and delivery for the local page. It is the status of `lhp-otel status`, without
// paths, and with how to switch each layer off and on. Like `status`, it contains no header values.
import { LAYER_ROWS } from '../consent/layers.ts';
import { thisProject } from '../history/this-project.ts';
import { type Status, statusOf } from '../status.ts';
import type { Host } from '../system/host.ts';
import type { State } from './api.ts';

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
    layers: LAYER_ROWS.map(({ name, off, on }) => ({
      name,
      off,
      on,
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
