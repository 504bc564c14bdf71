// error.ts: the code of a system error.

/** `ENOENT`, `EACCES`, …; `undefined` where the error has no code. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
