// verdict.ts: what a probe of `doctor` says: how it is, and what to do about it.

export interface Verdict {
  result: 'ok' | 'warning' | 'failure' | 'skipped';
  /** What is so. */
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

/** Node's name of an error: no path, address or text of a server is in it. */
export function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name ?? 'error';
}
