// gateway-rules.ts: the contract as the gateway's processors. Every rule drops what the contract
// does not name, in one filter processor a reason, so that the collector's own metrics count what
// was dropped and why. scripts/generate.ts writes the result into otel-collector.yaml; nothing is
// decided there a second time.
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
} from '../../src/contract/contract.ts';
import { FIELDS } from '../../src/contract/fields.ts';
import { ATTRIBUTE_TYPES } from '../../src/contract/values.ts';
import { GIVE_BACK, RUN_PROCESSORS, runRules } from './gateway-run-rules.ts';

/** Prometheus takes one day more (prometheus.yml). */
const OLDEST = `${GATEWAY_AGE_HOURS}h`;
const AHEAD = `${GATEWAY_AHEAD_MINUTES}m`;
const NANOS_PER_MS = 1_000_000;
/**
 * The SDK's scale for a histogram with a single value; 0 when that is zero (metrics SDK,
 * exponential histogram aggregation).
 */
const SCALE = 20;
/** Buckets of scale 20 a unit of the natural logarithm: 2^20 / ln 2. */
const BUCKETS_PER_LOG = 2 ** SCALE / Math.LN2;
/** What rounding in the two logarithms can make of a bucket's index. */
const INDEX_TOLERANCE = 2;

const ID = /\.id$/;

interface Rule {
  /** The processor is `filter/<reason>`. */
  reason: string;
  why: string;
  context: 'resource' | 'scope' | 'metric' | 'datapoint';
  /** OTTL; any of them drops. */
  conditions: string[];
}

/**
 * A pattern in the words that Go's RE2 and YAML need: no backslash, and `$$` for the collector's
 * `$`.
 */
function re(pattern: RegExp, orOther: boolean): string {
  const source = pattern.source.replaceAll('\\d', '[0-9]').replaceAll('\\.', '[.]');
  if (source.includes('\\'))
    throw new Error(`a pattern that RE2 in YAML cannot have: ${pattern.source}`);
  return `"${(orOther ? `^${OTHER}$|${source}` : source).replaceAll('$', '$$$$')}"`;
}

function misfit(
  owner: 'resource' | 'datapoint',
  { key, type, pattern, orOther }: AttributeSpec,
): string {
  const path = `${owner}.attributes["${key}"]`;
  if (type === 'boolean' || pattern === undefined) return `not IsBool(${path})`;
  return `not IsString(${path}) or not IsMatch(${path}, ${re(pattern, orOther)})`;
}

const isLost = `metric.name == "${LOST_RUNS.name}"`;
const isRuns = `metric.name == "${FIELDS.event.name}"`;
const isCi = '(resource.attributes["lhp.ci"] == true)';
const isHistogram = 'metric.type == METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM';
const instruments = [...INSTRUMENTS, LOST_RUNS];
const index = `(Log(datapoint.sum) * ${BUCKETS_PER_LOG})`;

const RULES: Rule[] = [
  {
    reason: 'resource',
    why: 'a resource that is not lhp, or has an attribute too many, too few or of another kind',
    context: 'resource',
    conditions: [
      `Len(resource.attributes) != ${RESOURCE_ATTRIBUTES.length} or resource.dropped_attributes_count != 0 or resource.schema_url != ""`,
      ...RESOURCE_ATTRIBUTES.filter(({ key }) => !ID.test(key)).map((spec) =>
        misfit('resource', spec),
      ),
    ],
  },
  {
    reason: 'id',
    why: 'an id that is not 64 hex digits',
    context: 'resource',
    conditions: RESOURCE_ATTRIBUTES.filter(({ key }) => ID.test(key)).map((spec) =>
      misfit('resource', spec),
    ),
  },
  {
    reason: 'scope',
    why: 'a scope that is not this package',
    context: 'scope',
    conditions: [
      `scope.name != "${SCOPE_NAME}"`,
      `not IsMatch(scope.version, ${re(ATTRIBUTE_TYPES.version.pattern, false)})`,
      'Len(scope.attributes) != 0 or scope.dropped_attributes_count != 0 or scope.schema_url != ""',
    ],
  },
  {
    reason: 'metric',
    why: 'a metric whose name, unit, type or temporality is not in the contract, or that has metadata',
    context: 'metric',
    conditions: [
      `not (${instruments
        .map(({ name, unit, kind }) => {
          const type =
            kind === 'counter' ? 'SUM and metric.is_monotonic == true' : 'EXPONENTIAL_HISTOGRAM';
          return `(metric.name == "${name}" and metric.unit == "${unit}" and metric.type == METRIC_DATA_TYPE_${type})`;
        })
        .join(' or ')})`,
      'metric.aggregation_temporality != AGGREGATION_TEMPORALITY_DELTA',
      'Len(metric.metadata) != 0',
    ],
  },
  {
    reason: 'attributes',
    why: 'a point with an attribute too many, too few or of another kind, with exemplars or with flags',
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
    why: 'a number that cannot be true, or a histogram of anything but one value in its own bucket',
    context: 'datapoint',
    conditions: [
      `${isRuns} and datapoint.value_int != 1`,
      `${isLost} and (datapoint.value_int < 1 or datapoint.value_int > ${LOST_RUNS.max})`,
      `${isHistogram} and (datapoint.count != 1 or datapoint.sum < 0 or Len(datapoint.negative.bucket_counts) != 0 or datapoint.negative.offset != 0)`,
      ...INSTRUMENTS.filter(({ kind }) => kind === 'histogram').map(
        ({ name, max }) =>
          `metric.name == "${name}" and not (datapoint.sum >= 0 and datapoint.sum <= ${max})`,
      ),
      ...INSTRUMENTS.filter(({ kind, unit }) => kind === 'histogram' && unit !== 's').map(
        ({ name }) => `metric.name == "${name}" and datapoint.sum != Double(Int(datapoint.sum))`,
      ),
      `${isHistogram} and datapoint.sum == 0 and (datapoint.scale != 0 or datapoint.zero_count != 1 or Len(datapoint.positive.bucket_counts) != 0 or datapoint.positive.offset != 0)`,
      `${isHistogram} and datapoint.sum > 0 and (datapoint.scale != ${SCALE} or datapoint.zero_count != 0 or not ContainsValue(datapoint.positive.bucket_counts, 1) or Len(datapoint.positive.bucket_counts) != 1)`,
      `${isHistogram} and datapoint.sum > 0 and (Double(datapoint.positive.offset) > ${index} + ${INDEX_TOLERANCE} or Double(datapoint.positive.offset) < ${index} - ${INDEX_TOLERANCE})`,
    ],
  },
  {
    reason: 'time',
    why:
      'a point that the backend would refuse, and its whole request with it: from the future, or too old;\n' +
      '  # and a time that is no whole millisecond',
    context: 'datapoint',
    conditions: [
      `datapoint.time > Now() + Duration("${AHEAD}")`,
      `datapoint.time < Now() - Duration("${OLDEST}")`,
      `datapoint.start_time > datapoint.time or datapoint.start_time < datapoint.time - Duration("${OLDEST}")`,
      ...['time_unix_nano', 'start_time_unix_nano'].map(
        (time) => `datapoint.${time} != (datapoint.${time} / ${NANOS_PER_MS}) * ${NANOS_PER_MS}`,
      ),
    ],
  },
];

/** The processors, in the order of the pipeline. */
export const RULE_PROCESSORS: readonly string[] = [
  ...RULES.map(({ reason }) => `filter/${reason}`),
  ...RUN_PROCESSORS,
  'transform/contract',
];

/** The processors' part of otel-collector.yaml, indented by two. */
export function gatewayRules(): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const filters = RULES.map(
    ({ reason, why, context, conditions }) => `  # ${why}
  filter/${reason}:
    error_mode: propagate
    metric_conditions:
      - context: ${context}
        conditions:
${conditions.map((condition) => `          - ${quoted(condition)}`).join('\n')}
`,
  );
  return `${filters.join('')}${runRules()}  # attributes are built anew, from their keys and values alone; the descriptions that leave are the contract's own
  transform/contract:
    error_mode: propagate
    metric_statements:
      - context: datapoint
        statements:
${GIVE_BACK.map((statement) => `          - ${quoted(statement)}`).join('\n')}
      - context: resource
        statements: ['flatten(resource.attributes)']
      - context: datapoint
        statements: ['flatten(datapoint.attributes)']
      - context: metric
        statements:
${instruments.map(({ name, description }) => `          - ${quoted(`set(metric.description, "${description}") where metric.name == "${name}"`)}`).join('\n')}
`;
}
