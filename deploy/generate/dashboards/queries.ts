// queries.ts: the parts of queries that are the same for every backend: names of series and labels,
// which come from the contract; the selection by the dashboard's variables; and sums over time. A
// sum over time is a total, because each run is one delta point. dialects.ts has what differs.
import { INSTRUMENTS, LOSS_REASON_ATTRIBUTE, LOST_RUNS } from '../../../src/contract/contract.ts';

/** The label name that a backend derives from an attribute's key. */
const label = (key: string): string => key.replaceAll('.', '_');

/** The series name that a backend derives from an instrument (OTLP translation with suffixes). */
export function series(name: string): string {
  const all: readonly { name: string; kind: string; unit: string }[] = [...INSTRUMENTS, LOST_RUNS];
  const spec = all.find((one) => one.name === name);
  if (spec === undefined) throw new Error(`the contract has no instrument ${name}`);
  return (
    label(name) + (spec.unit === 's' ? '_seconds' : '') + (spec.kind === 'counter' ? '_total' : '')
  );
}

export const VERSION = label('service.version');
export const PYTHON = label('process.runtime.version');
export const ENVIRONMENT = label('deployment.environment.name');
export const CI = label('lhp.ci');
export const PROJECT = label('lhp.project.id');
export const MACHINE = label('lhp.machine.id');
export const DRY = label('lhp.dry_run');
export const BUNDLE = label('lhp.bundle.enabled');
export const REASON = label(LOSS_REASON_ATTRIBUTE.key);

/** The variables that every dashboard has: name → label. */
export const VARIABLES = { environment: ENVIRONMENT, version: VERSION, ci: CI };

/** Grafana's variables for the dashboard's time range and for one step of it. */
export const R = '$__range';
export const I = '$__interval';

export const CHOSEN = `${ENVIRONMENT}=~"$environment", ${VERSION}=~"$version", ${CI}=~"$ci"`;

/** The total of a series over a range, grouped by one or more labels. */
export const over = (name: string, range: string, by = '', more = '') =>
  `sum ${by ? `by (${by}) ` : ''}(sum_over_time(${name}{${CHOSEN}${more}}[${range}]))`;

export const orZero = (expr: string) => `${expr} or vector(0)`;
