// page.ts: makes the part of docs/operators-proofs.md that `npm run bench -- fleet --write` keeps
// between two marks, from what was measured and calculated. Each number says where it comes from:
// measured in this run, measured by another benchmark, or assumed.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Arrivals } from '../../fleet/arrivals.ts';
import { ASSUMED, MONTH, RETENTION } from '../../fleet/assumptions.ts';
import type { ConnectionCosts, Driven, Stored } from '../../fleet/measured.ts';
import { CLUSTER, type Needs, SERVER, type Units } from '../../fleet/sizing.ts';
import { n, percent, table, time } from './markdown.ts';
import { storedPage } from './stored-page.ts';

export interface Found {
  /** Machine, versions and command. */
  where: string;
  driven: readonly Driven[];
  stored: readonly Stored[];
  connections: ConnectionCosts;
  units: Units;
  fleets: readonly { arrivals: Arrivals; needs: Needs }[];
}

const MARK = '<!-- fleet: printed by `npm run bench -- fleet --write`; do not edit -->\n';
const END = '<!-- end of fleet -->';

const ms = (seconds: number) => (seconds * 1_000).toFixed(2);

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
      `slowest panel, ${MONTH} days: Prometheus, VictoriaMetrics`,
      `${RETENTION} days`,
      'slowest panel in a second: Prometheus, VictoriaMetrics',
      'VictoriaMetrics: memory, disk',
      'a node of Cortex of three: cores, memory, disk',
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
      ...[bothPanels(d, 'month'), bothPanels(d, 'allDays'), daysInASecond(d)],
      `${n(d.victoriametrics.memoryGiB)} GiB, ${n(d.victoriametrics.diskGB)} GB`,
      ...[
        `${n(d.node.cores)}, ${n(d.node.memoryGiB)} GiB, ${n(d.node.diskGB)} GB`,
        `${n(d.node.bucketGB)} GB`,
        d.setup,
      ],
    ]),
  );

const bothPanels = ({ panel }: Needs, range: 'month' | 'allDays') =>
  `${time(panel.prometheus[range])}, ${time(panel.victoriametrics[range])}`;

/** Up to how many days the slowest panel takes a second, in proportion to a month's time. */
const daysInASecond = ({ panel }: Needs): string =>
  [panel.prometheus, panel.victoriametrics]
    .map(({ month }) => Math.min(MONTH / month, RETENTION))
    .map((days) => (days < 1 ? 'none' : `${Math.floor(days)} d`))
    .join(', ');

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
      'peak memory, gateway + backend',
      'on disk, a run + a series of a block',
    ],
    driven.map((one) => [
      ...[n(one.machines), n(one.days), n(one.runs), n(one.connections)],
      one.wrong === undefined ? `yes, ${one.right} of ${one.asked}` : `NO: ${one.wrong}`,
      n(one.runs / one.seconds),
      `${ms(one.gatewayCpu / one.runs)} + ${ms(one.backendCpu / one.runs)} ms`,
      `${n(one.series)}, ${n(one.headSeries)}`,
      `${n(one.gatewayMiB)} + ${n(one.backendMiB)} MiB`,
      `${n(one.blocks.chunkBytes / one.runs)} + ${n(one.blocks.indexBytes / one.blocks.series)} B`,
    ]),
  );

export function page({ where, driven, stored, connections, units: u, fleets }: Found): string {
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

**What it needs**, calculated. Cores and network: in the busiest minute of all these, with TLS and
a connection for each delivery. Memory: of Prometheus, while somebody looks at ${MONTH} days, and
of a gateway. The last column names the first of these that is enough: Prometheus, three nodes of
Cortex, VictoriaMetrics, or a VictoriaMetrics cluster of so many nodes. Enough means at most half
used (${SERVER.cores} cores, ${SERVER.memoryGiB} GiB and ${n(SERVER.diskGB)} GB each), and the
slowest panel of ${MONTH} days takes at most ${SERVER.panelSeconds} s. Take Cortex for availability
at any size whose panels Prometheus answers in time. Where a second is not enough for ${MONTH} days,
show fewer: the column says how many the slowest panel answers in a second, in proportion.

${needed}

A million runs cost ${n((million * (u.gatewayCpu + u.backendCpu + u.tlsCpu)) / 60)} minutes of one
core on one machine and
${n((million * ((u.gatewayCpu + u.backendCpu) * CLUSTER.cpu + u.tlsCpu)) / 60)} in a cluster,
${n((needs.diskGB * million) / a.allRuns)} GB of disk, and ${n((million * u.wireOut) / 1e9)} GB to
the gateway. CI images have ${percent(a.ciSeriesShare)} of the series: with runners that keep their
state folder, ${n(a.machines)} machines have ${n(a.keptSeries)} in ${MONTH} days instead of
${n(a.monthSeries)}.

**What the dashboards cost**, measured in this run. The runs of all these days are stored in each
backend, many in one request, as the gateway would have forwarded them
(\`test/extended/fleet.test.ts\` compares both ways). Exact compares totals, sums, distinct machines
and projects, runs by version, and the number of series with what was simulated. Times are medians.
All panels: one after the other, and the backend's processor time for them. A dashboard at once: as
Grafana asks, on six connections. Before: the dashboards of another checkout, on the same runs.
Answers within a bucket are quantiles that differ by less than 4.5 %. The largest projects differ,
because many simulated projects have the same size and each backend shows others of them.

${storedPage(stored, ['now'])}

**What a run costs**, measured in this run through the real gateway and Prometheus, days
compressed into minutes:

${through}

- A connection costs the gateway ${ms(connections.opened - connections.kept)} ms, a TLS handshake
  (P-256) ${ms(connections.tls - connections.opened)} ms more. A delivery of one run is
  ${n(connections.wire.plain.out)} bytes to the gateway and ${n(connections.wire.plain.back)} back
  on the wire, handshake included, ${n(connections.wire.gzip.out)} with \`COMPRESSION=gzip\`;
  headers of TCP and IP come on top.
- A series in memory is ${n(u.seriesBytes)} bytes, on top of ${n(u.backendFixedMiB)} MiB: a line
  through the fleets above. Each series costs ${n(u.askedBytes)} bytes more while the dashboards of
  ${MONTH} days are asked, by the largest fleet.
- Prometheus collects garbage late and takes what its limit allows: 10,000 machines were measured
  within the 4 GiB of its container. So its memory for larger fleets is an upper limit, and so is
  that of a node of Cortex, which collects garbage earlier.
- The calculation is linear: runs × the cost of a run, series × the cost of a series, and the
  slowest panel's time × series of its time range, on as many cores as were measured. For
  VictoriaMetrics, memory is that of a server that was filled with all days at once, which is more
  than it needs in operation. A cluster of it shares out the series, so each of its nodes reads its
  own part of a panel; the cluster itself was not run. A dashboard that stays open asks again every
  5 minutes.
- Disk of Prometheus: the runs' chunks as blocks of two hours have them, and an index for each block
  of 20 days, into which Prometheus merges them later.
- A run in Cortex: ${n(CLUSTER.cpu)} times the processor time, ${n(CLUSTER.nodeBytes)} bytes on
  each node for ten days, ${n(CLUSTER.bucketBytes)} in the bucket before it is compacted, measured
  by \`npm run bench -- cluster-cost\` (below). Its memory is calculated with Prometheus's bytes a
  series, for the series of 36 hours. Each of three nodes has all of them, and a panel reads all of
  them, so panels are not faster.

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
