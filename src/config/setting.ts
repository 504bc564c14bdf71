// setting.ts: values that users set, and the one rule of truth for switches.

export interface Setting {
  value: unknown;
  /** The variable, or the key and its file, as messages name it. */
  called: string;
}

/** Whether a layer of consent says off, or why that cannot be known. */
export type Answer = boolean | { problem: string };

const FALSY = ['0', 'false', 'no', 'off'];

const word = (value: string | undefined) => (value ?? '').trim().toLowerCase();

/** Empty, `0`, `false`, `no` and `off` mean "not set"; anything else means "set". */
export const isSet = (value: string | undefined): boolean => word(value) !== '' && !isFalsy(value);

/** `0`, `false`, `no` or `off`: for a switch that opts out when it is falsy. Empty means unset. */
export const isFalsy = (value: string | undefined): boolean => FALSY.includes(word(value));
