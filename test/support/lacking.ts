// lacking.ts: reports what a machine lacks. A test that needs a program which is not there is
// skipped with the reason; with CI=true it fails.
import { test } from 'vitest';
import type { Need } from '../../scripts/harness/needs.ts';

/**
 * Guards the body of a `describe`: returns false when nothing is lacking. Otherwise it registers
 * one test that carries the reason, skipped, or failing with CI=true, and returns true.
 */
export function lacking(...needs: Need[]): boolean {
  const reasons = needs.flatMap((need) => need.lacks ?? []);
  if (reasons.length === 0) return false;
  const why = reasons.join('; ');
  if (process.env.CI === 'true') test(`needs: ${why}`, () => Promise.reject(new Error(why)));
  else test.skip(`skipped: ${why}`, () => {});
  return true;
}
