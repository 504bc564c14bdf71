// differences.ts: compares what the panels of the dashboards show with what they must show.
import type { DashboardSpec, PanelSpec } from '../../deploy/generate/dashboards/spec.ts';
import type { Asker } from '../../scripts/harness/asker.ts';
import { shown } from './asks.ts';
import { ANSWERS } from './panels.ts';
import { type Asked, DRAWN_ZERO, type Expected } from './truth.ts';

export interface Asking {
  dashboard: DashboardSpec;
  spec: PanelSpec;
}

export const askings = (of: readonly DashboardSpec[]): Asking[] =>
  of.flatMap((dashboard) => dashboard.panels.map((spec) => ({ dashboard, spec })));
/** With names for `it.each`. */
export const titled = (of: readonly DashboardSpec[]) =>
  askings(of).map((one) => [`${one.dashboard.uid}: ${one.spec.title}`, one] as const);

/** Numbers are sums of many others, in another order, and times are in seconds. */
const EXACT = 1e-9;

function within(value: number, expected: Expected): boolean {
  const [least, most] = typeof expected === 'number' ? [expected, expected] : expected;
  const slack = EXACT * Math.max(1, Math.abs(most));
  return value >= least - slack && value <= most + slack;
}

/**
 * The numbers of a panel that are not as the runs say. A number that is missing counts as zero: a
 * column of a chart or a cell is as empty. Only {@link DRAWN_ZERO} must be there.
 */
export async function differences(
  stack: Asker,
  { dashboard, spec }: Asking,
  of: Asked,
): Promise<string[]> {
  const truth = ANSWERS[dashboard.uid]?.[spec.title];
  if (truth === undefined) throw new Error(`no known answer for ${spec.title}`);
  const known = truth(of);
  const given = await shown(stack, spec, dashboard.panels, of.situation);
  const names = new Set([...Object.keys(given), ...Object.keys(known)]);
  return [...names].sort().flatMap((name) => {
    const [value = 0, expected = 0] = [given[name], known[name]];
    const there = name in given || expected !== DRAWN_ZERO;
    return there && within(value, expected) ? [] : [`${name}: ${given[name]}, not ${known[name]}`];
  });
}
