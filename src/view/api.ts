// wire.ts: what the server of the local page tells the page: both sides are checked against it, and
// no Node is in it: the page is compiled with the browser's types only. Ten thousand runs say the
// same few words again and again, so on the way a word is its place in a list, which makes a sixth
// of the bytes.
import { EVENT_KEYS, eventFrom, type LossReason } from '../contract/contract.ts';
import type { Outcome, Run } from '../otlp/decode.ts';

export interface Data {
  /** Oldest first. */
  runs: Packed;
  state: State;
}

export interface Packed {
  words: string[];
  rows: Row[];
}

/** Timestamp, outcome and reason, and the event in the order of its keys. */
type Row = [number, Cell, Cell, ...Cell[]];
/** A word is a list of one: its place. */
type Cell = [number] | number | boolean | null;

export function pack(runs: readonly Run[]): Packed {
  const places = new Map<string, number>();
  const cell = (value: string | number | boolean | null): Cell => {
    if (typeof value !== 'string') return value;
    const place = places.get(value) ?? places.size;
    places.set(value, place);
    return [place];
  };
  const rows = runs.map(({ timestamp, outcome, reason = null, event }): Row => {
    return [timestamp, cell(outcome), cell(reason), ...EVENT_KEYS.map((key) => cell(event[key]))];
  });
  return { words: [...places.keys()], rows };
}

export function unpack({ words, rows }: Packed): Run[] {
  const value = (cell: Cell | undefined) => (Array.isArray(cell) ? words[cell[0]] : cell);
  return rows.map(([timestamp, outcome, reason, ...cells]) => ({
    timestamp,
    outcome: value(outcome) as Outcome,
    ...(reason !== null && { reason: value(reason) as LossReason }),
    event: eventFrom((_, index) => value(cells[index])),
  }));
}

/**
 * Consent and delivery, as `lhp-otel view` found them where it was started. No path (a folder’s
 * name only), no header value.
 */
export interface State {
  version: string;
  mode: 'off' | 'local' | 'send';
  /** What becomes of runs now, in the words of `lhp-otel status`. */
  summary: string;
  /** In the order in which they are asked. */
  layers: Layer[];
  /** The project in whose folder the page was started: its digest, and the name of its folder. */
  project: { id: string; folder: string } | null;
  endpoint: string | null;
  /** Where the endpoint was named, in words. */
  endpointSource: string | null;
  proxy: string | null;
  headers: string[];
  compression: string;
  timeoutMs: number;
  /** ISO 8601, as are all times in `delivery`. */
  oldestWaiting: string | null;
  delivery: {
    lastSuccess?: string;
    lastFailure?: string;
    problem?: string;
    failures: number;
    retryAt?: string;
    rejectedPoints?: number;
  };
  /** Files in the history that are no recorded run. */
  unreadable: number;
  problems: string[];
  warnings: string[];
}

/** Who can say off, and how. Text between backticks is code. */
interface Layer {
  name: string;
  off: string;
  on: string;
  /** This one has said off. */
  decided: boolean;
}

/** The answer to a purge. */
export interface Purged {
  deleted: number;
}

/** What the page must send for a purge. */
export const PURGE = { confirm: 'purge' } as const;
