// contract.ts: the one place where a metric or an attribute is named. Everything that leaves a
// machine is listed here with its type, its unit and the field of the telemetry page it implements;
// the docs table, the gateway's rules and the tests are made from these tables or checked against
// them. A value reaches the wire only through one of the fold functions below, so a secret has no
// route: it becomes a number, a boolean, a digest, a version, a word of a closed set, or `other`.

/**
 * The page's own shape of one recorded run; keys in the page's order. `null` means: could not be
 * counted (docs/privacy.md).
 */
export interface GenerateEvent {
  event: 'lhp_generate';
  project_id: string;
  machine_id: string;
  is_ci: boolean;
  flowgroups_count: number | null;
  templates_count: number | null;
  flowgroups_using_templates: number | null;
  pipelines_count: number | null;
  files_generated: number | null;
  environment: string;
  dry_run: boolean;
  bundle_enabled: boolean;
  lhp_version: string;
  python_version: string;
  /** Seconds, rounded to 2 decimals. */
  generation_time_seconds: number;
}

/** What a run would record, before it took place: how long it takes is not known. */
export type Preview = Omit<GenerateEvent, 'generation_time_seconds'> & {
  generation_time_seconds: null;
};

/** Names the instrumentation scope; its version is the package's. */
export const SCOPE_NAME = 'lhp-otel';

/**
 * A point that is further ahead of the gateway's clock is dropped there; Prometheus refuses it from
 * 10 minutes on.
 */
export const GATEWAY_AHEAD_MINUTES = 5;
/** An older one, too: the client keeps a run for 7 days, and the way may take one more. */
export const GATEWAY_AGE_HOURS = 192;

/** What a value that fits nothing becomes. */
export const OTHER = 'other';

type AttributeValue = string | boolean;

export interface AttributeSpec {
  key: string;
  type: 'string' | 'boolean';
  /** Field of the telemetry page, or the constant's reason. */
  page: keyof GenerateEvent | '';
  what: string;
  /** The values that can occur, in words and as a pattern where the type is string. */
  values: string;
  pattern?: RegExp;
}

const DIGEST = /^[0-9a-f]{64}$/;
// Three numbers at most: four would let an IPv4 address through.
const VERSION = /^\d{1,4}(\.\d{1,4}){1,2}((a|b|rc|\.post|\.dev)\d{1,4}){0,2}$/;
const PYTHON_VERSION = /^\d\.\d{1,2}$/;
const ENVIRONMENT = /^[a-z0-9][a-z0-9_-]{0,31}$/;

export const RESOURCE_ATTRIBUTES = [
  {
    key: 'service.name',
    type: 'string',
    page: '',
    what: 'The instrumented program',
    values: '`lhp`',
    pattern: /^lhp$/,
  },
  {
    key: 'service.version',
    type: 'string',
    page: 'lhp_version',
    what: 'Version of lhp that ran',
    values: 'a version number, or `other`',
    pattern: VERSION,
  },
  {
    key: 'lhp.project.id',
    type: 'string',
    page: 'project_id',
    what: 'SHA-256 of the project name in lhp.yaml',
    values: '64 hex digits',
    pattern: DIGEST,
  },
  {
    key: 'lhp.machine.id',
    type: 'string',
    page: 'machine_id',
    what: 'SHA-256 of the machine id',
    values: '64 hex digits',
    pattern: DIGEST,
  },
  {
    key: 'lhp.ci',
    type: 'boolean',
    page: 'is_ci',
    what: 'Whether the run was in a CI job',
    values: '`true`, `false`',
  },
  {
    key: 'process.runtime.name',
    type: 'string',
    page: '',
    what: 'The Python implementation',
    values: '`cpython`',
    pattern: /^cpython$/,
  },
  {
    key: 'process.runtime.version',
    type: 'string',
    page: 'python_version',
    what: 'Python that ran lhp',
    values: '`major.minor`, or `other`',
    pattern: PYTHON_VERSION,
  },
] as const satisfies readonly AttributeSpec[];

export const POINT_ATTRIBUTES = [
  {
    key: 'deployment.environment.name',
    type: 'string',
    page: 'environment',
    what: 'Environment of `-e/--env`, in lower case',
    values: 'letters, digits, `_`, `-`, at most 32; else `other`',
    pattern: ENVIRONMENT,
  },
  {
    key: 'lhp.dry_run',
    type: 'boolean',
    page: 'dry_run',
    what: 'Whether it was a `--dry-run`',
    values: '`true`, `false`',
  },
  {
    key: 'lhp.bundle.enabled',
    type: 'boolean',
    page: 'bundle_enabled',
    what: 'Whether Databricks Asset Bundles are in use',
    values: '`true`, `false`',
  },
] as const satisfies readonly AttributeSpec[];

/**
 * Only on the points of CI runs: containers of one image share a machine id and have no spool in
 * common, so two of them can record in one millisecond; with another slot they are two points all
 * the same (docs/adr/0010-ci-slots.md).
 */
export const CI_SLOT_ATTRIBUTE = {
  key: 'lhp.ci.slot',
  type: 'string',
  page: '',
  what: 'Random, tells apart CI containers that share a machine id',
  values: '`00` to `ff`',
  pattern: /^[0-9a-f]{2}$/,
} as const satisfies AttributeSpec;

/** Why a run that was recorded is given up; the only values of {@link LOSS_REASON_ATTRIBUTE}. */
export const LOSS_REASONS = ['rejected', 'expired', 'spool_full', 'unreadable'] as const;
export type LossReason = (typeof LOSS_REASONS)[number];
export const LOSS_REASON_ATTRIBUTE = {
  key: 'lhp.loss.reason',
  type: 'string',
  page: '',
  what: 'Why the run was given up',
  values: LOSS_REASONS.map((reason) => `\`${reason}\``).join(', '),
  pattern: new RegExp(`^(${LOSS_REASONS.join('|')})$`),
} as const satisfies AttributeSpec;

export interface InstrumentSpec {
  name: string;
  kind: 'counter' | 'histogram';
  unit: string;
  page: keyof GenerateEvent;
  /** The description on the wire. */
  description: string;
  /** The largest value that can be true; what is above is not recorded. */
  max: number;
}

// Larger than any project can be: lhp itself needs about 30 s for 4,000 flowgroups.
const MAX_COUNT = 1_000_000;
// A generate of more than a week is a clock that jumped.
const MAX_SECONDS = 604_800;

export const INSTRUMENTS = [
  {
    name: 'lhp.generate.runs',
    kind: 'counter',
    unit: '{run}',
    page: 'event',
    description: 'Successful lhp generate runs',
    max: 1,
  },
  {
    name: 'lhp.generate.duration',
    kind: 'histogram',
    unit: 's',
    page: 'generation_time_seconds',
    description: 'Wall time of lhp generate',
    max: MAX_SECONDS,
  },
  {
    name: 'lhp.generate.files',
    kind: 'histogram',
    unit: '{file}',
    page: 'files_generated',
    description: 'Python files written by one run',
    max: MAX_COUNT,
  },
  {
    name: 'lhp.project.flowgroups',
    kind: 'histogram',
    unit: '{flowgroup}',
    page: 'flowgroups_count',
    description: 'Flowgroups in the project',
    max: MAX_COUNT,
  },
  {
    name: 'lhp.project.flowgroups_using_templates',
    kind: 'histogram',
    unit: '{flowgroup}',
    page: 'flowgroups_using_templates',
    description: 'Flowgroups that use a template',
    max: MAX_COUNT,
  },
  {
    name: 'lhp.project.templates',
    kind: 'histogram',
    unit: '{template}',
    page: 'templates_count',
    description: 'Distinct templates in use',
    max: MAX_COUNT,
  },
  {
    name: 'lhp.project.pipelines',
    kind: 'histogram',
    unit: '{pipeline}',
    page: 'pipelines_count',
    description: 'Pipelines in the project',
    max: MAX_COUNT,
  },
] as const satisfies readonly InstrumentSpec[];

export const LOST_RUNS = {
  name: 'lhp.telemetry.lost_runs',
  kind: 'counter',
  unit: '{run}',
  description: 'Runs recorded earlier and given up',
} as const;

/** The keys of {@link GenerateEvent} in the order of the telemetry page. */
export const EVENT_KEYS = [
  'event',
  'project_id',
  'machine_id',
  'is_ci',
  'flowgroups_count',
  'templates_count',
  'flowgroups_using_templates',
  'pipelines_count',
  'files_generated',
  'environment',
  'dry_run',
  'bundle_enabled',
  'lhp_version',
  'python_version',
  'generation_time_seconds',
] as const satisfies readonly (keyof GenerateEvent)[];

const fold = (pattern: RegExp, text: unknown) =>
  typeof text === 'string' && pattern.test(text) ? text : OTHER;

// `unknown`: a host in plain JavaScript can hand in anything.
export const foldVersion = (text: unknown): string => fold(VERSION, text);
export const foldPythonVersion = (text: unknown): string => fold(PYTHON_VERSION, text);
export const foldEnvironment = (text: unknown): string =>
  fold(ENVIRONMENT, typeof text === 'string' ? text.toLowerCase() : text);

export const foldSlot = (text: unknown): string =>
  typeof text === 'string' && CI_SLOT_ATTRIBUTE.pattern.test(text) ? text : '00';

/** A digest stays; anything else is no digest and cannot pass. */
const foldDigest = (text: unknown): string => fold(DIGEST, text);

/**
 * A whole number from 0 to the instrument's maximum, else `null`: a number that cannot be true is
 * not recorded.
 */
export function foldCount(
  value: number | null | undefined,
  max: number = MAX_COUNT,
): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
    ? value
    : null;
}

/** Seconds from 0 to a week; a clock that ran backwards counts as 0. */
export function foldSeconds(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value)
    ? Math.min(Math.max(value, 0), MAX_SECONDS)
    : 0;
}

/** One number for one instrument. */
interface Measurement {
  instrument: (typeof INSTRUMENTS)[number];
  value: number;
}

/** Everything of a run that goes on the wire, already folded. */
export interface Recording {
  resource: Record<string, AttributeValue>;
  attributes: Record<string, AttributeValue>;
  measurements: Measurement[];
}

/**
 * The firewall: from an event to what may be recorded of it. Nothing else is read from the event.
 */
export function toRecording(event: GenerateEvent | Preview): Recording {
  const { generation_time_seconds: seconds } = event;
  const numbers: Record<(typeof INSTRUMENTS)[number]['page'], number | null> = {
    event: 1,
    generation_time_seconds: seconds === null ? null : foldSeconds(seconds),
    files_generated: foldCount(event.files_generated),
    flowgroups_count: foldCount(event.flowgroups_count),
    flowgroups_using_templates: foldCount(event.flowgroups_using_templates),
    templates_count: foldCount(event.templates_count),
    pipelines_count: foldCount(event.pipelines_count),
  };
  return {
    resource: {
      'service.name': 'lhp',
      'service.version': foldVersion(event.lhp_version),
      'lhp.project.id': foldDigest(event.project_id),
      'lhp.machine.id': foldDigest(event.machine_id),
      'lhp.ci': event.is_ci === true,
      'process.runtime.name': 'cpython',
      'process.runtime.version': foldPythonVersion(event.python_version),
    } satisfies Record<(typeof RESOURCE_ATTRIBUTES)[number]['key'], AttributeValue>,
    attributes: {
      'deployment.environment.name': foldEnvironment(event.environment),
      'lhp.dry_run': event.dry_run === true,
      'lhp.bundle.enabled': event.bundle_enabled === true,
    } satisfies Record<(typeof POINT_ATTRIBUTES)[number]['key'], AttributeValue>,
    measurements: INSTRUMENTS.flatMap((instrument) => {
      const value = numbers[instrument.page];
      return value === null ? [] : [{ instrument, value }];
    }),
  };
}
