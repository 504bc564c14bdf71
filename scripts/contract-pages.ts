// contract-pages.ts: the contract as documentation and as types: docs/metrics.md, the generated
// parts of docs/privacy.md, and src/contract/event.ts. Called by generate.ts.
import {
  type AttributeSpec,
  CI_SLOT_ATTRIBUTE,
  EVENT_KEYS,
  type EventKey,
  exampleEvent,
  HOST_KEYS,
  INSTRUMENTS,
  LOSS_REASON_ATTRIBUTE,
  LOSSES,
  LOST_RUNS,
  onTheWire,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
  SCOPE_NAME,
} from '../src/contract/contract.ts';
import { FIELDS } from '../src/contract/fields.ts';
import { NUMBER_TYPES, OTHER, VALUE_TYPES } from '../src/contract/values.ts';
import { code, table } from './markdown.ts';

const upper = (letter: string) => letter.toUpperCase();

const number = (value: number) => value.toLocaleString('en-US');

/** What a number can be, in words. */
function range(value: keyof typeof NUMBER_TYPES): string {
  const { max, unknown } = NUMBER_TYPES[value];
  return value === 'run' ? '1' : `0 to ${number(max)}${unknown ? ', or unknown' : ''}`;
}

const values = ({ values: words, orOther }: Pick<AttributeSpec, 'values' | 'orOther'>) =>
  `${words}${orOther ? `, or ${code(OTHER)}` : ''}`;

const instruments = () =>
  table(
    ['name', 'kind', 'unit', 'what it is', 'range', 'page field'],
    [
      ...INSTRUMENTS.map(({ name, kind, unit, description, page, value }) => [
        code(name),
        kind,
        code(unit),
        description,
        range(value),
        code(page),
      ]),
      [
        code(LOST_RUNS.name),
        LOST_RUNS.kind,
        code(LOST_RUNS.unit),
        LOST_RUNS.description,
        `1 to ${number(LOST_RUNS.max)}; only if there were any`,
        '',
      ],
    ],
  );

const attributes = (specs: readonly AttributeSpec[]) =>
  table(
    ['attribute', 'type', 'values', 'what it is', 'page field'],
    specs.map((spec) => [code(spec.key), spec.type, values(spec), spec.what, code(spec.page)]),
  );

/** docs/metrics.md. */
export const metricsPage =
  (): string => `<!-- Made from src/contract/fields.ts by \`npm run generate\`; do not edit. -->

# Metrics

Each successful \`lhp generate\` is recorded as one OTLP request
(\`ExportMetricsServiceRequest\`) with the metrics below. Each metric has one data point, but
\`${LOST_RUNS.name}\` has one for each reason. Nothing else is recorded: no exemplars, no attributes
of the host, the process or the SDK, and no text but the values listed here.

- **Scope:** \`${SCOPE_NAME}\`, with the version of the package.
- **Temporality:** delta. Histograms are base-2 exponential histograms of one value, without
  minimum and maximum.
- **Timestamps:** the time of a point is a millisecond that no other run of the machine has: the one
  in which the run is recorded or, in a CI job with a number, one of the second before, whose last
  three digits are made from that number ([why](adr/0010-ci-slots.md)). Its start time is the start
  of the run.
- **Values that do not fit:** a text becomes \`${OTHER}\`, a count is left out, and a duration
  becomes the nearest one in its range.
- **Unknown counts:** a count that is not certain is left out. The run is recorded without it, and
  \`lhp-otel show\` prints \`null\`.

## Instruments

${instruments()}

## Data point attributes

On every point but those of \`${LOST_RUNS.name}\`:

${attributes(POINT_ATTRIBUTES)}

On the points of \`${LOST_RUNS.name}\`:

${attributes([LOSS_REASON_ATTRIBUTE])}

Why a run is given up:

${Object.entries(LOSSES)
  .map(([reason, why]) => `- \`${reason}\`: ${why}`)
  .join('\n')}

On every point of a run in CI (\`lhp.ci\` is \`true\`), and on no other:

${attributes([CI_SLOT_ATTRIBUTE])}

## Resource attributes

${attributes(RESOURCE_ATTRIBUTES)}

## The event

\`lhp-otel show\` prints each run as a JSON object in the form of the telemetry page, with these
keys in this order:
${EVENT_KEYS.map(code).join(', ')}.
It reads the values from the recorded request, and rounds \`generation_time_seconds\` to 2 decimals.
`;

/** The table of fields in docs/privacy.md. */
export const fieldTable = (): string =>
  table(
    ['page', 'field', 'what it is', 'how it is found', 'why', 'in the request'],
    EVENT_KEYS.map((key) => {
      const { page, what, how, why } = FIELDS[key];
      return [page, code(key), what, how, why, onTheWire(key)];
    }),
  );

/** The example in docs/privacy.md, with shortened digests. */
export function eventExample(): string {
  const json = JSON.stringify(exampleEvent(), null, 2);
  return `\`\`\`json\n${json.replace(/"([0-9a-f]{8})[0-9a-f]{56}"/g, '"$1…"')}\n\`\`\``;
}

function property(key: EventKey): string {
  const { what, value } = FIELDS[key];
  const spec = VALUE_TYPES[value];
  const type = value === 'run' ? "'lhp_generate'" : spec.type;
  if (spec.type === 'boolean') return `  /** ${what}. */\n  ${key}: ${type};`;
  const words = (spec.type === 'number' ? spec.words : values(spec)).replace(/^[a-z]/, upper);
  const orNull = spec.type === 'number' && spec.unknown ? ' | null' : '';
  return `  /**\n   * ${what}.\n   *\n   * ${words}.\n   */\n  ${key}: ${type}${orNull};`;
}

/** src/contract/event.ts: a file of its own, so that the library's declarations are readable. */
export const eventTypes = (): string => `\
// event.ts: made from fields.ts by \`npm run generate\`; do not edit. The event as a type
// with a comment for each field, for the users of the library. If this file is not up to date,
// contract.ts does not compile.

/**
 * One recorded run in the form of the telemetry page of Lakehouse Plumber, as \`lhp-otel show\`
 * prints it. docs/privacy.md says how each field is found and why it is collected.
 */
export interface GenerateEvent {
${EVENT_KEYS.map(property).join('\n')}
}

/** The fields that a host of the library can state. */
export type HostKey =
${HOST_KEYS.map((key) => `  | '${key}'`).join('\n')};
`;
