// gateway-run-rules.ts: the rules that let only one run per request pass. An OTTL statement sees
// one data point with its metric, scope and resource, but no other resource of the request. So four
// processors work together:
//
//   transform/gather  copies the resource's attributes onto each point and empties the resource
//   groupbyattrs      merges the resources, which are now all equal, into one
//   transform/run     notes facts about the points in the attributes of the merged resource
//   filter/run        compares each point with these notes, and drops the request or the point
//
// transform/contract then moves the attributes back to the resource.
import {
  CI_SLOT_ATTRIBUTE,
  LOSS_REASON_ATTRIBUTE,
  LOST_RUNS,
  POINT_ATTRIBUTES,
} from '../../src/contract/contract.ts';
import { FIELDS } from '../../src/contract/fields.ts';
import { comment, listItem } from './text.ts';

/** The processors in pipeline order. otel-collector.yaml declares `groupbyattrs`. */
export const RUN_PROCESSORS = ['transform/gather', 'groupbyattrs', 'transform/run', 'filter/run'];

const RUNS = FIELDS.event.name;
const ofPoint = 'datapoint.attributes["resource"]';
const kept = (key: string) => `resource.attributes["${key}"]`;
const isHistogram = 'metric.type == METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM';
const isRuns = `metric.name == "${RUNS}"`;
const isLost = `metric.name == "${LOST_RUNS.name}"`;
const reason = `datapoint.attributes["${LOSS_REASON_ATTRIBUTE.key}"]`;

/** transform/gather, for each point. */
const GATHER = [`set(${ofPoint}, resource.attributes)`];
/** transform/gather, for each resource. */
const EMPTY = ['delete_matching_keys(resource.attributes, ".*")'];

/**
 * transform/run, for each point. `several` means more than one resource or scope; `twice` means
 * more than one point of a metric (of `lost_runs`: of a reason).
 */
const REMEMBER = [
  `set(${kept('resource')}, ${ofPoint}) where ${kept('resource')} == nil`,
  `set(${kept('several')}, true) where ${kept('resource')} != ${ofPoint}`,
  `set(${kept('scope')}, scope.version) where ${kept('scope')} == nil`,
  `set(${kept('several')}, true) where ${kept('scope')} != scope.version`,
  `set(${kept('twice')}, true) where not (${isLost}) and resource.attributes[metric.name] != nil`,
  `set(${kept('twice')}, true) where ${isLost} and resource.attributes[${reason}] != nil`,
  `set(resource.attributes[metric.name], datapoint.sum) where ${isHistogram}`,
  `set(resource.attributes[${reason}], true) where ${isLost}`,
  `set(resource.attributes[metric.name], datapoint.attributes) where ${isRuns}`,
  `set(${kept('time')}, datapoint.time_unix_nano) where ${isRuns}`,
  `set(${kept('start')}, datapoint.start_time_unix_nano) where ${isRuns}`,
];

/**
 * Counts of which one includes the next: flowgroups include those that use a template, and each
 * template in use has at least one such flowgroup.
 */
const FLOWGROUPS = FIELDS.flowgroups_count.name;
const USING = FIELDS.flowgroups_using_templates.name;
const TEMPLATES = FIELDS.templates_count.name;

const asInRun = (key: string) =>
  `datapoint.attributes["${key}"] != resource.attributes["${RUNS}"]["${key}"]`;

const any = (...conditions: string[]) => conditions.join(' or ');
/** For points of the metric `of`, if the request also has the metric `than`. */
const above = (of: string, than: string, condition: string) =>
  `metric.name == "${of}" and ${kept(than)} != nil and ${condition}`;

/** filter/run: conditions that drop the whole request. */
const NO_RUN = [`${kept('several')} == true or ${kept('twice')} == true`, `${kept(RUNS)} == nil`];
/** filter/run: conditions that drop a point that does not fit the run of its request. */
const NOT_ITS_POINT = [
  any(
    `datapoint.time_unix_nano != ${kept('time')}`,
    `datapoint.start_time_unix_nano != ${kept('start')}`,
  ),
  `not (${isLost}) and (${any(...POINT_ATTRIBUTES.map(({ key }) => asInRun(key)))})`,
  asInRun(CI_SLOT_ATTRIBUTE.key),
  above(USING, FLOWGROUPS, `datapoint.sum > ${kept(FLOWGROUPS)}`),
  above(TEMPLATES, FLOWGROUPS, `datapoint.sum > ${kept(FLOWGROUPS)}`),
  above(
    TEMPLATES,
    USING,
    `(datapoint.sum > ${kept(USING)} or (datapoint.sum == 0 and ${kept(USING)} > 0))`,
  ),
];

const group = (kind: 'statements' | 'conditions', context: string, lines: readonly string[]) =>
  [
    `      - context: ${context}\n        ${kind}:\n`,
    ...lines.map((line) => listItem(line, 10)),
  ].join('');

const GATHERS =
  'Copies the resource onto each point, so that groupbyattrs can merge all resources.';
const NOTES = 'Notes on the merged resource what its points say about the request.';
const DROPS =
  'Drops a request that is not exactly one run (several resources or scopes, a metric twice, no ' +
  'run), and a point that does not fit its run.';

/** The definitions of these processors for otel-collector.yaml, indented by two. */
export function runRules(): string {
  return `${comment([GATHERS], 2)}\
  transform/gather:
    error_mode: propagate
    metric_statements:
${group('statements', 'datapoint', GATHER)}\
${group('statements', 'resource', EMPTY)}\
${comment([NOTES], 2)}\
  transform/run:
    error_mode: propagate
    metric_statements:
${group('statements', 'datapoint', REMEMBER)}\
${comment([DROPS], 2)}\
  filter/run:
    error_mode: propagate
    metric_conditions:
${group('conditions', 'resource', NO_RUN)}\
${group('conditions', 'datapoint', NOT_ITS_POINT)}`;
}

/** The first statements of transform/contract: they move the attributes back to the resource. */
export const GIVE_BACK = [
  `set(resource.attributes, ${ofPoint}) where ${ofPoint} != nil`,
  'delete_key(datapoint.attributes, "resource")',
];
