// bodies.ts: makes the request that the client would send for a simulated run. The client's own
// code records one run of each kind, and ids, slot and time are replaced in its bytes: recording
// every run would take longer than the servers need for it.
import { exampleEvent } from '../../../src/contract/contract.ts';
import { recordRun } from '../../../src/otlp/encode.ts';
import type { SimulatedRun } from '../../fleet/machine.ts';
import { digest } from '../../harness/runs.ts';

const MARK = { machine: digest('a'), project: digest('b'), slot: 'aa', at: 1_700_000_000_000 };
const ENVIRONMENTS = ['dev', 'test', 'prod'];
/**
 * Flowgroups of a project, by its number: a time of its own for each, and sixteen times around it.
 */
const SIZES = [12, 40, 120, 400];
const TIMES = 16;

export const machineOf = (run: SimulatedRun) => `machine ${run.machine} ${run.generation}`;
export const lhpVersion = (run: SimulatedRun) => `0.9.${run.version}`;

/** Bytes of a run; `shift` is added to its time. */
export type Bodies = (run: SimulatedRun, shift?: number) => Promise<Uint8Array>;

export function bodies(): Bodies {
  const kinds = new Map<string, Promise<string>>();
  return async (run, shift = 0) => {
    const [size, time] = [run.project % SIZES.length, run.at % TIMES];
    const kind = [
      run.version,
      run.environment,
      run.dryRun,
      run.bundle,
      run.slot === undefined,
      size,
      time,
    ].join();
    let made = kinds.get(kind);
    if (made === undefined) {
      made = template(run, SIZES[size] as number, time);
      kinds.set(kind, made);
    }
    const text = (await made)
      .replace(MARK.machine, digest(machineOf(run)))
      .replace(MARK.project, digest(`project ${run.project}`))
      .replaceAll(`"${MARK.slot}"`, `"${(run.slot ?? 0).toString(16).padStart(2, '0')}"`)
      .replaceAll(String(MARK.at), String(run.at + shift));
    return new TextEncoder().encode(text);
  };
}

async function template(run: SimulatedRun, flowgroups: number, time: number): Promise<string> {
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
      generation_time_seconds: 1 + (flowgroups / 100) * (1 + time / TIMES),
    },
    { timestamp: MARK.at, startedAt: MARK.at, slot: MARK.slot },
  );
  return new TextDecoder().decode(bytes);
}
