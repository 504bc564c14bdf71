// monitoring.ts: the flowgroup that lhp adds when lhp.yaml has `event_log` and `monitoring`. It
// monitors the pipelines whose event log is on, and it counts as one more flowgroup in one more
// pipeline.
import type { Flowgroup } from './flowgroups.ts';
import { isMap, type YamlMap } from './mapping.ts';
import { boolOf, listOf, textOf } from './model.ts';

/**
 * The monitoring flowgroup, if lhp adds one.
 *
 * @param configs - The documents of the pipeline configuration (option `-pc`).
 * @param always - Older versions add the flowgroup also when it has no views.
 */
export function monitoringFlowgroup(
  project: YamlMap,
  pipelines: Iterable<string>,
  configs: readonly unknown[],
  always: boolean,
): Flowgroup | undefined {
  const monitoring =
    project.get('monitoring') ?? (project.has('monitoring') ? new Map() : undefined);
  const eventLog = project.get('event_log');
  if (!isMap(monitoring) || !isMap(eventLog) || !enabled(monitoring) || !enabled(eventLog))
    return undefined;
  const pipeline =
    textOf(monitoring.get('pipeline_name')) ||
    `${textOf(project.get('name')) ?? 'unnamed_project'}_event_log_monitoring`;
  const optedOut = eventLogOff(configs);
  if (![...pipelines].some((name) => name !== pipeline && !optedOut(name))) return undefined;
  const views = listOf(monitoring.get('materialized_views'));
  const hasActions = boolOf(monitoring.get('enable_job_monitoring')) || views?.length !== 0;
  return hasActions || always
    ? { pipeline, flowgroup: 'monitoring', template: undefined }
    : undefined;
}

const enabled = (map: YamlMap) => !map.has('enabled') || boolOf(map.get('enabled')) === true;

/** Whether a pipeline has `event_log: false`, by its own entry or by the project's defaults. */
function eventLogOff(configs: readonly unknown[]): (pipeline: string) => boolean {
  let defaults: unknown;
  const own = new Map<unknown, unknown>();
  for (const config of configs) {
    if (!isMap(config)) continue;
    if (config.has('project_defaults')) {
      const project = config.get('project_defaults');
      defaults = isMap(project) ? project.get('event_log') : undefined;
    } else if (config.has('event_log')) {
      for (const name of [config.get('pipeline')].flat()) own.set(name, config.get('event_log'));
    }
  }
  return (pipeline) => (own.has(pipeline) ? own.get(pipeline) : defaults) === false;
}
