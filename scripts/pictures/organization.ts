// organization.ts: invents the projects and machines of an organization that uses lhp, for the
// pictures of the dashboards. The same seed gives the same organization. runs.ts beside it lets
// them run.
import { createHash } from 'node:crypto';
import { type Dice, dice } from '../fleet/random.ts';

export interface Project {
  /** As the gateway's HMAC: 64 hex digits. */
  id: string;
  /** Flowgroups on the first day. */
  size: number;
  /** Growth per 30 days, as a share of the size. */
  growth: number;
  /** Share of the flowgroups that use a template. */
  templated: number;
  templates: number;
  pipelines: number;
  bundle: boolean;
  /** How often CI, and people who do not work on it every day, choose this project. */
  weight: number;
}

export interface Machine {
  id: string;
  ci: boolean;
  python: string;
  /** Day of the update to the newest Python; infinite if it has it, or never gets it. */
  pythonDay: number;
  /** Delay of the updates of lhp after a release, in days. */
  delay: number;
  /** Its run takes this many times as long as that of the usual machine. */
  slowness: number;
  /** Indices of the projects that its owner works on; CI works on all. */
  homes: readonly number[];
  /** How often its owner runs lhp, relative to the others. */
  activity: number;
}

export interface Organization {
  projects: readonly Project[];
  people: readonly Machine[];
  ci: readonly Machine[];
}

/** From a first try to the largest lakehouse. */
const SIZES = [10, 18, 25, 40, 48, 70, 95, 130, 180, 240, 320, 450, 620, 980, 1_500];
const PEOPLE = 52;
const CI_MACHINES = 8;
/** From this index on, projects are large: their teams run lhp more often. */
const LARGE = 9;

const idOf = (text: string) => createHash('sha256').update(text).digest('hex');

function project(size: number, index: number, random: Dice): Project {
  return {
    id: idOf(`project ${index}`),
    size,
    growth: random.next() * 0.12,
    templated: 0.25 + random.next() * 0.7,
    templates: Math.max(1, Math.round(Math.sqrt(size) * (0.3 + random.next() * 0.5))),
    pipelines: Math.max(1, Math.round(size ** 0.6 * (0.3 + random.next() * 0.5))),
    bundle: index % 3 !== 0,
    weight: 0.6 + random.next() * 3 + (index >= LARGE ? 1.5 : 0),
  };
}

function machine(index: number, random: Dice): Machine {
  const ci = index >= PEOPLE;
  const updates = !ci && random.chance(0.2);
  return {
    id: idOf(`machine ${index}`),
    ci,
    python: !ci && random.chance(0.62) ? '3.11' : '3.12',
    pythonDay: updates ? 18 + random.next() * 15 : Number.POSITIVE_INFINITY,
    delay: random.next() * 9 + (random.chance(0.13) ? 15 : 0),
    slowness: random.logNormal(ci ? 1.35 : 1, 0.18),
    homes: ci ? [] : [random.below(SIZES.length), random.below(SIZES.length)],
    activity: random.logNormal(1, 0.7),
  };
}

/** The organization of this seed: 15 projects, 52 machines of people and 8 of CI. */
export function organization(seed: number): Organization {
  const machines = Array.from({ length: PEOPLE + CI_MACHINES }, (_, index) =>
    machine(index, dice(seed, index)),
  );
  return {
    projects: SIZES.map((size, index) => project(size, index, dice(seed, 1_000 + index))),
    people: machines.filter(({ ci }) => !ci),
    ci: machines.filter(({ ci }) => ci),
  };
}
