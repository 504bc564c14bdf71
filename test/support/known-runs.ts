// known-runs.ts: known runs for the tests of the dashboards, and the situations in which every
// panel is asked: time ranges of these runs and values of the variables.
import { createHmac } from 'node:crypto';
import { DAY, digest, HOUR } from '../../scripts/harness/runs.ts';
import { PEPPER } from '../../scripts/harness/stack.ts';
import { exampleEvent, type GenerateEvent } from '../../src/contract/contract.ts';

export interface KnownRun {
  /** Milliseconds since the epoch. */
  at: number;
  event: GenerateEvent;
}

/** The id that the gateway stores in place of this digest. */
export const stored = (id: string) => createHmac('sha256', PEPPER).update(id).digest('hex');

const MACHINES = 8;
/** A machine runs lhp this often. In a step of six hours it runs at most once. */
const EVERY = 7 * HOUR;
/** The gateway accepts runs of the last eight days. */
const DAYS = 7;
/** In the first days there is one version only. */
const ONE_VERSION_DAYS = 2;

/** Flowgroups of each project: one of each size. The largest one uses no template. */
const SIZES = [12, 90, 480, 2_900];

/** The last machines are of CI. */
const isCi = (machine: number) => machine >= 6;

/** Days after the first one on which each machine updates lhp, to which version. */
function versionOf(machine: number, day: number): string {
  if (day < ONE_VERSION_DAYS || isCi(machine)) return '0.9.2';
  if (machine === 5) return '0.8.7';
  return day < ONE_VERSION_DAYS + 0.5 + machine * 0.4 ? '0.9.2' : '0.9.3';
}

function eventOf(machine: number, turn: number, day: number): GenerateEvent {
  // People work on two projects, CI on all.
  const project = (isCi(machine) ? turn : machine + (turn % 3 === 0 ? 1 : 0)) % SIZES.length;
  const flowgroups = Math.round((SIZES[project] as number) * (1 + 0.02 * day)) + (turn % 2);
  const version = versionOf(machine, day);
  const slowness = { '0.9.3': 1.4, '0.9.2': 1, '0.8.7': 1.1 }[version] ?? 1;
  const dry = (machine + turn) % 5 === 0;
  return {
    ...exampleEvent(),
    project_id: digest(`p${project}`),
    machine_id: digest(`m${machine}`),
    is_ci: isCi(machine),
    flowgroups_count: flowgroups,
    templates_count: project === 3 ? 0 : project + 1,
    flowgroups_using_templates: project === 3 ? 0 : Math.floor(flowgroups / (project + 1)),
    pipelines_count: 2 * project + 1,
    files_generated: dry ? 0 : flowgroups + 1,
    environment: isCi(machine) ? (turn % 2 ? 'prod' : 'test') : turn % 4 ? 'dev' : 'test',
    dry_run: dry,
    bundle_enabled: project % 2 === 0,
    lhp_version: version,
    python_version: machine === 0 && day > 4 ? '3.13' : machine % 2 ? '3.11' : '3.12',
    generation_time_seconds:
      Math.round(1_000 * (0.8 + 0.01 * flowgroups * slowness * (1 + ((7 * turn) % 13) / 20))) /
      1_000,
  };
}

/**
 * Known runs of the days before `now`, in ascending order. They are as many for every number of
 * days, only further apart.
 */
export function knownRuns(now: number, days = DAYS): KnownRun[] {
  const stretch = days / DAYS;
  const runs: KnownRun[] = [];
  for (let machine = 0; machine < MACHINES; machine += 1)
    for (let turn = 0; ; turn += 1) {
      // No two runs at the same time, and none at the edge of a step.
      const before = turn * EVERY + machine * 47 * 60_000 + machine * 13;
      const day = DAYS - before / DAY;
      if (day < 0) break;
      const at = now - 90_000 - Math.round(before * stretch);
      runs.push({ at, event: eventOf(machine, turn, day) });
    }
  return runs.sort((a, b) => a.at - b.at);
}

/** The variables of the dashboards; one that is left out means all values. */
interface Chosen {
  environment?: string[];
  version?: string[];
  ci?: string[];
  project?: string[];
}

export interface Situation {
  name: string;
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  /** The step of what is drawn over time, in milliseconds. */
  step: number;
  chosen: Chosen;
  /** Only in `npm run test:all`. */
  extended?: true;
}

export const situations = (now: number): Situation[] => {
  const week = { from: now - DAYS * DAY, to: now, step: DAY, chosen: {} };
  return [
    { ...week, name: 'a week with three versions' },
    { ...week, name: 'a day', from: now - DAY, step: HOUR, extended: true },
    { ...week, name: '400 days', from: now - 400 * DAY, step: 14 * DAY },
    {
      ...week,
      name: 'days with one version',
      to: now - (DAYS - ONE_VERSION_DAYS) * DAY,
      step: 6 * HOUR,
    },
    { ...week, name: 'one project', chosen: { project: [stored(digest('p1'))] } },
    {
      ...week,
      name: 'one project, two versions, outside CI',
      extended: true,
      chosen: { project: [stored(digest('p2'))], version: ['0.9.2', '0.9.3'], ci: ['false'] },
    },
    { ...week, name: 'no runs', from: now - 40 * DAY, to: now - 30 * DAY, step: DAY },
  ];
};

/** The runs that a dashboard in this situation is about. */
export const chosenRuns = (runs: readonly KnownRun[], { chosen }: Situation): KnownRun[] =>
  runs.filter(({ event }) => {
    const is = (values: string[] | undefined, value: string) => values?.includes(value) ?? true;
    return (
      is(chosen.environment, event.environment) &&
      is(chosen.version, event.lhp_version) &&
      is(chosen.ci, String(event.is_ci)) &&
      is(chosen.project, stored(event.project_id))
    );
  });
