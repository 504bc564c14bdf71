// bodies.ts: makes the request that the client would send for a simulated run. The client's own
// code records one run of each kind; ids, slot and time are replaced in its bytes. Recording every
// run would take longer than the servers need to store it.
import { exampleEvent } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { digest } from '../harness/runs.ts';
import type { SimulatedRun } from './machine.ts';

const MARK = { machine: digest('a'), project: digest('b'), slot: 'aa', at: 1_700_000_000_000 };
const ENVIRONMENTS = ['dev', 'test', 'prod'];
/** Numbers of flowgroups; a project has the one of its own number. */
const SIZES = [12, 40, 120, 400];
/** Numbers of different durations for each number of flowgroups. */
const TIMES = 16;

export const machineOf = (run: SimulatedRun) => `machine ${run.machine} ${run.generation}`;
export const lhpVersion = (run: SimulatedRun) => `0.9.${run.version}`;

/** The values that differ between runs of one {@link kindOf kind}, as the client has them. */
export const valuesOf = (run: SimulatedRun) => ({
  machine: digest(machineOf(run)),
  project: digest(`project ${run.project}`),
  slot: (run.slot ?? 0).toString(16).padStart(2, '0'),
});

export const flowgroupsOf = (run: SimulatedRun) => SIZES[run.project % SIZES.length] as number;

/** Duration of a run, seconds. */
export const secondsOf = (run: SimulatedRun) =>
  1 + (flowgroupsOf(run) / 100) * (1 + (run.at % TIMES) / TIMES);

/** Two runs of one kind differ in {@link valuesOf} and in their time only. */
export const kindOf = (run: SimulatedRun): string =>
  [
    run.version,
    run.environment,
    run.dryRun,
    run.bundle,
    run.slot === undefined,
    flowgroupsOf(run),
    run.at % TIMES,
  ].join();

/** The bytes of a run's request; `shift` (milliseconds) is added to its time. */
export type Bodies = (run: SimulatedRun, shift?: number) => Promise<Uint8Array>;

export function bodies(): Bodies {
  const kinds = new Map<string, Promise<string>>();
  return async (run, shift = 0) => {
    const kind = kindOf(run);
    let made = kinds.get(kind);
    if (made === undefined) {
      made = template(run);
      kinds.set(kind, made);
    }
    const { machine, project, slot } = valuesOf(run);
    const text = (await made)
      .replace(MARK.machine, machine)
      .replace(MARK.project, project)
      .replaceAll(`"${MARK.slot}"`, `"${slot}"`)
      .replaceAll(String(MARK.at), String(run.at + shift));
    return new TextEncoder().encode(text);
  };
}

async function template(run: SimulatedRun): Promise<string> {
  const flowgroups = flowgroupsOf(run);
  const bytes = await recordRun(
    {
      ...exampleEvent(),
      project_id: MARK.project,
      machine_id: MARK.machine,
      is_ci: run.slot !== undefined,
      flowgroups_count: flowgroups,
      templates_count: 1 + (flowgroups % 9),
      flowgroups_using_templates: Math.floor(flowgroups / 2),
      pipelines_count: 1 + Math.floor(flowgroups / 10),
      files_generated: run.dryRun ? 0 : flowgroups,
      environment: ENVIRONMENTS[run.environment] as string,
      dry_run: run.dryRun,
      bundle_enabled: run.bundle,
      lhp_version: lhpVersion(run),
      python_version: '3.12',
      generation_time_seconds: secondsOf(run),
    },
    { timestamp: MARK.at, startedAt: MARK.at, slot: MARK.slot },
  );
  return new TextDecoder().decode(bytes);
}
