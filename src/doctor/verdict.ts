// verdict.ts: the result of a probe of `doctor`.
import { errorCode } from '../system/error.ts';

export interface Verdict {
  result: 'ok' | 'warning' | 'failure' | 'skipped';
  /** What was found. */
  detail: string;
  /** What to do about it. */
  advice?: string;
}

export const ok = (detail: string): Verdict => ({ result: 'ok', detail });
export const warning = (detail: string, advice: string): Verdict => ({
  result: 'warning',
  detail,
  advice,
});
export const failure = (detail: string, advice: string): Verdict => ({
  result: 'failure',
  detail,
  advice,
});
export const skipped = (detail: string): Verdict => ({ result: 'skipped', detail });

/** Node's code or name for an error. It contains no path, address or text from a server. */
export const codeOf = (error: unknown): string =>
  errorCode(error) ?? (error instanceof Error ? error.name : 'error');
