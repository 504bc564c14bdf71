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

export const RUNS = 'lhp.generate.runs';
export const DURATION = 'lhp.generate.duration';
export const FILES = 'lhp.generate.files';
export const FLOWGROUPS = 'lhp.project.flowgroups';
export const TEMPLATED = 'lhp.project.flowgroups_using_templates';
export const TEMPLATES = 'lhp.project.templates';
export const PIPELINES = 'lhp.project.pipelines';

export const VERSION = label('service.version');
export const PYTHON = label('process.runtime.version');
export const ENVIRONMENT = label('deployment.environment.name');
export const CI = label('lhp.ci');
export const PROJECT = label('lhp.project.id');
export const MACHINE = label('lhp.machine.id');
export const DRY = label('lhp.dry_run');
export const BUNDLE = label('lhp.bundle.enabled');
export const REASON = label(LOSS_REASON_ATTRIBUTE.key);
/** Made by {@link short}: the first eight digits of a project's id. */
export const SHORT = 'project';

/** The variables of the dashboards about runs: name → label. */
export const VARIABLES = { environment: ENVIRONMENT, version: VERSION, ci: CI, project: PROJECT };

/** Grafana's variables for the dashboard's time range and for one step of it. */
export const R = '$__range';
export const I = '$__interval';
/**
 * The step that begins at the time of a point. Without the offset a point would show the step
 * before it, and the runs of today would be missing.
 */
export const STEP = `${I}] offset -${I}`;
/** The range in steps of which each is asked by {@link STEP}. */
const STEPS = `${R}:${I}`;
/** The range in brackets, with what follows it. */
const within = (range: string) => (range.includes(']') ? `[${range}` : `[${range}]`);

export const CHOSEN = Object.entries(VARIABLES)
  .map(([name, key]) => `${key}=~"$${name}"`)
  .join(', ');

/** A label and its value, as an addition to {@link CHOSEN}. */
export const where = (key: string, value: string) => `, ${key}="${value}"`;

/** `by (labels)`, or nothing. */
export const grouped = (by = '') => (by === '' ? '' : `by (${by}) `);

/** The total of a series over a range; with `by`, for each combination of these labels. */
export const over = (name: string, range: string, by = '', more = '') =>
  `sum ${grouped(by)}(sum_over_time(${name}{${CHOSEN}${more}}${within(range)}))`;

/** Runs, added up. */
export const overRuns = (range: string, by = '', more = '') => over(series(RUNS), range, by, more);

/** One series for each combination of labels that a run of the range has. */
export const seen = (by: string, range: string, matchers = CHOSEN) =>
  `count ${grouped(by)}(count_over_time(${series(RUNS)}{${matchers}}${within(range)}))`;

/** How many different values a label has in a range; with `by`, for each value of that label. */
export const distinct = (key: string, range: string, by = '') =>
  `count ${grouped(by)}(${seen(by === '' ? key : `${by}, ${key}`, range)})`;

/** Adds the label {@link SHORT} to what is grouped by project. */
export const short = (expr: string) =>
  `label_replace(${expr}, "${SHORT}", "$1", "${PROJECT}", "(.{8}).*")`;

/** Adds a label with a constant value. */
export const named = (expr: string, key: string, value: string) =>
  `label_replace(${expr}, "${key}", "${value}", "", "")`;

/**
 * Of a query by {@link STEP}: the value of each group's newest step with runs. A step counts if it
 * begins in the range.
 */
export const newestStep = (expr: string, at = '') => `last_over_time((${expr})[${STEPS}]${at})`;

/**
 * Of a query by {@link STEP}: zero in a step without runs, if the range has any. Without this
 * condition an empty dashboard would show a line and no text.
 */
export const orZeroRuns = (expr: string) =>
  `${expr} or (vector(0) and on () ${seen('', `${R}] @ end() offset -${I}`)})`;

export const orZero = (expr: string) => `${expr} or vector(0)`;
