// engine.ts: how fast each backend answers the dashboards of a fleet. The same runs are stored in
// each (backends.ts), what is stored is compared with what was simulated (truth.ts), and each panel
// is asked alone and with its dashboard (ask.ts), with one or more cores.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DIALECTS } from '../../../deploy/generate/dashboards/dialects.ts';
import { DAY } from '../../fleet/assumptions.ts';
import { fleetOf } from '../../fleet/delivery.ts';
import { distinctRuns } from '../../fleet/fill.ts';
import type { SimulatedRun } from '../../fleet/machine.ts';
import type { Asking, Stored } from '../../fleet/measured.ts';
import type { BackendName, FleetOptions } from '../../fleet/options.ts';
import { type Panel, panelsIn, type View } from '../../fleet/panels.ts';
import { tally } from '../../fleet/tally.ts';
import { projectRoot } from '../../harness/sandbox.ts';
import type { Prometheus } from '../../harness/stack.ts';
import { onDisk } from '../load.ts';
import { peak } from '../measure.ts';
import { timeDashboards, timePanels } from './ask.ts';
import { filledBackend } from './backends.ts';
import { exactness, truth } from './truth.ts';

/** A metric of a run, in the middle of a query. */
const METRIC = /\blhp_(?:generate|project)_[a-z_]+(?=[{[])/g;

export interface Fleet {
  machines: number;
  days: number;
  /** Whole seconds since the epoch: the end of the last day. */
  end: number;
  runs: SimulatedRun[];
  indistinct: number;
  series: number;
}

/**
 * The runs of a fleet that have arrived when it ends.
 *
 * @param end - In whole seconds since the epoch.
 */
export function simulated(
  of: { machines: number; days: number; seed: number; slots?: number | undefined },
  end: number,
): Fleet {
  const { machines, days, seed, slots } = of;
  const model = { seed, machines, days, from: end * 1_000 - days * DAY };
  const fleet = slots === undefined ? model : { ...model, slots };
  const parts = [...fleetOf(fleet)];
  const all = parts.flatMap(({ arrivals }) => arrivals.map(({ run }) => run));
  const runs = distinctRuns(all);
  const { series } = tally(fleet, parts);
  return { machines, days, end, runs, indistinct: all.length - runs.length, series };
}

export async function engine(
  backend: BackendName,
  fleet: Fleet,
  options: FleetOptions,
): Promise<Stored> {
  const { machines, days, end, runs, indistinct, series } = fleet;
  const { server, ...filling } = await filledBackend(backend, runs);
  // One day more than there is, so that the first run is within.
  const stored = { runs, series, days: days + 1 };
  const exact = await exactness(server, truth(stored, backend), end + 1);
  const diskBytes = onDisk(server.folder);
  resetPeak(server.pid());
  const restMiB = peak(server.pid());
  const askings: Asking[] = [];
  const view = engineView(fleet);
  await readOnce(server, panelsIn(join(projectRoot, folderOf(backend))), view, stored.days);
  for (const cores of options.cores) {
    allowCores(server.pid(), cores);
    for (const [version, root] of checkouts(options, cores)) {
      const panels = panelsIn(join(root, folderOf(backend)));
      const asked = { url: server.url, pids: [server.pid()] };
      askings.push({
        ...{ version, cores },
        panels: await timePanels(asked, panels, view, options.times),
        dashboards: await timeDashboards(asked, panels, view, options.times),
      });
    }
  }
  const askedMiB = peak(server.pid());
  await server.stop();
  return {
    ...{ backend, machines, days, end, runs: runs.length, indistinct, series, fill: filling },
    ...exact,
    ...{ diskBytes, restMiB, askedMiB, askings },
  };
}

/** Reads each metric of the panels: a server of many days does not do that for the first time. */
async function readOnce(
  server: Prometheus,
  panels: readonly Panel[],
  view: View,
  days: number,
): Promise<void> {
  const queries = panels.flatMap(({ requests }) => requests(view).map(({ body }) => body.query));
  const names = queries.flatMap((query) => query?.match(METRIC) ?? []);
  for (const name of new Set(names))
    await server.value(`count(count_over_time(${name}[${days}d]))`, view.end);
}

/** All days of the fleet, as a time range. */
export function engineView({ end, days }: Fleet): View {
  return { start: end - (days * DAY) / 1_000, end };
}

const folderOf = (backend: BackendName) =>
  DIALECTS.find(({ name }) => name === backend)?.folder as string;

/** With the most cores, and with fewer: the dashboards to compare with would take long there. */
const checkouts = (
  { dashboards, cores }: FleetOptions,
  allowed: number,
): [Asking['version'], string][] => [
  ...(dashboards === undefined || allowed < Math.max(...cores)
    ? []
    : [['before', dashboards] as [Asking['version'], string]]),
  ['now', projectRoot],
];

/** Lets a process run on the first so many cores only (Linux; all are allowed when it starts). */
function allowCores(pid: number, count: number): void {
  if (count === availableParallelism()) return;
  const list = `0-${count - 1}`;
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', list, String(pid)], {
    stdio: 'ignore',
  });
}

/** From now on, peak() counts anew (proc(5), clear_refs). */
function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
