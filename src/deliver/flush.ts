// flush.ts: deliver now, and say what happened: for the last step of a CI job, and for a user who has mended a configuration.
import { decide, projectRoot } from '../decide/decide.ts';
import { prune, waiting } from '../spool/spool.ts';
import type { Deps } from '../system/deps.ts';
import { deliver, isAhead } from './deliver.ts';
import { readDeliveryState } from './delivery-state.ts';

export async function flush(deps: Deps): Promise<{ ok: boolean; text: string }> {
  const root = projectRoot(deps.cwd);
  const { consent, mode, paths, config } = decide(deps, root);
  if (!consent.enabled) return { ok: true, text: `telemetry is off (${consent.layer}): nothing to deliver` };
  if (mode === 'local' || !config) return { ok: true, text: 'no endpoint is configured: runs stay on this machine' };
  if (config.problems.length > 0) return { ok: false, text: config.problems.join('; ') };
  prune(paths);
  const sent = await deliver(paths, config, {
    env: deps.env,
    force: true,
    consented: () => decide(deps, root).mode === 'send',
  });
  const left = waiting(paths);
  if (left.length === 0) return { ok: true, text: `${sent} delivered, none waiting` };
  const why = left.every(isAhead)
    ? 'the clock was ahead when they were recorded'
    : (readDeliveryState(paths).problem ?? 'another process is delivering');
  return { ok: false, text: `${sent} delivered, ${left.length} still waiting: ${why}` };
}
