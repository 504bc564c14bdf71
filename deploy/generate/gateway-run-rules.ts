// gateway-run-rules.ts: one request is one run. OTTL sees one point with its metric, scope and
// resource, and remembers nothing from one resource to the next. So the resources of a request are
// made one first: each point takes its resource with it (transform/gather), the empty resources
// that are left are merged (groupbyattrs), and then the attributes of the merged one are the place
// where points leave word for the points after them (transform/run). filter/run reads it, and
// transform/contract puts the resource back.
import {
  CI_SLOT_ATTRIBUTE,
  LOSS_REASON_ATTRIBUTE,
  LOST_RUNS,
  POINT_ATTRIBUTES,
} from '../../src/contract/contract.ts';
import { FIELDS } from '../../src/contract/fields.ts';

/**
 * The processors in the order of the pipeline; `groupbyattrs` is written by hand, it has no
 * settings.
 */
export const RUN_PROCESSORS = ['transform/gather', 'groupbyattrs', 'transform/run', 'filter/run'];

const RUNS = FIELDS.event.name;
const ofPoint = 'datapoint.attributes["resource"]';
const kept = (key: string) => `resource.attributes["${key}"]`;
const isRuns = `metric.name == "${RUNS}"`;
const isLost = `metric.name == "${LOST_RUNS.name}"`;
const reason = `datapoint.attributes["${LOSS_REASON_ATTRIBUTE.key}"]`;

/** transform/gather: by point. */
const GATHER = [`set(${ofPoint}, resource.attributes)`];
const EMPTY = ['delete_matching_keys(resource.attributes, ".*")'];

/**
 * transform/run: by point. `several` is more than one resource or scope, `twice` more than one
 * point of a metric (of a reason).
 */
const REMEMBER = [
  `set(${kept('resource')}, ${ofPoint}) where ${kept('resource')} == nil`,
  `set(${kept('several')}, true) where ${kept('resource')} != ${ofPoint}`,
  `set(${kept('scope')}, scope.version) where ${kept('scope')} == nil`,
  `set(${kept('several')}, true) where ${kept('scope')} != scope.version`,
  `set(${kept('twice')}, true) where not (${isLost}) and resource.attributes[metric.name] != nil`,
  `set(${kept('twice')}, true) where ${isLost} and resource.attributes[${reason}] != nil`,
  `set(resource.attributes[metric.name], datapoint.sum) where metric.type == METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM`,
  `set(resource.attributes[${reason}], true) where ${isLost}`,
  `set(resource.attributes[metric.name], datapoint.attributes) where ${isRuns}`,
  `set(${kept('time')}, datapoint.time_unix_nano) where ${isRuns}`,
  `set(${kept('start')}, datapoint.start_time_unix_nano) where ${isRuns}`,
];

/**
 * A count of things that are among those of another count: it is no larger, and both are zero or
 * none is.
 */
const FLOWGROUPS = FIELDS.flowgroups_count.name;
const USING = FIELDS.flowgroups_using_templates.name;
const TEMPLATES = FIELDS.templates_count.name;

const asInRun = (key: string) =>
  `datapoint.attributes["${key}"] != resource.attributes["${RUNS}"]["${key}"]`;

/** filter/run: the whole run. */
const NO_RUN = [`${kept('several')} == true or ${kept('twice')} == true`, `${kept(RUNS)} == nil`];
/** filter/run: a point that is not of the run that it came with. */
const NOT_ITS_POINT = [
  `datapoint.time_unix_nano != ${kept('time')} or datapoint.start_time_unix_nano != ${kept('start')}`,
  `not (${isLost}) and (${POINT_ATTRIBUTES.map(({ key }) => asInRun(key)).join(' or ')})`,
  asInRun(CI_SLOT_ATTRIBUTE.key),
  `metric.name == "${USING}" and ${kept(FLOWGROUPS)} != nil and datapoint.sum > ${kept(FLOWGROUPS)}`,
  `metric.name == "${TEMPLATES}" and ${kept(FLOWGROUPS)} != nil and datapoint.sum > ${kept(FLOWGROUPS)}`,
  `metric.name == "${TEMPLATES}" and ${kept(USING)} != nil and (datapoint.sum > ${kept(USING)} or (datapoint.sum == 0 and ${kept(USING)} > 0))`,
];

const quoted = (text: string) => `          - '${text.replaceAll("'", "''")}'\n`;
const group = (kind: 'statements' | 'conditions', context: string, lines: readonly string[]) =>
  `      - context: ${context}\n        ${kind}:\n${lines.map(quoted).join('')}`;

/** The processors' part of otel-collector.yaml, indented by two. */
export function runRules(): string {
  return `  # each point takes its resource with it, so that groupbyattrs makes one of all resources
  transform/gather:
    error_mode: propagate
    metric_statements:
${group('statements', 'datapoint', GATHER)}${group('statements', 'resource', EMPTY)}  # what the points of the request say of it
  transform/run:
    error_mode: propagate
    metric_statements:
${group('statements', 'datapoint', REMEMBER)}  # more or less than one run: several resources or scopes, a metric twice, no run;
  # and a point that is not of its run
  filter/run:
    error_mode: propagate
    metric_conditions:
${group('conditions', 'resource', NO_RUN)}${group('conditions', 'datapoint', NOT_ITS_POINT)}`;
}

/** transform/contract begins with them: each point gives its resource back. */
export const GIVE_BACK = [
  `set(resource.attributes, ${ofPoint}) where ${ofPoint} != nil`,
  'delete_key(datapoint.attributes, "resource")',
];
