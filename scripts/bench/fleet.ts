// fleet.ts: npm run bench -- fleet [--write]. Simulates fleets of a thousand to a million machines.
// Fleets that this machine can hold are sent through the real gateway and the real Prometheus; the
// needs of larger ones are calculated from the measured cost of a run, a series and a connection.
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { arrivalsOf } from '../fleet/arrivals.ts';
import { DAY, HOUR } from '../fleet/assumptions.ts';
import { fleetOf, inOrder } from '../fleet/delivery.ts';
import type { Driven } from '../fleet/measured.ts';
import { needsOf, unitsOf } from '../fleet/sizing.ts';
import { composeServices } from '../harness/compose.ts';
import { program } from '../harness/needs.ts';
import { ensureCollector, ensurePrometheus } from '../setup/install.mjs';
import { bodies } from './fleet/bodies.ts';
import { connectionCosts } from './fleet/connections.ts';
import { drive } from './fleet/drive.ts';
import { page, writePage } from './fleet/page.ts';

/** The largest fleet that is driven. */
const LARGEST = Number(process.env.BENCH_MACHINES ?? 10_000);
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
/**
 * The last simulated run is so long ago that a run of now makes Prometheus write blocks of all
 * before.
 */
const UNTIL_NOW = 6 * HOUR;

export async function fleet(): Promise<void> {
  const openssl = program('openssl');
  if (openssl.lacks !== undefined) throw new Error(openssl.lacks);
  const programs = { collector: await ensureCollector(), prometheus: await ensurePrometheus() };
  const load = loadavg()[0] ?? 0;
  const body = bodies();
  const past = (days: number) => ({ seed: SEED, days, from: Date.now() - UNTIL_NOW - days * DAY });
  const driven: Driven[] = [];
  for (const { machines, days } of DRIVEN.filter((one) => one.machines <= LARGEST)) {
    console.error(`driving ${days} days of ${machines} machines`);
    driven.push(await drive(programs, { ...past(8), machines }, days, body));
  }
  console.error('connections');
  const some = inOrder([...fleetOf({ ...past(2), machines: RUNS / 5 })]).slice(0, RUNS);
  const connections = await connectionCosts(programs, openssl.path, some, body);
  const units = unitsOf(driven, connections);
  const fleets = SIZES.map((machines) => arrivalsOf(machines, SEED)).map((arrivals) => ({
    arrivals,
    needs: needsOf(arrivals, units),
  }));
  const text = page({ where: where(load), driven, connections, units, fleets });
  console.log(text);
  if (process.argv.includes('--write'))
    writePage(join(import.meta.dirname, '..', '..', 'docs', 'operators-proofs.md'), text);
}

function where(load: number): string {
  const { collector, prometheus } = composeServices('docker-compose.yml');
  const versions = [collector, prometheus].map((one) =>
    one?.image?.split(':')[1]?.replace('v', ''),
  );
  const others = load < 1 ? '' : `, with other work (load ${load.toFixed(1)} before)`;
  const machine = `${cpus().length} cores of an ${cpus()[0]?.model.trim()}${others}`;
  const servers = `collector ${versions[0]} and Prometheus ${versions[1]}`;
  const today = new Date().toISOString().slice(0, 10);
  return `\`npm run bench -- fleet\`, ${today}, ${machine}, with sender, ${servers} all on them.`;
}
