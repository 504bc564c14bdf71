// markdown.ts: numbers and tables as the pages of this benchmark show them.

/** A number with three significant digits. */
export const n = (value: number): string =>
  value >= 1_000
    ? Number(value.toPrecision(3)).toLocaleString('en-US')
    : String(Number(value.toPrecision(value < 1 ? 2 : 3)));

export const percent = (share: number) => `${(share * 100).toFixed(0)} %`;

/** A duration given in seconds. */
export const time = (seconds: number) =>
  seconds < 120
    ? `${n(seconds)} s`
    : seconds < 7_200
      ? `${n(seconds / 60)} min`
      : `${n(seconds / 3_600)} h`;

export const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
