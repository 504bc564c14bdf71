// deadline.ts: the time limit of a scan. Everything that can take long checks it: for each folder
// entry, each file, each attempt to parse a file, and while patterns are matched.
import { LimitError } from './mapping.ts';

const MAX_MILLISECONDS = 20_000;
/** This many small steps take less than a millisecond. */
const STEPS = 10_000;

export class Deadline {
  readonly #end: number;
  #steps = 0;

  constructor(milliseconds = MAX_MILLISECONDS) {
    this.#end = performance.now() + milliseconds;
  }

  /** Throws a LimitError after the time limit. */
  check(): void {
    if (performance.now() > this.#end) throw new LimitError('time');
  }

  /** Like {@link check}, for steps that are much shorter than reading the clock. */
  step(count = 1): void {
    this.#steps += count;
    if (this.#steps < STEPS) return;
    this.#steps = 0;
    this.check();
  }
}
