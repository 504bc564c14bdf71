// conforms.ts: whether the bytes of a file are a run as record.ts writes it, and nothing else. The
// state folder may have come from elsewhere (a restored CI cache, a synchronised home), so what is
// about to be sent or shown is held against the contract once more: it is built again from the
// values that the contract allows, and both must be the same.
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
} from '../contract/contract.ts';

type Values = Record<string, unknown>;
const DELTA = 1;
/** Of the package that recorded the run: another one than this, after an update. */
const PACKAGE_VERSION = /^\d{1,4}(\.\d{1,4}){2}(-[a-z]{1,5}\.\d{1,4})?$/;

/**
 * @param timestamp - milliseconds since the epoch, which the file's name says and its points must
 * carry.
 */
export function conforms(bytes: Buffer, timestamp: number): boolean {
  try {
    const text = bytes.toString('utf8');
    const request = JSON.parse(text);
    // A key that stands twice, or a byte that is no text, would be in the bytes and not in the
    // values.
    if (JSON.stringify(request) !== text || !Buffer.from(text).equals(bytes)) return false;
    return isDeepStrictEqual(request, rebuild(request, timestamp));
  } catch {
    return false; // something that a recorded run has is not there
  }
}

interface Request {
  resourceMetrics: [
    { resource: Values; scopeMetrics: [{ scope: { version: unknown }; metrics: Values[] }] },
  ];
}

function rebuild({ resourceMetrics: [{ resource, scopeMetrics }] }: Request, timestamp: number) {
  const [{ scope, metrics }] = scopeMetrics;
  const ci = (resource.attributes as Attribute[]).some(
    ({ key, value }) => key === 'lhp.ci' && value.boolValue,
  );
  const times = { timestamp, slot: ci ? [CI_SLOT_ATTRIBUTE] : [] };
  const names = metrics.map(({ name }) => name);
  if (new Set(names).size !== names.length || !names.includes('lhp.generate.runs'))
    return undefined;
  const version = PACKAGE_VERSION.exec(String(scope.version))?.[0];
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
            metrics: metrics.map((metric) => rebuildMetric(metric, times)),
          },
        ],
      },
    ],
  };
}

interface Times {
  timestamp: number;
  slot: readonly AttributeSpec[];
}

function rebuildMetric(metric: Values, times: Times) {
  const lost = metric.name === LOST_RUNS.name;
  const spec = lost ? LOST_RUNS : INSTRUMENTS.find(({ name }) => name === metric.name);
  if (!spec) return undefined;
  const { name, description, unit, kind } = spec;
  if (kind === 'histogram') {
    const point = onlyPoint(metric.exponentialHistogram);
    const histogram = {
      aggregationTemporality: DELTA,
      dataPoints: [histogramPoint(point, spec.max, unit, times)],
    };
    return { name, description, unit, exponentialHistogram: histogram };
  }
  const points = lost ? pointsOf(metric.sum) : [onlyPoint(metric.sum)];
  const dataPoints = points.map((point) => ({
    attributes: attributes(point, [
      ...(lost ? [LOSS_REASON_ATTRIBUTE] : POINT_ATTRIBUTES),
      ...times.slot,
    ]),
    ...timesOf(point, times.timestamp),
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

function histogramPoint(point: Values, max: number, unit: string, times: Times) {
  const { offset } = point.positive as { offset?: unknown };
  const sum = unit === 's' ? between(point.sum, 0, max) : whole(point.sum, 0, max);
  return {
    attributes: attributes(point, [...POINT_ATTRIBUTES, ...times.slot]),
    ...timesOf(point, times.timestamp),
    count: 1,
    sum,
    // One value: it is 0, or in the one bucket.
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

/** Each of `specs` once, in the order of the request. */
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
