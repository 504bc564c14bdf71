// losses.ts: how runs that were recorded and then given up are counted. They are no field of the
// event: the next run that is recorded carries their number.

/**
 * Why a recorded run is given up instead of delivered: each reason in words. They are short, so
 * that the heading of a run fits into the 80 columns of a terminal.
 */
export const LOSSES = {
  rejected: 'rejected by the collector',
  expired: 'waited more than 7 days',
  spool_full: 'too many runs waiting',
  unreadable: 'file damaged or not saved',
} as const;

export type LossReason = keyof typeof LOSSES;

export const LOSS_REASONS = Object.keys(LOSSES) as LossReason[];

/** The instrument that counts runs that were given up. */
export const LOST_RUNS = {
  name: 'lhp.telemetry.lost_runs',
  kind: 'counter',
  unit: '{run}',
  description: 'Runs recorded earlier and given up',
  /** The most that one request can count; the spool of a machine holds far fewer runs. */
  max: 1_000_000,
} as const;
