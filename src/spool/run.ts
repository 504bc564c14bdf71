// run.ts: a recorded run as `show`, `stats` and the local page present it. Types only, because the
// page's code runs in the browser.
import type { GenerateEvent, LossReason } from '../contract/contract.ts';

/**
 * What became of a recorded run: `waiting` to be delivered, `sent`, `local` (recorded without an
 * endpoint, so it stays on this machine), or `lost` (given up, for a {@link LossReason}).
 */
export type Outcome = 'waiting' | 'sent' | 'local' | 'lost';

export interface Run {
  /** When it was recorded, in milliseconds since the epoch. */
  timestamp: number;
  outcome: Outcome;
  reason?: LossReason;
  event: GenerateEvent;
}
