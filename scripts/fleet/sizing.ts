// sizing.ts: computes which servers a fleet needs, and whether one machine is enough, from its load
// (arrivals.ts) and the measured cost of a run, a series, a connection and a panel. Nothing is
// measured or printed here.
import type { Arrivals } from './arrivals.ts';
import { MONTH, RETENTION } from './assumptions.ts';
import type { ConnectionCosts, Driven, Stored } from './measured.ts';

/** A node of Cortex keeps its blocks for ten days (deploy/cluster/cortex.yaml). */
const NODE_DAYS = 10;
/**
 * `npm run bench -- cluster-cost` on 2 cores of an AMD EPYC with other work, three gateways
 * (docs/operators-proofs.md, "What a cluster costs"): processor time against one machine's in the
 * same run, bytes of a run on each node, and in the bucket before it is compacted.
 */
export const CLUSTER = { cpu: 3.04 / 1.17, nodeBytes: 1_170, bucketBytes: 4_480 } as const;

/** Memory of VictoriaMetrics with 100 machines (docs/victoriametrics.md, "What it costs"). */
const VICTORIAMETRICS_MIB = 100;

/**
 * A server as it is bought, half of which is free in the busiest minute, and how long the slowest
 * panel may take, seconds.
 */
export const SERVER = {
  cores: 8,
  memoryGiB: 32,
  diskGB: 1_000,
  free: 0.5,
  panelSeconds: 10,
} as const;

export interface Units {
  /** Seconds of processor time. */
  gatewayCpu: number;
  backendCpu: number;
  tlsCpu: number;
  /**
   * MiB that are there without a series, bytes for each in memory, and for each that a panel looks
   * at.
   */
  backendFixedMiB: number;
  seriesBytes: number;
  askedBytes: number;
  gatewayMiB: number;
  chunkBytes: number;
  indexBytes: number;
  /** What reads cost each backend. */
  prometheus: ReadUnits;
  victoriametrics: ReadUnits & {
    /** Seconds of processor time, and bytes on disk, of a run that is stored. */
    runCpu: number;
    runBytes: number;
    fixedMiB: number;
    /** Of memory, for each series of the runs: all days are in memory, as it was filled. */
    seriesBytes: number;
  };
  wireOut: number;
  wireBack: number;
}

/** Seconds of the slowest panel for each series of the time range. */
interface ReadUnits {
  month: number;
  allDays: number;
}

/** Measured fleets, the smallest first → what one of each costs. */
export function unitsOf(
  driven: readonly Driven[],
  stored: readonly Stored[],
  { tls, opened, wire }: ConnectionCosts,
): Units {
  const [small, large] = [driven[0], driven.at(-1)] as [Driven, Driven];
  // With one fleet alone there is no line to draw: all of its memory counts as its series'.
  const perSeries =
    small === large
      ? large.backendMiB / large.headSeries
      : (large.backendMiB - small.backendMiB) / (large.headSeries - small.headSeries);
  const asked = largest(stored, 'prometheus', MONTH);
  return {
    gatewayCpu: large.gatewayCpu / large.runs,
    backendCpu: large.backendCpu / large.runs,
    tlsCpu: tls - opened,
    backendFixedMiB: Math.max(0, large.backendMiB - perSeries * large.headSeries),
    seriesBytes: perSeries * 2 ** 20,
    askedBytes: ((asked.askedMiB - asked.restMiB) / asked.series) * 2 ** 20,
    gatewayMiB: large.gatewayMiB,
    chunkBytes: large.blocks.chunkBytes / large.runs,
    indexBytes: large.blocks.indexBytes / large.blocks.series,
    prometheus: readUnits(stored, 'prometheus'),
    victoriametrics: { ...readUnits(stored, 'victoriametrics'), ...storeUnits(stored) },
    ...{ wireOut: wire.plain.out, wireBack: wire.plain.back },
  };
}

/** The largest fleet of this backend with so many days; with fewer, if there is none. */
function largest(all: readonly Stored[], backend: Stored['backend'], days: number): Stored {
  const found = all
    .filter((one) => one.backend === backend && one.days <= days)
    .sort((a, b) => b.days - a.days || b.machines - a.machines)[0];
  if (found === undefined) throw new Error(`no fleet of ${days} days was stored in ${backend}`);
  return found;
}

function readUnits(all: readonly Stored[], backend: Stored['backend']): ReadUnits {
  const perSeries = (days: number) => {
    const one = largest(all, backend, days);
    return slowestPanel(one).ms / 1_000 / one.series;
  };
  return { month: perSeries(MONTH), allDays: perSeries(RETENTION) };
}

/** VictoriaMetrics: what remains of memory without the series is what its smallest fleet needed. */
function storeUnits(all: readonly Stored[]): Omit<Units['victoriametrics'], keyof ReadUnits> {
  const one = largest(all, 'victoriametrics', MONTH);
  return {
    runCpu: one.fill.cpuSeconds / one.runs,
    runBytes: one.diskBytes / one.runs,
    fixedMiB: VICTORIAMETRICS_MIB,
    seriesBytes: ((one.askedMiB - VICTORIAMETRICS_MIB) / one.series) * 2 ** 20,
  };
}

/** The panel that takes longest with this checkout's dashboards and most cores. */
function slowestPanel({ askings }: Pick<Stored, 'askings'>) {
  const cores = Math.max(...askings.map((one) => one.cores));
  const now = askings.find((one) => one.version === 'now' && one.cores === cores);
  const [slowest] = [...(now?.panels ?? [])].sort((a, b) => b.ms - a.ms);
  if (slowest === undefined) throw new Error('no panel was asked');
  return slowest;
}

interface Server {
  cores: number;
  memoryGiB: number;
  diskGB: number;
}

export interface Needs extends Server {
  megabits: number;
  monthGB: number;
  /** Seconds of the slowest panel on one machine. */
  panel: Record<'prometheus' | 'victoriametrics', { month: number; allDays: number }>;
  victoriametrics: Server;
  /** Each node of a cluster of three. */
  node: Server & { bucketGB: number };
  setup: string;
}

export function needsOf(a: Arrivals, u: Units): Needs {
  const peak = Math.max(a.weekday, a.monday, a.night, a.release, a.outage);
  const run = u.gatewayCpu + u.backendCpu;
  const memory = (series: number) =>
    (u.backendFixedMiB + u.gatewayMiB) / 2 ** 10 +
    (series * u.seriesBytes + a.monthSeries * u.askedBytes) / 2 ** 30;
  const tls = a.connections * u.tlsCpu;
  const needs = {
    cores: peak * run + tls,
    memoryGiB: memory(a.activeSeries),
    diskGB: (a.allRuns * u.chunkBytes + a.inBlocks * u.indexBytes) / 1e9,
    megabits: (peak * u.wireOut * 8) / 1e6,
    monthGB: (a.runsAMonth * (u.wireOut + u.wireBack)) / 1e9,
    panel: {
      prometheus: panelsOf(a, u.prometheus),
      victoriametrics: panelsOf(a, u.victoriametrics),
    },
    victoriametrics: {
      cores: peak * (u.gatewayCpu + u.victoriametrics.runCpu) + tls,
      memoryGiB:
        (u.victoriametrics.fixedMiB + u.gatewayMiB) / 2 ** 10 +
        (a.monthSeries * u.victoriametrics.seriesBytes) / 2 ** 30,
      diskGB: (a.allRuns * u.victoriametrics.runBytes) / 1e9,
    },
    node: {
      cores: (peak * run * CLUSTER.cpu + tls) / 3,
      memoryGiB: memory(a.nodeSeries),
      diskGB: ((a.allRuns / RETENTION) * NODE_DAYS * CLUSTER.nodeBytes) / 1e9,
      bucketGB: (a.allRuns * CLUSTER.bucketBytes) / 1e9,
    },
  };
  return { ...needs, setup: setupOf(needs) };
}

const panelsOf = (a: Arrivals, { month, allDays }: ReadUnits) => ({
  month: a.monthSeries * month,
  allDays: a.allSeries * allDays,
});

/** The first that is at most half used and answers in time. */
function setupOf(needs: Omit<Needs, 'setup'>): string {
  const { panel, node, victoriametrics } = needs;
  const inTime = (seconds: number) => seconds <= SERVER.panelSeconds;
  if (inTime(panel.prometheus.month)) {
    if (fits(needs)) return 'Prometheus';
    // Three copies on three nodes: each has every series, and a query reads all of them, as on one
    // machine.
    if (fits(node)) return 'Cortex, three nodes';
  }
  const nodes = nodesOf(victoriametrics, panel.victoriametrics.month);
  return nodes === 1 ? 'VictoriaMetrics' : `VictoriaMetrics cluster, ${nodes} nodes`;
}

const fits = (server: Server) => nodesOf(server, 0) === 1;

/** Over how many servers this must be spread, when each takes its share of everything. */
function nodesOf({ cores, memoryGiB, diskGB }: Server, panelSeconds: number): number {
  const used = 1 - SERVER.free;
  return Math.ceil(
    Math.max(
      cores / (SERVER.cores * used),
      memoryGiB / (SERVER.memoryGiB * used),
      diskGB / (SERVER.diskGB * used),
      panelSeconds / SERVER.panelSeconds,
      1,
    ),
  );
}
