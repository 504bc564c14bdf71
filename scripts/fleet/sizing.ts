// sizing.ts: computes which servers a fleet needs, and whether one machine is enough, from its load
// (arrivals.ts) and the measured cost of a run, a series and a connection. Nothing is measured or
// printed here.
import type { Arrivals } from './arrivals.ts';
import { RETENTION } from './assumptions.ts';
import type { ConnectionCosts, Driven } from './measured.ts';

/** A node of Cortex keeps its blocks for ten days (deploy/cluster/cortex.yaml). */
const NODE_DAYS = 10;
/**
 * `npm run bench -- cluster-cost` on 2 cores of an AMD EPYC with other work, three gateways
 * (docs/operators-proofs.md, "What a cluster costs"): processor time against one machine's in the
 * same run, bytes of a run on each node, and in the bucket before it is compacted.
 */
export const CLUSTER = { cpu: 3.04 / 1.17, nodeBytes: 1_170, bucketBytes: 4_480 } as const;

/**
 * A server as it is bought, half of which is free in the busiest minute; a panel that takes longer
 * is given up by Grafana.
 */
export const SERVER = {
  cores: 8,
  memoryGiB: 32,
  diskGB: 1_000,
  free: 0.5,
  panelSeconds: 30,
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
  /** Seconds of the slowest panel for each series that it looks at. */
  monthPanel: number;
  allDaysPanel: number;
  wireOut: number;
  wireBack: number;
}

/** Measured fleets, the smallest first → what one of each costs. */
export function unitsOf(driven: readonly Driven[], { tls, opened, wire }: ConnectionCosts): Units {
  const [small, large] = [driven[0], driven.at(-1)] as [Driven, Driven];
  // With one fleet alone there is no line to draw: all of its memory counts as its series'.
  const perSeries =
    small === large
      ? large.backendMiB / large.headSeries
      : (large.backendMiB - small.backendMiB) / (large.headSeries - small.headSeries);
  return {
    gatewayCpu: large.gatewayCpu / large.runs,
    backendCpu: large.backendCpu / large.runs,
    tlsCpu: tls - opened,
    backendFixedMiB: large.backendMiB - perSeries * large.headSeries,
    seriesBytes: perSeries * 2 ** 20,
    askedBytes: ((large.askedMiB - large.backendMiB) / large.series) * 2 ** 20,
    gatewayMiB: large.gatewayMiB,
    chunkBytes: large.blocks.chunkBytes / large.runs,
    indexBytes: large.blocks.indexBytes / large.blocks.series,
    monthPanel: large.panels.monthMs / 1_000 / large.series,
    allDaysPanel: large.panels.allDaysMs / 1_000 / large.series,
    ...{ wireOut: wire.plain.out, wireBack: wire.plain.back },
  };
}

export interface Needs {
  cores: number;
  memoryGiB: number;
  diskGB: number;
  megabits: number;
  monthGB: number;
  monthPanel: number;
  /** If CI runners kept their state folder. */
  keptPanel: number;
  allDaysPanel: number;
  /** Each node of a cluster of three. */
  node: { cores: number; memoryGiB: number; diskGB: number; bucketGB: number };
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
    monthPanel: a.monthSeries * u.monthPanel,
    keptPanel: a.keptSeries * u.monthPanel,
    allDaysPanel: a.allSeries * u.allDaysPanel,
    node: {
      cores: (peak * run * CLUSTER.cpu + tls) / 3,
      memoryGiB: memory(a.nodeSeries),
      diskGB: ((a.allRuns / RETENTION) * NODE_DAYS * CLUSTER.nodeBytes) / 1e9,
      bucketGB: (a.allRuns * CLUSTER.bucketBytes) / 1e9,
    },
  };
  return { ...needs, setup: setupOf(needs) };
}

function setupOf(needs: Omit<Needs, 'setup'>): string {
  const one = tooMuch(needs);
  if (needs.monthPanel > SERVER.panelSeconds) one.push('panels');
  if (one.length === 0) return 'one machine';
  // Three copies on three nodes: each has every series, and a question reads all of them, as on one
  // machine.
  const three = tooMuch(needs.node);
  if (needs.monthPanel > SERVER.panelSeconds) three.push('panels');
  return three.length === 0 ? 'three nodes' : `neither: ${three.join(', ')}`;
}

function tooMuch({
  cores,
  memoryGiB,
  diskGB,
}: Pick<Needs, 'cores' | 'memoryGiB' | 'diskGB'>): string[] {
  const used = 1 - SERVER.free;
  return [
    ...(cores > SERVER.cores * used ? ['processor'] : []),
    ...(memoryGiB > SERVER.memoryGiB * used ? ['memory'] : []),
    ...(diskGB > SERVER.diskGB * used ? ['disk'] : []),
  ];
}
