// gateway-rules.ts: the contract as processors of the gateway. Each rule is a filter processor that
// drops whatever the contract does not define. There is one processor per reason, so that the
// collector's own metrics count what was dropped and why. Names, types and ranges come from
// src/contract; the conditions are defined here and in gateway-run-rules.ts. files.ts writes the
// result into otel-collector.yaml.
import {
  type AttributeSpec,
  CI_SLOT_ATTRIBUTE,
  GATEWAY_AGE_HOURS,
  GATEWAY_AHEAD_MINUTES,
  INSTRUMENTS,
  LOSS_REASON_ATTRIBUTE,
  LOST_RUNS,
  OTHER,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
  SCOPE_NAME,
  SCOPE_VERSION,
} from '../../src/contract/contract.ts';
import { GIVE_BACK, RUN_PROCESSORS, runRules } from './gateway-run-rules.ts';
import { VALUE_CONDITIONS } from './gateway-value-rules.ts';
import { comment, listItem } from './text.ts';

/** Prometheus accepts one day more (out_of_order_time_window in prometheus.yml). */
const OLDEST = `${GATEWAY_AGE_HOURS}h`;
const AHEAD = `${GATEWAY_AHEAD_MINUTES}m`;
const NANOS_PER_MS = 1_000_000;
const ID = /\.id$/;

interface Rule {
  /** Name of the processor: `filter/<reason>`. */
  reason: string;
  /** Comment above the processor in otel-collector.yaml. */
  drops: string;
  context: 'resource' | 'scope' | 'metric' | 'datapoint';
  /** OTTL conditions. One that is true is enough to drop. */
  conditions: string[];
}

/**
 * A regular expression as an OTTL string. Backslashes would have to be escaped in YAML and in OTTL,
 * so character classes replace them. The collector expands `$`, so it is written as `$$`.
 *
 * @throws Error if the pattern needs a backslash.
 */
function re(pattern: RegExp, orOther: boolean): string {
  const source = pattern.source.replaceAll('\\d', '[0-9]').replaceAll('\\.', '[.]');
  if (source.includes('\\'))
    throw new Error(`cannot be written without a backslash: ${pattern.source}`);
  return `"${(orOther ? `^${OTHER}$|${source}` : source).replaceAll('$', '$$$$')}"`;
}

function misfit(
  owner: 'resource' | 'datapoint',
  { key, type, pattern, orOther }: AttributeSpec,
): string {
  const path = `${owner}.attributes["${key}"]`;
  if (type === 'boolean' || pattern === undefined) return `not IsBool(${path})`;
  const allowed = re(pattern, orOther);
  return `not IsString(${path}) or not IsMatch(${path}, ${allowed})`;
}

const any = (...conditions: string[]) => conditions.join(' or ');
const isLost = `metric.name == "${LOST_RUNS.name}"`;
const isCi = '(resource.attributes["lhp.ci"] == true)';
const instruments = [...INSTRUMENTS, LOST_RUNS];
const RULES: Rule[] = [
  {
    reason: 'resource',
    drops:
      'Drops a resource without exactly the attributes of the contract, each with a valid value.',
    context: 'resource',
    conditions: [
      any(
        `Len(resource.attributes) != ${RESOURCE_ATTRIBUTES.length}`,
        'resource.dropped_attributes_count != 0',
        'resource.schema_url != ""',
      ),
      ...RESOURCE_ATTRIBUTES.filter(({ key }) => !ID.test(key)).map((spec) =>
        misfit('resource', spec),
      ),
    ],
  },
  {
    reason: 'id',
    drops: 'Drops a resource whose ids are not 64 hexadecimal digits.',
    context: 'resource',
    conditions: RESOURCE_ATTRIBUTES.filter(({ key }) => ID.test(key)).map((spec) =>
      misfit('resource', spec),
    ),
  },
  {
    reason: 'scope',
    drops: 'Drops a scope that is not this package.',
    context: 'scope',
    conditions: [
      `scope.name != "${SCOPE_NAME}"`,
      `not IsMatch(scope.version, ${re(SCOPE_VERSION, false)})`,
      'Len(scope.attributes) != 0 or scope.dropped_attributes_count != 0 or scope.schema_url != ""',
    ],
  },
  {
    reason: 'metric',
    drops:
      'Drops a metric whose name, unit, type or temporality is not in the contract, ' +
      'or that has metadata.',
    context: 'metric',
    conditions: [
      `not (${instruments
        .map(({ name, unit, kind }) => {
          const type =
            kind === 'counter' ? 'SUM and metric.is_monotonic == true' : 'EXPONENTIAL_HISTOGRAM';
          const named = `metric.name == "${name}" and metric.unit == "${unit}"`;
          return `(${named} and metric.type == METRIC_DATA_TYPE_${type})`;
        })
        .join(' or ')})`,
      'metric.aggregation_temporality != AGGREGATION_TEMPORALITY_DELTA',
      'Len(metric.metadata) != 0',
    ],
  },
  {
    reason: 'attributes',
    drops:
      'Drops a point without exactly the attributes of the contract, or with exemplars or flags.',
    context: 'datapoint',
    conditions: [
      `not (${isLost}) and Len(datapoint.attributes) != ${POINT_ATTRIBUTES.length} and not ${isCi}`,
      `not (${isLost}) and Len(datapoint.attributes) != ${POINT_ATTRIBUTES.length + 1} and ${isCi}`,
      `${isCi} and (${misfit('datapoint', CI_SLOT_ATTRIBUTE)})`,
      ...POINT_ATTRIBUTES.map((spec) => `not (${isLost}) and (${misfit('datapoint', spec)})`),
      `${isLost} and (${misfit('datapoint', LOSS_REASON_ATTRIBUTE)})`,
      `${isLost} and Len(datapoint.attributes) != 1 and not ${isCi}`,
      `${isLost} and Len(datapoint.attributes) != 2 and ${isCi}`,
      'Len(datapoint.exemplars) != 0 or datapoint.flags != 0',
    ],
  },
  {
    reason: 'value',
    drops:
      'Drops a number outside its range, and a histogram other than one value in the right bucket.',
    context: 'datapoint',
    conditions: VALUE_CONDITIONS,
  },
  {
    reason: 'time',
    drops:
      'Drops a point whose time is in the future or too old, because the backend would refuse ' +
      'the whole request for it. Also drops a time that is not a whole millisecond.',
    context: 'datapoint',
    conditions: [
      `datapoint.time > Now() + Duration("${AHEAD}")`,
      `datapoint.time < Now() - Duration("${OLDEST}")`,
      any(
        'datapoint.start_time > datapoint.time',
        `datapoint.start_time < datapoint.time - Duration("${OLDEST}")`,
      ),
      ...['time_unix_nano', 'start_time_unix_nano'].map(
        (time) => `datapoint.${time} != (datapoint.${time} / ${NANOS_PER_MS}) * ${NANOS_PER_MS}`,
      ),
    ],
  },
];

/** The processors in pipeline order. */
export const RULE_PROCESSORS: readonly string[] = [
  ...RULES.map(({ reason }) => `filter/${reason}`),
  ...RUN_PROCESSORS,
  'transform/contract',
];

const REBUILDS =
  'Rebuilds all attributes from their keys and values alone, and replaces descriptions with ' +
  'those of the contract.';
const items = (lines: readonly string[]) => lines.map((line) => listItem(line, 10)).join('');

/** The definitions of these processors for otel-collector.yaml, indented by two. */
export function gatewayRules(): string {
  const filters = RULES.map(
    ({ reason, drops, context, conditions }) => `${comment([drops], 2)}  filter/${reason}:
    error_mode: propagate
    metric_conditions:
      - context: ${context}
        conditions:
${items(conditions)}`,
  );
  const descriptions = instruments.map(
    ({ name, description }) =>
      `set(metric.description, "${description}") where metric.name == "${name}"`,
  );
  return `${filters.join('')}${runRules()}\
${comment([REBUILDS], 2)}\
  transform/contract:
    error_mode: propagate
    metric_statements:
      - context: datapoint
        statements:
${items(GIVE_BACK)}\
      - context: resource
        statements: ['flatten(resource.attributes)']
      - context: datapoint
        statements: ['flatten(datapoint.attributes)']
      - context: metric
        statements:
${items(descriptions)}`;
}
