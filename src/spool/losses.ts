// losses.ts: lost runs are counted by a later run, in `lhp.telemetry.lost_runs`, each once.
import { existsSync } from 'node:fs';
import type { LossReason } from '../contract/contract.ts';
import type { Paths } from '../system/paths.ts';
import { moveRun } from './outcome.ts';
import { keptPath, lostPath, unfinishedPath, waitingPath } from './run-paths.ts';
import { type HistoryRun, historyRuns } from './stored-runs.ts';

/**
 * Marks the losses that no request counts yet with the request that will count them. The mark is a
 * rename, so two reporters cannot count one loss. It holds until that request is given up itself.
 *
 * @param history - The names in the history folder.
 * @param timestamp - The run that will count them.
 */
export function claimLosses(
  paths: Paths,
  history: readonly string[],
  timestamp: number,
): HistoryRun[] {
  const claimed: HistoryRun[] = [];
  const losses = history.filter((name) => name.includes('.lost-'));
  for (const loss of historyRuns(paths, losses)) {
    if (loss.reason === undefined) continue;
    if (loss.countedIn !== undefined && isCounting(paths, loss.countedIn)) continue;
    const path = lostPath(paths, loss.timestamp, loss.reason, timestamp);
    if (moveRun(loss.path, path)) claimed.push({ ...loss, path, countedIn: timestamp });
  }
  return claimed;
}

/**
 * Whether the request of that run is being written, waits, or was delivered. The places are looked
 * at in the order in which a run moves through them.
 */
function isCounting(paths: Paths, timestamp: number): boolean {
  return [
    unfinishedPath(paths, timestamp),
    waitingPath(paths, timestamp),
    keptPath(paths, timestamp, 'sent'),
  ].some(existsSync);
}

export function countByReason(losses: readonly HistoryRun[]): ReadonlyMap<LossReason, number> {
  const counts = new Map<LossReason, number>();
  for (const { reason } of losses) if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}
