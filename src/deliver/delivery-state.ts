// delivery-state.ts: what is remembered of the deliveries so far, in one small file: for `status`,
// and so that a collector that is away is not asked again by every run. Holds no header, no URL,
// and nothing that a server answered.
import { writePrivate } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';

export interface DeliveryState {
  /** ISO 8601, as are all times here. */
  lastSuccess?: string;
  lastFailure?: string;
  /** Why the last attempt failed, in plain words. */
  problem?: string;
  /** Failures in a row. */
  failures: number;
  /** No attempt before this time. */
  retryAt?: string;
  /** Data points that the collector accepted a request without. */
  rejectedPoints?: number;
}

/**
 * From the third failure in a row on the network is left alone for a while, and only the spool
 * grows.
 */
const PATIENCE = 3;
const BACK_OFF_MS = 30_000;
const MAX_BACK_OFF_MS = 60 * 60 * 1000;
const JITTER = 0.2;

export function readDeliveryState(paths: Paths): DeliveryState {
  try {
    const state = JSON.parse(readText(paths.deliveryState) ?? '') as DeliveryState;
    return typeof state.failures === 'number' ? state : { failures: 0 };
  } catch {
    return { failures: 0 };
  }
}

export function writeDeliveryState(paths: Paths, state: DeliveryState): void {
  writePrivate(paths.deliveryState, JSON.stringify(state));
}

/**
 * Whether the back-off still holds. A time further away than any back-off was written by a clock
 * that was wrong.
 */
export function mustWait({ retryAt }: DeliveryState): boolean {
  const wait = Date.parse(retryAt ?? '') - Date.now();
  return wait > 0 && wait <= MAX_BACK_OFF_MS * (1 + JITTER);
}

/**
 * How long the next attempt waits after so many failures in a row: from the third on, twice as long
 * each time, with jitter.
 */
export function backOff(failures: number, random: () => number = Math.random): number {
  if (failures < PATIENCE) return 0;
  const wait = Math.min(BACK_OFF_MS * 2 ** (failures - PATIENCE), MAX_BACK_OFF_MS);
  return wait * (1 - JITTER + 2 * JITTER * random());
}

/** One more failure in a row. */
export function noteFailure(paths: Paths, problem: string): void {
  const state = readDeliveryState(paths);
  const failures = state.failures + 1;
  const wait = backOff(failures);
  const { retryAt: _, ...rest } = state;
  const retry = wait > 0 ? { retryAt: new Date(Date.now() + wait).toISOString() } : {};
  writeDeliveryState(paths, {
    ...rest,
    lastFailure: new Date().toISOString(),
    problem,
    failures,
    ...retry,
  });
}
