// gateway-value-rules.ts: the conditions of filter/value: each number is in its range, and each
// histogram is what the SDK makes of a single value. A histogram with another bucket would change
// the quantiles of everybody.
import { INSTRUMENTS, LOST_RUNS } from '../../src/contract/contract.ts';
import { FIELDS } from '../../src/contract/fields.ts';

/**
 * The scale that the metrics SDK uses for an exponential histogram with a single value. The scale
 * of a histogram whose value is zero is 0.
 */
const SCALE = 20;
/** Number of buckets at scale 20 per unit of the natural logarithm: 2^20 / ln 2. */
const BUCKETS_PER_LOG = 2 ** SCALE / Math.LN2;
/** How far a bucket's index may be off: client and gateway both round their logarithms. */
const INDEX_TOLERANCE = 2;

const isLost = `metric.name == "${LOST_RUNS.name}"`;
const isRuns = `metric.name == "${FIELDS.event.name}"`;
const isHistogram = 'metric.type == METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM';
const index = `(Log(datapoint.sum) * ${BUCKETS_PER_LOG})`;

/** Histograms for which one of these is true; `when` limits it to some values. */
const badHistogram = (when: string | undefined, ...conditions: string[]) =>
  [isHistogram, ...(when ? [when] : []), `(${conditions.join(' or ')})`].join(' and ');

/** OTTL conditions on data points. One that is true is enough to drop the point. */
export const VALUE_CONDITIONS: string[] = [
  `${isRuns} and datapoint.value_int != 1`,
  `${isLost} and (datapoint.value_int < 1 or datapoint.value_int > ${LOST_RUNS.max})`,
  badHistogram(
    undefined,
    'datapoint.count != 1',
    'datapoint.sum < 0',
    'Len(datapoint.negative.bucket_counts) != 0',
    'datapoint.negative.offset != 0',
  ),
  ...INSTRUMENTS.filter(({ kind }) => kind === 'histogram').map(
    ({ name, max }) =>
      `metric.name == "${name}" and not (datapoint.sum >= 0 and datapoint.sum <= ${max})`,
  ),
  ...INSTRUMENTS.filter(({ kind, unit }) => kind === 'histogram' && unit !== 's').map(
    ({ name }) => `metric.name == "${name}" and datapoint.sum != Double(Int(datapoint.sum))`,
  ),
  badHistogram(
    'datapoint.sum == 0',
    'datapoint.scale != 0',
    'datapoint.zero_count != 1',
    'Len(datapoint.positive.bucket_counts) != 0',
    'datapoint.positive.offset != 0',
  ),
  badHistogram(
    'datapoint.sum > 0',
    `datapoint.scale != ${SCALE}`,
    'datapoint.zero_count != 0',
    'not ContainsValue(datapoint.positive.bucket_counts, 1)',
    'Len(datapoint.positive.bucket_counts) != 1',
  ),
  badHistogram(
    'datapoint.sum > 0',
    `Double(datapoint.positive.offset) > ${index} + ${INDEX_TOLERANCE}`,
    `Double(datapoint.positive.offset) < ${index} - ${INDEX_TOLERANCE}`,
  ),
];
