// style.ts: the colors of all panels. A color has a meaning only where a number can be good or bad;
// everywhere else the text has no color, and bars are blue.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import type { Step } from './spec.ts';

export const BLUE = 'blue';
export const thresholds = (steps: readonly Step[]) =>
  new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(steps.map(([color, value = null]) => ({ color, value })));
/** A number that cannot be good or bad. */
export const NEUTRAL: readonly Step[] = [['text']];
