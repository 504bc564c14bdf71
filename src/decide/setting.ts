// setting.ts: a configured value, and how its owner calls it: a variable, or a key in a file.

export interface Setting {
  value: unknown;
  called: string;
}
