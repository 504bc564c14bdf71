// api.ts: the data that the server of the local page sends to the page. Both sides are compiled
// against these types; the page only with the types of a browser, so this file uses no Node API.
// Ten thousand runs repeat the same few words, so each word is sent once and then referred to by
// its index; that needs a sixth of the bytes.
import { EVENT_KEYS, eventFrom, type LossReason } from '../contract/contract.ts';
import type { Outcome, Run } from '../spool/run.ts';

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
/** A word is sent as a list that contains its index. */
type Cell = [number] | number | boolean | null;

export function pack(runs: readonly Run[]): Packed {
  const indexes = new Map<string, number>();
  const cell = (value: string | number | boolean | null): Cell => {
    if (typeof value !== 'string') return value;
    const index = indexes.get(value) ?? indexes.size;
    indexes.set(value, index);
    return [index];
  };
  const rows = runs.map(({ timestamp, outcome, reason = null, event }): Row => {
    return [timestamp, cell(outcome), cell(reason), ...EVENT_KEYS.map((key) => cell(event[key]))];
  });
  return { words: [...indexes.keys()], rows };
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
 * Consent and delivery, for the folder and environment in which `lhp-otel view` was started. It
 * contains no header value and no path, only the name of the project's folder.
 */
export interface State {
  version: string;
  mode: 'off' | 'local' | 'send';
  /** What happens to a run that is recorded now, as in `lhp-otel status`. */
  summary: string;
  /** In the order in which they are checked. */
  layers: Layer[];
  /** The project in whose folder the page was started: its digest and the name of its folder. */
  project: { id: string; folder: string } | null;
  endpoint: string | null;
  /** Where the endpoint is configured, in words. */
  endpointSource: string | null;
  proxy: string | null;
  headers: string[];
  compression: string;
  timeoutMs: number;
  /** ISO 8601, like all times in `delivery`. */
  oldestWaiting: string | null;
  delivery: {
    lastSuccess?: string;
    lastFailure?: string;
    problem?: string;
    failures: number;
    retryAt?: string;
    rejectedPoints?: number;
  };
  /** How many files in the history are not recorded runs. */
  unreadable: number;
  problems: string[];
  warnings: string[];
}

/** What can switch telemetry off, and how. Text between backticks is code. */
interface Layer {
  name: string;
  off: string;
  on: string;
  /** Whether this layer has switched telemetry off. */
  decided: boolean;
}

/** The response to a purge. */
export interface Purged {
  deleted: number;
}

/** The body of a request to purge. */
export const PURGE = { confirm: 'purge' } as const;
