// closing-line.ts: counts the tests of a run, for the line that CI reads.
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Counts the tests of which `counts` is true: vitest reports those of the other part as skipped.
 */
export class Counter implements Reporter {
  readonly counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  readonly #isCounted: (test: TestCase) => boolean;

  constructor(isCounted: (test: TestCase) => boolean) {
    this.#isCounted = isCounted;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    this.counts.failed += errors.length;
    for (const module of modules) {
      if (module.errors().length > 0) this.counts.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== 'pending' && this.#isCounted(test)) this.counts[state] += 1;
      }
    }
  }
}

/** `N passed, N failed, N skipped`, of all parts together. */
export function closingLine(parts: readonly Counts[]): string {
  const sum = (pick: keyof Counts) => parts.reduce((all, counts) => all + counts[pick], 0);
  return `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`;
}
