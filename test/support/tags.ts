// tags.ts: divides the tests into the part that `npm test` runs and the long rest, which only
// `npm run test:all` runs, too.
import type { it } from 'vitest';

/** The tag of the long rest. All files in test/extended have it. */
export const EXTENDED = 'extended';
/** Options of a test that belongs to the long rest, or of a `describe` with such tests. */
export const extended = { tags: [EXTENDED] };

type Each = Pick<typeof it, 'each'>;
type Register = (
  rows: readonly unknown[],
) => (name: string, options: object, test: unknown) => void;

/**
 * `it` for a long table: of `sampled(it, 8).each(rows)`, `npm test` runs the first row and then
 * each eighth one, and the long rest has the others. Rows are in the order of their subjects, so
 * that a sample has some of each.
 */
export function sampled(on: Each, every: number): Each {
  const register = on.each.bind(on) as unknown as Register;
  const each = (rows: readonly unknown[]) => (name: string, test: unknown) => {
    register(rows.filter((_, index) => index % every === 0))(name, {}, test);
    register(rows.filter((_, index) => index % every !== 0))(name, extended, test);
  };
  return { each: each as unknown as Each['each'] };
}
