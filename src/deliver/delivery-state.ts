// delivery-state.ts: what is remembered of past deliveries, in one small file. `status` and
// `doctor` show it, and the back-off needs it. It holds no header, no URL, and nothing that a
// server answered.
import { writePrivate } from '../system/files.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';
import { backOff } from './backoff.ts';

/** All times are ISO 8601. */
export interface DeliveryState {
  lastSuccess?: string;
  lastFailure?: string;
  /** Why the last attempt failed, in plain words. */
  problem?: string;
  /** Failed deliveries in a row. */
  failures: number;
  /** No attempt before this time. */
  retryAt?: string;
  /** Data points that the collector rejected while it accepted their requests. */
  rejectedPoints?: number;
}

export function readDeliveryState(paths: Paths): DeliveryState {
  try {
    const state = JSON.parse(readText(paths.deliveryState) ?? '') as DeliveryState;
    return typeof state.failures === 'number' ? state : { failures: 0 };
  } catch {
    return { failures: 0 }; // no delivery yet, or a damaged file: start anew
  }
}

const write = (paths: Paths, state: DeliveryState): void =>
  writePrivate(paths.deliveryState, JSON.stringify(state));

const now = () => new Date().toISOString();

/** The run was delivered: the problem and the back-off end. */
export function noteSuccess(paths: Paths, rejectedPoints: number): void {
  const rejected = (readDeliveryState(paths).rejectedPoints ?? 0) + rejectedPoints;
  write(paths, {
    lastSuccess: now(),
    failures: 0,
    ...(rejected > 0 ? { rejectedPoints: rejected } : {}),
  });
}

/** A problem that waiting does not solve: the next run tries again, without a back-off. */
export function noteProblem(paths: Paths, problem: string): void {
  write(paths, { ...readDeliveryState(paths), lastFailure: now(), problem });
}

/** One more failure in a row. */
export function noteFailure(paths: Paths, problem: string): void {
  const { retryAt: _, ...state } = readDeliveryState(paths);
  const failures = state.failures + 1;
  const wait = backOff(failures);
  write(paths, {
    ...state,
    lastFailure: now(),
    problem,
    failures,
    ...(wait > 0 ? { retryAt: new Date(Date.now() + wait).toISOString() } : {}),
  });
}
