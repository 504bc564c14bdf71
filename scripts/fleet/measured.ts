// measured.ts: what `npm run bench -- fleet` measures, and sizing.ts calculates with.

/**
 * Seconds of the gateway's processor a run, by the way it comes; bytes of a delivery of one run, to
 * the gateway and back.
 */
export interface ConnectionCosts {
  kept: number;
  opened: number;
  tls: number;
  /** With TLS, as the client is set up by default, and compressed. */
  wire: Record<'plain' | 'gzip', { out: number; back: number }>;
}

/** How many answers are the truth, of how many; and the first that is not. */
export interface Exactness {
  right: number;
  asked: number;
  wrong: string | undefined;
}

/** Runs that were sent through the gateway into Prometheus. */
export interface Driven extends Exactness {
  machines: number;
  days: number;
  runs: number;
  connections: number;
  seconds: number;
  /** Seconds of processor time. */
  gatewayCpu: number;
  backendCpu: number;
  series: number;
  /** In the backend's head, at most, and its memory with them, MiB. */
  headSeries: number;
  gatewayMiB: number;
  backendMiB: number;
  blocks: Blocks;
}

export interface Blocks {
  chunkBytes: number;
  indexBytes: number;
  /** Series of each block, added up. */
  series: number;
  samples: number;
}

/** Runs of many days that were stored in a backend, and the dashboards that were asked of it. */
export interface Stored extends Exactness {
  backend: 'prometheus' | 'victoriametrics';
  machines: number;
  days: number;
  /** Seconds since the epoch: the end of the last day. */
  end: number;
  runs: number;
  /** Runs that no backend can tell from another one. */
  indistinct: number;
  series: number;
  fill: { seconds: number; cpuSeconds: number; peakMiB: number };
  diskBytes: number;
  /** Memory before dashboards are asked, and at most while they are, MiB. */
  restMiB: number;
  askedMiB: number;
  askings: Asking[];
}

/** The dashboards of one checkout, asked of a backend that may use so many cores. */
export interface Asking {
  /** Whose dashboards: those of this checkout, or those of the one to compare with. */
  version: 'now' | 'before';
  cores: number;
  panels: PanelTime[];
  dashboards: DashboardTime[];
}

/** Until all answers are there, and of processor time: medians. */
interface Times {
  ms: number;
  cpuMs: number;
  /** The first error of the backend, e.g. that a query took longer than it allows. */
  failed?: string;
}

export interface DashboardTime extends Times {
  dashboard: string;
}

export interface PanelTime extends DashboardTime {
  title: string;
  answers: Answer[];
}

/** The answer to one request: labels → values in the order of time. */
export type Answer = Map<string, string[]>;
