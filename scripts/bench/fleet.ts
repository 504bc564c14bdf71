// fleet.ts: npm run bench -- fleet [options, fleet/options.ts]. Three measurements make one page:
// the cost of a run and of a connection, from fleets that are sent through the real gateway into
// the real Prometheus (fleet/drive.ts); the cost of the dashboards, from fleets of many days that
// are stored in Prometheus and in VictoriaMetrics (fleet/engine.ts); and the needs of fleets of a
// thousand to a million machines, calculated from both (scripts/fleet).
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { arrivalsOf } from '../fleet/arrivals.ts';
import { DAY, HOUR } from '../fleet/assumptions.ts';
import { bodies } from '../fleet/bodies.ts';
import { fleetOf, inOrder } from '../fleet/delivery.ts';
import { Kept } from '../fleet/kept.ts';
import type { Driven, Stored } from '../fleet/measured.ts';
import { type FleetOptions, fleetOptions } from '../fleet/options.ts';
import { needsOf, unitsOf } from '../fleet/sizing.ts';
import { composeServices } from '../harness/compose.ts';
import { program } from '../harness/needs.ts';
import { projectRoot } from '../harness/sandbox.ts';
import { ensureCollector, ensurePrometheus } from '../setup/install.mjs';
import { connectionCosts } from './fleet/connections.ts';
import { drive } from './fleet/drive.ts';
import { engine, type Fleet, simulated } from './fleet/engine.ts';
import { page, writePage } from './fleet/page.ts';
import { storedPage } from './fleet/stored-page.ts';

/** Runs by which connections are measured. */
const RUNS = Number(process.env.BENCH_RUNS ?? 5_000);
const SEED = 1;
const SIZES = [1_000, 10_000, 100_000, 1_000_000];
/**
 * Machines, and how many of the eight simulated days, the last of which is a Monday: Friday to
 * Monday, or as much as takes minutes.
 */
const DRIVEN = [
  { machines: 1_000, days: 4 },
  { machines: 10_000, days: 1 },
];
/** Those of them that are not larger than the fleets whose panels are measured, or one as large. */
const drivenUpTo = (largest: number) => {
  const some = DRIVEN.filter(({ machines }) => machines <= largest);
  return some.length > 0 ? some : [{ machines: largest, days: 4 }];
};

/**
 * The last simulated run is so long ago that a run of now makes Prometheus write blocks of all
 * before.
 */
const UNTIL_NOW = 6 * HOUR;

export async function fleet(): Promise<void> {
  const options = fleetOptions(process.argv.slice(3));
  const load = loadavg()[0] ?? 0;
  const kept = new Kept(options.keep, shown(process.argv.slice(3)));
  const stored = await storedFleets(options, kept);
  if (options.panels) {
    console.log(`${where(load, kept)}\n\n${storedPage(stored)}`);
    return;
  }
  const text = await wholePage(stored, where(load, kept), Math.max(...options.machines));
  console.log(text);
  if (options.write) writePage(join(projectRoot, 'docs', 'operators-proofs.md'), text);
}

/** As the page shows them: without the paths of this machine, and what changes no figure. */
const shown = (given: readonly string[]): string =>
  given
    .filter((word) => word !== '--panels')
    .join(' ')
    .replace(/ ?--keep \S+/, '')
    .replace(/(--dashboards) \S+/, '$1 FOLDER')
    .trim();

/** The runs of more machines × days do not fit into the memory of this benchmark. */
const MOST = 500_000;

/** Stores each fleet in each backend, and asks the dashboards. */
async function storedFleets(options: FleetOptions, kept: Kept): Promise<Stored[]> {
  const stored: Stored[] = [];
  const { slots } = options;
  const now = Math.floor((Date.now() - UNTIL_NOW) / 1_000);
  for (const days of options.days)
    for (const machines of options.machines) {
      if (machines * days > MOST) {
        console.error(`left out: ${days} days of ${machines} machines, above ${MOST} machine-days`);
        continue;
      }
      const of = { machines, days, slots };
      let one: Fleet | undefined;
      for (const backend of options.backends) {
        const measure = () => {
          console.error(`${days} days of ${machines} machines in ${backend}`);
          one ??= simulated({ ...of, seed: SEED }, kept.endOf(of) ?? now);
          return engine(backend, one, options);
        };
        stored.push(await kept.of({ ...of, backend }, measure));
      }
    }
  return stored;
}

/** Measures the way through the gateway, too, and calculates what larger fleets need. */
async function wholePage(
  stored: readonly Stored[],
  where: string,
  largest: number,
): Promise<string> {
  const openssl = program('openssl');
  if (openssl.lacks !== undefined) throw new Error(openssl.lacks);
  const programs = { collector: await ensureCollector(), prometheus: await ensurePrometheus() };
  const body = bodies();
  const past = (days: number) => ({ seed: SEED, days, from: Date.now() - UNTIL_NOW - days * DAY });
  const driven: Driven[] = [];
  for (const { machines, days } of drivenUpTo(largest)) {
    console.error(`driving ${days} days of ${machines} machines`);
    driven.push(await drive(programs, { ...past(8), machines }, days, body));
  }
  console.error('connections');
  const some = inOrder([...fleetOf({ ...past(2), machines: RUNS / 5 })]).slice(0, RUNS);
  const connections = await connectionCosts(programs, openssl.path, some, body);
  const units = unitsOf(driven, stored, connections);
  const fleets = SIZES.map((machines) => arrivalsOf(machines, SEED)).map((arrivals) => ({
    arrivals,
    needs: needsOf(arrivals, units),
  }));
  return page({ where, driven, stored, connections, units, fleets });
}

function where(load: number, kept: Kept): string {
  const version = (file: string, service: string) =>
    composeServices(file)[service]?.image?.split(':')[1]?.replace('v', '');
  const others = load < 1 ? '' : `, with other work (load ${load.toFixed(1)} before)`;
  const machine = `${cpus().length} cores of an ${cpus()[0]?.model.trim()}${others}`;
  const servers =
    `collector ${version('docker-compose.yml', 'collector')}, ` +
    `Prometheus ${version('docker-compose.yml', 'prometheus')} and VictoriaMetrics ` +
    version('deploy/docker-compose.victoriametrics.yml', 'victoriametrics');
  return `${kept.origin}, ${machine}, with sender, ${servers} all on them.`;
}
