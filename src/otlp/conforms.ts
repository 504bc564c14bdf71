// conforms.ts: whether the bytes of a file are exactly what encode.ts writes. The state folder may
// have been filled by somebody else (a restored CI cache, a synchronized home folder), so each file
// is checked before it is sent or shown: its request is built again from the values that the
// contract allows, and both must be equal.
import { isDeepStrictEqual } from 'node:util';
import {
  type AttributeSpec,
  CI_SLOT_ATTRIBUTE,
  INSTRUMENTS,
  LOSS_REASON_ATTRIBUTE,
  LOST_RUNS,
  OTHER,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
  SCOPE_NAME,
  SCOPE_VERSION,
} from '../contract/contract.ts';

type Values = Record<string, unknown>;
const DELTA = 1;

/**
 * @param bytes - the file.
 * @param timestamp - the time that the file's name says and its points must have, in milliseconds
 *   since the epoch.
 */
export function conforms(bytes: Buffer, timestamp: number): boolean {
  try {
    const text = bytes.toString('utf8');
    const request = JSON.parse(text);
    // The parser drops a repeated key, white space and bytes that are not UTF-8, so the comparison
    // of values below would not see them.
    if (JSON.stringify(request) !== text || !Buffer.from(text).equals(bytes)) return false;
    return isDeepStrictEqual(request, rebuild(request, timestamp));
  } catch {
    return false; // not JSON, or a part that each request has is missing
  }
}

/** The parts that are read without a check: a request without them throws. */
interface Request {
  resourceMetrics: [
    { resource: Values; scopeMetrics: [{ scope: { version: unknown }; metrics: Values[] }] },
  ];
}

/** The request as it would have been recorded; a value that is not allowed is `undefined` in it. */
function rebuild({ resourceMetrics: [{ resource, scopeMetrics }] }: Request, timestamp: number) {
  const [{ scope, metrics }] = scopeMetrics;
  const ci = (resource.attributes as Attribute[]).some(
    ({ key, value }) => key === 'lhp.ci' && value.boolValue,
  );
  const common = { timestamp, slot: ci ? [CI_SLOT_ATTRIBUTE] : [] };
  const names = metrics.map(({ name }) => name);
  if (new Set(names).size !== names.length || !names.includes('lhp.generate.runs'))
    return undefined;
  // The version that recorded the run, which may be another than this one.
  const version = SCOPE_VERSION.exec(String(scope.version))?.[0];
  return {
    resourceMetrics: [
      {
        resource: {
          attributes: attributes(resource, RESOURCE_ATTRIBUTES),
          droppedAttributesCount: 0,
        },
        scopeMetrics: [
          {
            scope: { name: SCOPE_NAME, version },
            metrics: metrics.map((metric) => rebuildMetric(metric, common)),
          },
        ],
      },
    ],
  };
}

/** What all points of one request have in common. */
interface Common {
  timestamp: number;
  /** The attribute of CI runs, or none. */
  slot: readonly AttributeSpec[];
}

function rebuildMetric(metric: Values, common: Common) {
  const lost = metric.name === LOST_RUNS.name;
  const spec = lost ? LOST_RUNS : INSTRUMENTS.find(({ name }) => name === metric.name);
  if (!spec) return undefined;
  const { name, description, unit, kind } = spec;
  if (kind === 'histogram') {
    const point = onlyPoint(metric.exponentialHistogram);
    const histogram = {
      aggregationTemporality: DELTA,
      dataPoints: [histogramPoint(point, spec.max, unit, common)],
    };
    return { name, description, unit, exponentialHistogram: histogram };
  }
  const points = lost ? pointsOf(metric.sum) : [onlyPoint(metric.sum)];
  const dataPoints = points.map((point) => ({
    attributes: attributes(point, [
      ...(lost ? [LOSS_REASON_ATTRIBUTE] : POINT_ATTRIBUTES),
      ...common.slot,
    ]),
    ...timesOf(point, common.timestamp),
    asInt: whole(point.asInt, 1, lost ? LOST_RUNS.max : 1),
  }));
  const reasons = new Set(points.map((point) => JSON.stringify(point.attributes)));
  if (reasons.size !== points.length || points.length === 0) return undefined;
  return {
    name,
    description,
    unit,
    sum: { aggregationTemporality: DELTA, isMonotonic: true, dataPoints },
  };
}

function histogramPoint(point: Values, max: number, unit: string, common: Common) {
  const { offset } = point.positive as { offset?: unknown };
  const sum = unit === 's' ? between(point.sum, 0, max) : whole(point.sum, 0, max);
  return {
    attributes: attributes(point, [...POINT_ATTRIBUTES, ...common.slot]),
    ...timesOf(point, common.timestamp),
    count: 1,
    sum,
    // The histogram has one value, which is 0 or in the only bucket.
    positive: { offset: whole(offset, -(2 ** 31), 2 ** 31), bucketCounts: sum === 0 ? [] : [1] },
    negative: { offset: 0, bucketCounts: [] },
    scale: whole(point.scale, -10, 20),
    zeroCount: sum === 0 ? 1 : 0,
  };
}

function timesOf(point: Values, timestamp: number) {
  const start = /^(\d{1,13})000000$/.exec(String(point.startTimeUnixNano));
  return {
    startTimeUnixNano: start && Number(start[1]) <= timestamp ? start[0] : undefined,
    timeUnixNano: `${timestamp}000000`,
  };
}

interface Attribute {
  key: string;
  value: { stringValue?: unknown; boolValue?: unknown };
}

/** The attributes of `of`, in their order, if they are exactly those of `specs`. */
function attributes(of: Values, specs: readonly AttributeSpec[]) {
  const given = of.attributes as Attribute[];
  const keys = given.map(({ key }) => key);
  if (keys.length !== specs.length || new Set(keys).size !== keys.length) return undefined;
  return given.map(({ key, value }) => {
    const spec = specs.find((each) => each.key === key);
    if (spec?.type === 'boolean') return { key, value: { boolValue: value.boolValue === true } };
    const text = String(value.stringValue);
    return {
      key: spec?.key,
      value: { stringValue: spec && allows(spec, text) ? text : undefined },
    };
  });
}

const allows = (spec: AttributeSpec, text: string): boolean =>
  !!spec.pattern?.test(text) || (spec.page !== '' && text === OTHER);

function onlyPoint(data: unknown): Values {
  const [point, ...more] = pointsOf(data);
  if (!point || more.length > 0) throw new Error('not one point');
  return point;
}

const pointsOf = (data: unknown): Values[] => (data as { dataPoints: Values[] }).dataPoints;

const between = (value: unknown, min: number, max: number) =>
  typeof value === 'number' && value >= min && value <= max ? value : undefined;
const whole = (value: unknown, min: number, max: number) =>
  Number.isInteger(value) ? between(value, min, max) : undefined;
