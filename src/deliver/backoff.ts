// backoff.ts: how long a machine leaves the network alone after failed deliveries. All constants of
// the back-off are here. It applies between runs of the reporter; `flush` and `doctor` ignore it.

/** The first failures in a row have no wait: a laptop is often offline for a moment. */
const FAILURES_WITHOUT_WAIT = 2;
/** The wait after the next failure; it doubles with each further one. */
const FIRST_WAIT_MS = 30_000;
/** At most this long, so that a machine notices within the hour that the collector is back. */
const MAX_WAIT_MS = 60 * 60 * 1000;
/** Share of the wait by which it varies, so that machines do not come back at the same moment. */
const JITTER = 0.2;

/**
 * Milliseconds until the next attempt.
 *
 * @param failures - failed deliveries in a row.
 * @param random - from 0 to 1.
 */
export function backOff(failures: number, random: () => number = Math.random): number {
  const doublings = failures - FAILURES_WITHOUT_WAIT - 1;
  if (doublings < 0) return 0;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** doublings, MAX_WAIT_MS);
  return wait * (1 - JITTER + 2 * JITTER * random());
}

/**
 * Whether the time of the next attempt is still to come. A time beyond the longest back-off is
 * ignored: it was written while the clock was wrong.
 *
 * @param retryAt - ISO 8601.
 */
export function mustWait({ retryAt }: { retryAt?: string }): boolean {
  const wait = Date.parse(retryAt ?? '') - Date.now();
  return wait > 0 && wait <= MAX_WAIT_MS * (1 + JITTER);
}
