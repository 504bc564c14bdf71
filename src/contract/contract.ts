// contract.ts: what follows from the table of fields (fields.ts): the event as a type, the
// instruments and attributes of a request, and `toRecording`, which every value passes on its way
// into a request. Other rooms import the contract from here.
import type { GenerateEvent, HostKey } from './event.ts';
import { FIELDS } from './fields.ts';
import { LOSS_REASONS, LOSSES, LOST_RUNS, type LossReason } from './losses.ts';
import { ATTRIBUTE_TYPES, NUMBER_TYPES, OTHER, VALUE_TYPES } from './values.ts';

export {
  type GenerateEvent,
  type HostKey,
  LOSS_REASONS,
  LOSSES,
  LOST_RUNS,
  type LossReason,
  OTHER,
};

type Fields = typeof FIELDS;

/** A key of {@link GenerateEvent}. */
export type EventKey = keyof Fields;

/**
 * The event as the table says it. If {@link GenerateEvent} differs, this file does not compile: run
 * `npm run generate`.
 */
type TableEvent = {
  -readonly [Key in EventKey]: Fields[Key]['value'] extends 'run'
    ? 'lhp_generate'
    : ReturnType<(typeof VALUE_TYPES)[Fields[Key]['value']]['fold']>;
};

/** What a run would record. Before the run, its duration is not known. */
export type Preview = Omit<GenerateEvent, 'generation_time_seconds'> & {
  generation_time_seconds: null;
};

/** The keys of {@link GenerateEvent} in the order of the telemetry page. */
export const EVENT_KEYS: (keyof GenerateEvent)[] = Object.keys(FIELDS) as EventKey[];

/** The fields that a host of the library can state. */
export const HOST_KEYS = EVENT_KEYS.filter((key): key is HostKey => FIELDS[key].host);

/** An event of these values. They are not checked: see {@link isValidEvent}. */
export function eventFrom(get: (key: EventKey, index: number) => unknown): GenerateEvent {
  const values = EVENT_KEYS.map((key, index) => [key, get(key, index)] as const);
  return Object.fromEntries(values) as Record<EventKey, unknown> as TableEvent;
}

/** The example of the documentation. */
export const exampleEvent = (): GenerateEvent => eventFrom((key) => FIELDS[key].example);

/** Name of the instrumentation scope; its version is the package's. */
export const SCOPE_NAME = 'lhp-otel';

/** A release or prerelease of this package by SemVer: 0.2.0, 0.2.0-rc.1. No other words. */
export const SCOPE_VERSION = /^\d{1,4}(\.\d{1,4}){2}(-(alpha|beta|rc)\.\d{1,4})?$/;

/**
 * The gateway drops a point that is further ahead of its clock than this: Prometheus refuses a
 * point that is 10 minutes ahead.
 */
export const GATEWAY_AHEAD_MINUTES = 5;
/**
 * It drops an older point, too. The client keeps a run for 7 days, and delivery may take one more.
 */
export const GATEWAY_AGE_HOURS = 192;

type AttributeValue = string | boolean;

export interface AttributeSpec {
  key: string;
  type: 'string' | 'boolean';
  /** Its field of the event, or '' if there is none. */
  page: EventKey | '';
  what: string;
  /** The values that can occur, in Markdown. */
  values: string;
  /** Of a string: what it must match. */
  pattern?: RegExp;
  /** Whether `other` is a documented value, too. */
  orOther: boolean;
}

interface PlacedAttribute extends AttributeSpec {
  order: number;
  fold(value: unknown): AttributeValue;
}

export interface InstrumentSpec {
  name: Fields[EventKey]['name'];
  kind: 'counter' | 'histogram';
  unit: string;
  page: EventKey;
  /** The description in the request. */
  description: string;
  value: keyof typeof NUMBER_TYPES;
  /** The largest value that is recorded. */
  max: number;
}

/** Attributes of the resource that are the same for every run. */
const CONSTANTS = [
  { key: 'service.name', order: 1, is: 'lhp', what: 'The instrumented program' },
  { key: 'process.runtime.name', order: 6, is: 'cpython', what: 'The Python implementation' },
].map(({ key, order, is, what }): PlacedAttribute => {
  const pattern = new RegExp(`^${is}$`);
  const spec = { type: 'string', page: '', values: `\`${is}\``, pattern, orOther: false } as const;
  return { ...spec, key, order, what, fold: () => is };
});

const byOrder = (one: { order: number }, other: { order: number }) => one.order - other.order;

const attributesOn = (place: 'resource' | 'point'): PlacedAttribute[] =>
  EVENT_KEYS.flatMap((page): PlacedAttribute[] => {
    const field = FIELDS[page];
    if (field.on !== place) return [];
    const { name: key, order, what, value } = field;
    return [{ ...ATTRIBUTE_TYPES[value], key, order, what, page }];
  });

/** In the order of the request, as are {@link POINT_ATTRIBUTES} and {@link INSTRUMENTS}. */
export const RESOURCE_ATTRIBUTES: readonly PlacedAttribute[] = [
  ...CONSTANTS,
  ...attributesOn('resource'),
].sort(byOrder);

export const POINT_ATTRIBUTES: readonly PlacedAttribute[] = attributesOn('point').sort(byOrder);

export const INSTRUMENTS: readonly InstrumentSpec[] = EVENT_KEYS.flatMap((page) => {
  const field = FIELDS[page];
  if (field.on !== 'counter' && field.on !== 'histogram') return [];
  const { name, on: kind, unit, what: description, value, order } = field;
  const { max } = NUMBER_TYPES[value];
  return [{ name, kind, unit, page, description, value, max, order }];
}).sort(byOrder);

/**
 * Of so many slots a CI runner draws one. A job with a number needs fewer, because the number
 * already keeps its run apart from those of the other jobs of its build (collect/job-number.ts).
 */
export const CI_SLOTS = { numbered: 5, others: 10 } as const;

/** Hex, as {@link CI_SLOT_ATTRIBUTE} has it. */
export const slotName = (slot: number): string => slot.toString(16).padStart(2, '0');

/**
 * Only on the points of CI runs. Containers of one image share a machine id and have no common
 * spool, so two of them can record in the same millisecond; different slots keep their points apart
 * (docs/adr/0010-ci-slots.md). Two hex digits are accepted, because clients before November 2026
 * drew one of 256 slots.
 */
export const CI_SLOT_ATTRIBUTE = {
  key: 'lhp.ci.slot',
  type: 'string',
  page: '',
  what: 'Random; keeps apart CI containers that share a machine id',
  values: `\`00\` to \`${slotName(CI_SLOTS.others - 1)}\`; older clients: to \`ff\``,
  pattern: /^[0-9a-f]{2}$/,
  orOther: false,
} as const satisfies AttributeSpec;

export const foldSlot = (text: unknown): string =>
  typeof text === 'string' && CI_SLOT_ATTRIBUTE.pattern.test(text) ? text : '00';

/** Only on the points of {@link LOST_RUNS}. */
export const LOSS_REASON_ATTRIBUTE = {
  key: 'lhp.loss.reason',
  type: 'string',
  page: '',
  what: 'Why the run was given up',
  values: LOSS_REASONS.map((reason) => `\`${reason}\``).join(', '),
  pattern: new RegExp(`^(${LOSS_REASONS.join('|')})$`),
  orOther: false,
} as const satisfies AttributeSpec;

/** The name of a field in the request and what has this name, in Markdown. */
export function onTheWire(key: EventKey): string {
  const field = FIELDS[key];
  if (field.on === 'resource') return `\`${field.name}\`, resource attribute`;
  if (field.on === 'point') return `\`${field.name}\`, attribute of each point`;
  return `\`${field.name}\`, ${field.on} in \`${field.unit}\``;
}

/** Everything of a run that goes into a request. */
export interface Recording {
  resource: Record<string, AttributeValue>;
  attributes: Record<string, AttributeValue>;
  measurements: { instrument: InstrumentSpec; value: number }[];
}

/**
 * From an event to what may be recorded of it. Reads nothing but the fields of the contract and
 * folds each of them; what is missing becomes what a value that does not fit becomes.
 */
export function toRecording(event: Partial<Record<EventKey, unknown>>): Recording {
  const folded = (specs: readonly PlacedAttribute[]) =>
    Object.fromEntries(specs.map(({ key, page, fold }) => [key, fold(page && event[page])]));
  return {
    resource: folded(RESOURCE_ATTRIBUTES),
    attributes: folded(POINT_ATTRIBUTES),
    measurements: INSTRUMENTS.flatMap((instrument) => {
      const given = event[instrument.page];
      // The duration of a preview.
      if (instrument.value === 'seconds' && given === null) return [];
      const value = NUMBER_TYPES[instrument.value].fold(given);
      return value === null ? [] : [{ instrument, value }];
    }),
  };
}

/**
 * Whether an event has the types and ranges of the contract. The words of a text are not checked:
 * print them as untrusted text.
 */
export const isValidEvent = ({ event, ...fields }: Record<EventKey, unknown>): boolean =>
  event === 'lhp_generate' &&
  Object.entries(fields).every(([key, value]) => {
    const { type, fold } = VALUE_TYPES[FIELDS[key as EventKey].value];
    return type === 'string' ? typeof value === 'string' : fold(value) === value;
  });
