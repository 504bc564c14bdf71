// runs.ts: the runs of an invented organization (organization.ts) up to a given time, for the
// pictures of the dashboards. They follow working hours, nightly CI jobs and releases of lhp; a
// run's time follows the flowgroups, the machine and the version. The same options give the same
// runs.
import {
  CI_SLOTS,
  exampleEvent,
  type GenerateEvent,
  slotName,
} from '../../src/contract/contract.ts';
import { type Dice, dice } from '../fleet/random.ts';
import { type Machine, type Organization, organization, type Project } from './organization.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface Release {
  version: string;
  /** Day of the release, counted from the first day of the runs. */
  day: number;
  /** Its part of a run that grows with the project takes this many times as long. */
  slowness: number;
}

export interface PictureRun {
  /** Milliseconds since the epoch, unique for each machine. */
  at: number;
  event: GenerateEvent;
  /** Of a CI run: the random number that tells containers apart. */
  slot: string | undefined;
}

export interface Period {
  /** Milliseconds since the epoch. */
  end: number;
  days: number;
  count: number;
  /** In ascending order; the first one is out before the first day. */
  releases: readonly Release[];
}

/** By design the newest release is slower, so that the dashboards have something to find. */
export const RELEASES: readonly Release[] = [
  { version: '0.9.1', day: Number.NEGATIVE_INFINITY, slowness: 1.05 },
  { version: '0.9.2', day: 12, slowness: 1 },
  { version: '0.9.3', day: 25, slowness: 1.45 },
];

const SEED = 20_261_127;
/** Runs draw from other random numbers than machines and projects. */
const DRAWS = 5_000;

function weighted<T>(random: Dice, list: readonly (readonly [T, number])[]): T {
  const total = list.reduce((sum, [, weight]) => sum + weight, 0);
  const index = random.share(list.map(([, weight]) => weight / total));
  return (list[Math.min(index, list.length - 1)] as readonly [T, number])[0];
}

/** How likely a run is at this time of the week, from 0 to 1. */
function presence(at: number, ci: boolean): number {
  const date = new Date(at);
  const hour = date.getUTCHours() + date.getUTCMinutes() / 60;
  const weekend = [0, 6].includes(date.getUTCDay());
  const lunch = Math.abs(hour - 12.2) < 0.5 ? 0.55 : 1;
  const busy = Math.exp(-(((hour - 13.2) / 3.1) ** 2)) * (hour > 7 ? lunch : 0.15);
  if (!ci) return busy * (weekend ? 0.06 : 1);
  const nightly = hour > 1.9 && hour < 2.4;
  return (nightly ? 1 : 0.06 + 0.6 * busy) * (weekend ? 0.35 : 1);
}

interface Draw {
  machine: Machine;
  project: Project;
  release: Release;
  day: number;
}

function eventOf({ machine, project, release, day }: Draw, random: Dice): GenerateEvent {
  const growth = 1 + (project.growth * day) / 30;
  const flowgroups = Math.max(1, Math.round(project.size * growth * random.logNormal(1, 0.01)));
  const dry = random.chance(machine.ci ? 0.3 : 0.1);
  const [dev, test, prod] = machine.ci ? [3, 4, 3] : [9, 2, 0.5];
  const seconds =
    (0.7 + 0.0095 * flowgroups * release.slowness) * machine.slowness * random.logNormal(1, 0.28);
  const changed = random.chance(0.75) ? 1.02 : random.next();
  return {
    ...exampleEvent(),
    project_id: project.id,
    machine_id: machine.id,
    is_ci: machine.ci,
    flowgroups_count: flowgroups,
    templates_count: project.templates,
    flowgroups_using_templates: Math.round(flowgroups * project.templated),
    pipelines_count: project.pipelines,
    files_generated: dry ? 0 : Math.round(flowgroups * changed),
    environment: weighted(random, [
      ['dev', dev],
      ['test', test],
      ['prod', prod],
    ]),
    dry_run: dry,
    bundle_enabled: project.bundle,
    lhp_version: release.version,
    python_version: day > machine.pythonDay ? '3.12' : machine.python,
    generation_time_seconds: Math.round(seconds * 100) / 100,
  };
}

function projectOf(machine: Machine, all: Organization, random: Dice): Project {
  const [first = 0, second = 0] = machine.homes;
  if (!machine.ci && !random.chance(0.12))
    return all.projects[random.chance(0.75) ? first : second] as Project;
  return weighted(
    random,
    all.projects.map((one) => [one, one.weight]),
  );
}

/** The runs of this period in ascending order of time. */
export function pictureRuns({ end, days, count, releases }: Period): PictureRun[] {
  const all = organization(SEED);
  const random = dice(SEED, DRAWS);
  const taken = new Set<string>();
  const runs: PictureRun[] = [];
  while (runs.length < count) {
    let at = Math.floor(end - days * DAY_MS * (1 - random.next()));
    const ci = random.chance(0.25);
    if (!random.chance(presence(at, ci))) continue;
    const machine = weighted(
      random,
      (ci ? all.ci : all.people).map((one) => [one, ci ? 1 : one.activity]),
    );
    const day = days - (end - at) / DAY_MS;
    const release = releases.findLast((one) => day >= one.day + machine.delay) ?? releases[0];
    if (release === undefined) throw new Error('a period needs at least one release');
    while (taken.has(`${machine.id} ${at}`)) at -= 1;
    taken.add(`${machine.id} ${at}`);
    const event = eventOf(
      { machine, project: projectOf(machine, all, random), release, day },
      random,
    );
    const slot = ci ? slotName(random.below(CI_SLOTS.others)) : undefined;
    runs.push({ at, event, slot });
  }
  return runs.sort((a, b) => a.at - b.at);
}
