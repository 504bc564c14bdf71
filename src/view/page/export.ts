// export.ts: recorded runs as a JSON or CSV file. The columns are time, outcome and reason, then
// the fields of the event in the order of the telemetry page.
import { EVENT_KEYS } from '../../contract/contract.ts';
import type { Run } from '../../spool/run.ts';

const COLUMNS = ['timestamp', 'outcome', 'reason', ...EVENT_KEYS] as const;

const rowOf = ({ timestamp, outcome, reason, event }: Run) => ({
  timestamp: new Date(timestamp).toISOString(),
  outcome,
  reason: reason ?? null,
  ...event,
});

export const toJson = (runs: readonly Run[]): string =>
  `${JSON.stringify(runs.map(rowOf), null, 1)}\n`;

/** CSV as in RFC 4180. A number that could not be counted is an empty cell. */
export function toCsv(runs: readonly Run[]): string {
  const lines = runs.map((run) => {
    const row = rowOf(run);
    return COLUMNS.map((column) => cell(row[column])).join(',');
  });
  return [COLUMNS.join(','), ...lines, ''].join('\r\n');
}

/** What a spreadsheet would run as a formula. An apostrophe before it makes it text. */
const FORMULA = /^\s*[=+\-@\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}]/u;

function cell(value: string | number | boolean | null): string {
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value ?? '');
  return /[",\r\n\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
