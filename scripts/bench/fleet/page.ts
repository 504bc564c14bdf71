// page.ts: what was measured and reckoned → the part of docs/operators-proofs.md that
// `npm run bench -- fleet --write` keeps between two marks. Each number says where it comes from:
// measured in this run, measured by another benchmark, or assumed.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Arrivals } from '../../fleet/arrivals.ts';
import { ASSUMED, MONTH, RETENTION } from '../../fleet/assumptions.ts';
import type { ConnectionCosts, Driven } from '../../fleet/measured.ts';
import { CLUSTER, type Needs, SERVER, type Units } from '../../fleet/sizing.ts';

export interface Found {
  /** Machine, versions and command. */
  where: string;
  driven: readonly Driven[];
  connections: ConnectionCosts;
  units: Units;
  fleets: readonly { arrivals: Arrivals; needs: Needs }[];
}

const MARK = '<!-- fleet: printed by `npm run bench -- fleet --write`; do not edit -->\n';
const END = '<!-- end of fleet -->';

/** Three digits that count. */
const n = (value: number): string =>
  value >= 1_000
    ? Number(value.toPrecision(3)).toLocaleString('en-US')
    : String(Number(value.toPrecision(value < 1 ? 2 : 3)));
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const ms = (seconds: number) => (seconds * 1_000).toFixed(2);
const time = (seconds: number) =>
  seconds < 120
    ? `${n(seconds)} s`
    : seconds < 7_200
      ? `${n(seconds / 60)} min`
      : `${n(seconds / 3_600)} h`;

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

const sentTable = (fleets: Found['fleets']) =>
  table(
    [
      'machines',
      'runs a working day',
      'of CI',
      'a second, mean',
      'weekday',
      'Monday',
      'night',
      'release',
      'after an outage',
      'series at work',
      `in ${MONTH} days`,
      `in ${RETENTION} days`,
    ],
    fleets.map(({ arrivals: a }) => [
      ...[
        n(a.machines),
        n(a.runsADay),
        percent(a.ciShare),
        n(a.mean),
        n(a.weekday),
        n(a.monday),
        n(a.night),
        n(a.release),
        n(a.outage),
      ],
      ...[n(a.activeSeries), n(a.monthSeries), n(a.allSeries)],
    ]),
  );

const neededTable = (fleets: Found['fleets']) =>
  table(
    [
      'machines',
      'cores',
      'memory',
      `disk, ${RETENTION} days`,
      'network at most, a month',
      `slowest panel, ${MONTH} days; and without CI slots anew`,
      `${RETENTION} days`,
      'a node of three: cores, memory, disk',
      'bucket',
      'enough',
    ],
    fleets.map(({ arrivals: a, needs: d }) => [
      ...[
        n(a.machines),
        n(d.cores),
        `${n(d.memoryGiB)} GiB`,
        `${n(d.diskGB)} GB`,
        `${n(d.megabits)} Mbit/s, ${n(d.monthGB)} GB`,
      ],
      ...[`${time(d.monthPanel)}, ${time(d.keptPanel)}`, time(d.allDaysPanel)],
      ...[
        `${n(d.node.cores)}, ${n(d.node.memoryGiB)} GiB, ${n(d.node.diskGB)} GB`,
        `${n(d.node.bucketGB)} GB`,
        d.setup,
      ],
    ]),
  );

const throughTable = (driven: Found['driven']) =>
  table(
    [
      'machines',
      'days',
      'runs',
      'connections',
      'exact',
      'runs a second',
      'CPU a run, gateway + backend',
      'series, most in memory',
      'peak memory, gateway, backend, and asked',
      'on disk, a run + a series of a block',
      `slowest panel of ${MONTH} days, all`,
    ],
    driven.map((one) => [
      ...[n(one.machines), n(one.days), n(one.runs), n(one.connections)],
      one.wrong === undefined ? `yes, ${one.right} of ${one.asked}` : `NO: ${one.wrong}`,
      n(one.runs / one.seconds),
      `${ms(one.gatewayCpu / one.runs)} + ${ms(one.backendCpu / one.runs)} ms`,
      `${n(one.series)}, ${n(one.headSeries)}`,
      `${n(one.gatewayMiB)}, ${n(one.backendMiB)}, ${n(one.askedMiB)} MiB`,
      `${n(one.blocks.chunkBytes / one.runs)} + ${n(one.blocks.indexBytes / one.blocks.series)} B`,
      [
        `${time(one.panels.monthMs / 1_000)} (${one.panels.slowest})`,
        time(one.panels.panelsMs / 1_000),
      ].join(', '),
    ]),
  );

export function page({ where, driven, connections, units: u, fleets }: Found): string {
  const sent = sentTable(fleets);
  const needed = neededTable(fleets);
  const through = throughTable(driven);
  const million = 1e6;
  const { arrivals: a, needs } = fleets[0] as Found['fleets'][number];
  return `
${where}

**What a fleet sends**, simulated. Runs a second: the mean of a week; and in the busiest minute of
a Wednesday, of a Monday with the weekend's backlog, of nightly jobs, after a release, and of the
hour after the gateway was away from Friday 18:00 to Monday 8:00 UTC. Series: with a run in the
last three hours, in ${MONTH} and in ${RETENTION} days.

${sent}

**What it needs**, by arithmetic. Cores and network: in the busiest minute of all these, with TLS
and a connection for each delivery. Memory: of Prometheus, while somebody looks at ${MONTH} days,
and of a gateway. Enough is the first of "one machine" and "three nodes" that is at most half used
(${SERVER.cores} cores, ${SERVER.memoryGiB} GiB and ${n(SERVER.diskGB)} GB each) and whose slowest
panel takes at most ${SERVER.panelSeconds} s, with the CI slots that are assumed below; the second
figure of that panel is with CI runners that keep their state folder.

${needed}

A million runs cost ${n((million * (u.gatewayCpu + u.backendCpu + u.tlsCpu)) / 60)} minutes of one
core on one machine and
${n((million * ((u.gatewayCpu + u.backendCpu) * CLUSTER.cpu + u.tlsCpu)) / 60)} in a cluster,
${n((needs.diskGB * million) / a.allRuns)} GB of disk, and ${n((million * u.wireOut) / 1e9)} GB to
the gateway. CI slots are ${percent(a.ciSeriesShare)} of the series: with runners that keep their
state folder, ${n(a.machines)} machines have ${n(a.keptSeries)} in ${MONTH} days instead of
${n(a.monthSeries)}.

Measured in this run, through the real gateway and Prometheus, days compressed into minutes:

${through}

- A connection costs the gateway ${ms(connections.opened - connections.kept)} ms, a TLS handshake
  (P-256) ${ms(connections.tls - connections.opened)} ms more. A delivery of one run is
  ${n(connections.wire.plain.out)} bytes to the gateway and ${n(connections.wire.plain.back)} back
  on the wire, handshake included, ${n(connections.wire.gzip.out)} with \`COMPRESSION=gzip\`;
  headers of TCP and IP come on top.
- A series in memory is ${n(u.seriesBytes)} bytes, on top of ${n(u.backendFixedMiB)} MiB: a line
  through the fleets above. Each series that a panel looks at costs ${n(u.askedBytes)} bytes more,
  by the largest.
- The arithmetic is linear: runs × a run's cost, series × a series' cost, the slowest panel's time
  × series that it looks at. A dashboard that stays open asks again every 5 minutes.
- Disk: the runs' chunks as two-hour blocks have them, and an index for each block of 20 days,
  into which Prometheus merges them; merging was not waited for.
- A cluster's run: ${n(CLUSTER.cpu)} times the processor time, ${n(CLUSTER.nodeBytes)} bytes on
  each node for ten days, ${n(CLUSTER.bucketBytes)} in the bucket before it is compacted, measured
  by \`npm run bench -- cluster-cost\` (below). Its memory is reckoned with Prometheus's bytes a
  series, for the series of 36 hours; each of three nodes has all of them, and a panel reads all
  of them, so panels are not faster.

Assumed, in \`scripts/fleet/assumptions.ts\`; put in your own:

${ASSUMED.map((one) => `- ${one}`).join('\n')}

`;
}

/** Puts it between the marks; all around is written by hand. */
export function writePage(file: string, text: string): void {
  const old = readFileSync(file, 'utf8');
  const from = old.indexOf(MARK) + MARK.length;
  const to = old.indexOf(END);
  if (from < MARK.length || to < from)
    throw new Error(`${file} has lost the marks around what the benchmark prints`);
  writeFileSync(file, old.slice(0, from) + text + old.slice(to));
}
