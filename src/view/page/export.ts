// export.ts: recorded runs as the text of a JSON or CSV file. Pure. The columns are the keys of the
// telemetry page's event in its order, after the time of the run and what became of it.
import { EVENT_KEYS } from '../../contract/contract.ts';
import type { Run } from '../../otlp/decode.ts';

const COLUMNS = ['timestamp', 'outcome', 'reason', ...EVENT_KEYS] as const;

const rowOf = ({ timestamp, outcome, reason, event }: Run) => ({
  timestamp: new Date(timestamp).toISOString(),
  outcome,
  reason: reason ?? null,
  ...event,
});

export const toJson = (runs: readonly Run[]): string =>
  `${JSON.stringify(runs.map(rowOf), null, 1)}\n`;

/** RFC 4180, in UTF-8. A number that is not known is empty. */
export function toCsv(runs: readonly Run[]): string {
  const lines = runs.map((run) => {
    const row = rowOf(run);
    return COLUMNS.map((column) => cell(row[column])).join(',');
  });
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}

/** What a spreadsheet takes for a formula; behind an apostrophe it is text. */
const FORMULA = /^\s*[=+\-@\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}]/u;

function cell(value: string | number | boolean | null): string {
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value ?? '');
  return /[",\r\n\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
