// setting.ts: a configured value, and how its owner calls it: a variable, or a key in a file.

export interface Setting {
  value: unknown;
  called: string;
}

/** Whether a layer says off, or why nobody can know. */
export type Answer = boolean | { problem: string };

/** One rule for every switch: empty, `0`, `false`, `no` and `off` are not set; anything else is. */
export function isSet(value: string | undefined): boolean {
  return !['', '0', 'false', 'no', 'off'].includes((value ?? '').trim().toLowerCase());
}
