// options.ts: the options of `npm run bench -- fleet`: --name value. A wrong one ends the benchmark
// before anything is started.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { DIALECTS, type Dialect } from '../../deploy/generate/dashboards/dialects.ts';
import { MONTH } from './assumptions.ts';

export type BackendName = Dialect['name'];

export interface FleetOptions {
  /** Fleets whose dashboards are measured: machines and days that are stored. */
  machines: number[];
  days: number[];
  backends: BackendName[];
  /** How many cores the backend may use; the most first. */
  cores: number[];
  /** How often each panel is asked; the median is shown. */
  times: number;
  /** Another number of slots than the client has, for all CI images: 256 for older clients. */
  slots: number | undefined;
  /** Another checkout, whose dashboards are measured in the same run. */
  dashboards: string | undefined;
  /** Measures panels only, not the cost of a run through the gateway. */
  panels: boolean;
  /** A file of earlier measurements; what it has is not measured again, and the others go to it. */
  keep: string | undefined;
  /** Writes the result into docs/operators-proofs.md. */
  write: boolean;
}

const NAMES = DIALECTS.map(({ name }) => name);
const USAGE = `npm run bench -- fleet
  --machines 1000,10000    sizes whose panels are measured
  --days 30,400            days that are stored and asked for
  --backend ${NAMES.join(',')}
  --cores 1,2              cores of the backend
  --times 3                how often each panel is asked (median)
  --slots 256              slots of all CI images, as older clients had them
  --dashboards FOLDER      another checkout: its dashboards are asked, too
  --panels                 measure panels only
  --keep FILE              measure again only what the file lacks, and add it to the file
  --write                  write the result into docs/operators-proofs.md`;

const DEFAULTS: FleetOptions = {
  machines: [1_000],
  days: [30],
  backends: NAMES,
  cores: [availableParallelism()],
  times: 3,
  slots: undefined,
  dashboards: undefined,
  panels: false,
  keep: undefined,
  write: false,
};

/** @throws on an unknown option or value; the message shows the legal ones. */
export function fleetOptions(given: readonly string[]): FleetOptions {
  const options = { ...DEFAULTS };
  const left = [...given];
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    const value = () => left.shift() ?? '';
    if (name === '--machines') options.machines = numbers(name, value());
    else if (name === '--days') options.days = numbers(name, value());
    // The most first: a process that was allowed fewer does not get them back here.
    else if (name === '--cores') options.cores = numbers(name, value()).sort((a, b) => b - a);
    else if (name === '--slots') [options.slots] = numbers(name, value());
    else if (name === '--times') [options.times = 1] = numbers(name, value());
    else if (name === '--backend') options.backends = backends(value());
    else if (name === '--dashboards') options.dashboards = checkout(value());
    else if (name === '--panels') options.panels = true;
    else if (name === '--keep') options.keep = resolve(value());
    else if (name === '--write') options.write = true;
    else throw new Error(`unknown option ${name}\n${USAGE}`);
  }
  const most = availableParallelism();
  if (options.cores.some((count) => count > most))
    throw new Error(`--cores: this machine has ${most}, not ${Math.max(...options.cores)}`);
  if (!options.panels && (options.backends.length < NAMES.length || !options.days.includes(MONTH)))
    throw new Error(`without --panels, both backends and --days ${MONTH} are needed`);
  if (options.slots !== undefined && !options.panels)
    throw new Error('--slots is for --panels, because the page is about clients of today');
  if (options.write && options.panels)
    throw new Error('--write needs all measurements, so it cannot be used with --panels');
  return options;
}

function numbers(name: string, text: string): number[] {
  const all = text.split(',').map(Number);
  if (all.some((one) => !Number.isInteger(one) || one < 1))
    throw new Error(`${name} takes whole numbers from 1, separated by commas, not "${text}"`);
  return all;
}

function backends(text: string): BackendName[] {
  return text.split(',').map((one) => {
    const found = NAMES.find((name) => name === one);
    if (found === undefined)
      throw new Error(`--backend takes ${NAMES.join(' or ')}, or both with a comma, not "${one}"`);
    return found;
  });
}

function checkout(folder: string): string {
  for (const dialect of DIALECTS)
    if (!existsSync(join(folder, dialect.folder)))
      throw new Error(`--dashboards takes another checkout; ${folder} has no ${dialect.folder}`);
  return folder;
}
