// deadline.ts: when a scan ends at the latest. Whatever may take long asks in between: for each
// folder entry, each file, each attempt to parse one, and within the matching of patterns.
import { LimitError } from './mapping.ts';

const MAX_MILLISECONDS = 20_000;
/** So many small steps take less than a millisecond. */
const STEPS = 10_000;

export class Deadline {
  readonly #end: number;
  #steps = 0;

  constructor(milliseconds = MAX_MILLISECONDS) {
    this.#end = performance.now() + milliseconds;
  }

  /** Throws where the time is over. */
  check(): void {
    if (performance.now() > this.#end) throw new LimitError('time');
  }

  /** The same for steps that are too small to look at the clock for each. */
  step(count = 1): void {
    this.#steps += count;
    if (this.#steps < STEPS) return;
    this.#steps = 0;
    this.check();
  }
}
