// flush.ts: delivers now and says what happened: for the last step of a CI job, and for a user who
// has corrected a configuration.
import { decidedBy } from '../consent/consent.ts';
import { noticeOf } from '../consent/notice.ts';
import { obstacleToRuns } from '../consent/place.ts';
import { resolveMode } from '../consent/resolve-mode.ts';
import { prune } from '../spool/retention.ts';
import { waiting } from '../spool/stored-runs.ts';
import type { Host } from '../system/host.ts';
import { projectRoot } from '../system/project-root.ts';
import { deliver, isAhead } from './deliver.ts';
import { readDeliveryState } from './delivery-state.ts';

/**
 * @param shownNow - whether this command has just shown the notice of the endpoint. Then it
 *   delivers nothing, so that `lhp-otel off` is still in time.
 */
export async function flush(host: Host, shownNow = false): Promise<{ ok: boolean; text: string }> {
  const root = projectRoot(host.cwd);
  const decision = resolveMode(host, root);
  const { consent, mode, paths, config } = decision;
  if (!consent.enabled)
    return { ok: true, text: `telemetry is off (${decidedBy(consent)}): nothing to deliver` };
  if (mode === 'local' || !config)
    return { ok: true, text: 'no endpoint is configured: runs stay on this machine' };
  if (config.problems.length > 0) return { ok: false, text: config.problems.join('; ') };
  const obstacle = await obstacleToRuns(host.env, paths);
  if (obstacle) return { ok: false, text: `${obstacle.what}: ${obstacle.advice}` };
  prune(paths, host.now());
  const { length } = waiting(paths);
  if (length > 0 && (shownNow || (await noticeOf(decision, host.env)) === 'due')) {
    const why = shownNow ? SHOWN_NOW : NOT_SHOWN;
    return { ok: false, text: `0 delivered, ${length} still waiting: ${why}` };
  }
  const sent = await deliver(paths, config, {
    env: host.env,
    force: true,
    consented: () => resolveMode(host, root).mode === 'send',
  });
  const left = waiting(paths);
  if (left.length === 0) return { ok: true, text: `${sent} delivered, none waiting` };
  const why = left.every(isAhead)
    ? 'the clock was ahead when they were recorded'
    : (readDeliveryState(paths).problem ?? 'another process is delivering');
  return { ok: false, text: `${sent} delivered, ${left.length} still waiting: ${why}` };
}

const SHOWN_NOW =
  'the notice was shown just now; ' +
  'lhp-otel flush once more delivers them, lhp-otel off deletes them';
const NOT_SHOWN = 'the notice was not shown yet; any command of lhp-otel on a terminal shows it';
