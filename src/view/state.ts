// state.ts: consent and delivery → what the local page tells about them, in words: the same answer
// as `lhp-otel status`, without the paths, and with the way to change it. Header values are not in
// it, because they are not in `status`.
import { LAYER_ROWS } from '../consent/layers.ts';
import { thisProject } from '../history/this-project.ts';
import { type Status, statusOf } from '../status.ts';
import type { Host } from '../system/host.ts';
import type { State } from './api.ts';

export async function stateOf(host: Host, shown: number): Promise<State> {
  const status = await statusOf(host);
  const { consent, delivery } = status;
  const runs = status.runs ?? { waiting: 0, sent: 0, local: 0, lost: 0 };
  const homeless = (text: string) => (host.home ? text.replaceAll(host.home, '~') : text);
  return {
    version: status.version,
    mode: status.mode,
    summary: homeless(status.summary),
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
    problems: status.problems.map(homeless),
    warnings: status.warnings.map(homeless),
  };
}

function sourceInWords({ endpoint_source: source, paths }: Status): string | null {
  if (source === paths.config) return 'your config.json';
  return source === paths.system_config ? 'the operator’s config.json' : source;
}
