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

export interface Driven {
  machines: number;
  days: number;
  runs: number;
  connections: number;
  seconds: number;
  /** Answers that are the truth, of how many; and the first that is not. */
  right: number;
  asked: number;
  wrong: string | undefined;
  /** Seconds of processor time. */
  gatewayCpu: number;
  backendCpu: number;
  series: number;
  /** In the backend's head, at most, and its memory with them, MiB. */
  headSeries: number;
  gatewayMiB: number;
  backendMiB: number;
  /** And when the dashboards had been asked, too. */
  askedMiB: number;
  blocks: Blocks;
  panels: Latency;
}

export interface Blocks {
  chunkBytes: number;
  indexBytes: number;
  /** Series of each block, added up. */
  series: number;
  samples: number;
}

export interface Latency {
  /**
   * The panel that takes longest over 30 days, and its time; also over all days that are kept.
   * Milliseconds.
   */
  slowest: string;
  monthMs: number;
  allDaysMs: number;
  /** All panels over 30 days, one after the other. */
  panelsMs: number;
}
