// job.ts: what is known of a run when its command has ended. The wrapper, the shell hook and the
// library write it; the reporter reads it.
import type { Generate } from '../command/command.ts';
import type { GenerateEvent } from '../contract/contract.ts';
import type { Host } from '../system/host.ts';

/**
 * What the reporter needs to know of a run. It holds paths, so it is passed in the environment of
 * the reporter, which other users cannot read, and not in its arguments, which they can.
 */
export interface Job {
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Milliseconds since the epoch. Files that changed later do not describe this run. */
  endedAt: number;
  durationSeconds: number;
  root: string | undefined;
  generate?: Omit<Generate, 'verbose'>;
  /**
   * What a host of the library states itself. Counts that it does not state are scanned in `root`.
   */
  known?: Partial<GenerateEvent> & { project_name?: string };
  /** False where the notice was not shown before this run. */
  deliver: boolean;
  /** Whether the project was a bundle when the run ended; looked up where it is undefined. */
  bundle?: boolean | undefined;
  /** Whether more jobs follow on descriptor 3 (shared-reporter.ts). */
  more?: boolean;
}

/** A {@link Job} as the reporter gets it. */
export interface StartedJob extends Job {
  bundle: boolean;
  /** Whether the standard input of the reporter is the lhp.yaml of the run. */
  lhpYamlIsOpen: boolean;
  /**
   * {@link clockOffset} at the end of the run: a lower one later means that the clock was set back.
   */
  clockOffset: number;
  /** Whether timeout(1) ends the reporter after REPORTER_SECONDS (start-reporter.ts). */
  watched: boolean;
}

/** Wall clock minus monotonic clock, in milliseconds. */
export const clockOffset = (host: Pick<Host, 'now'>): number =>
  clockDifference(host.now, () => Number(process.hrtime.bigint() / 1_000_000n));

/**
 * By how much one clock is ahead of another. A process can be suspended after it has read the
 * first one, and then the difference is too small. So the largest of three readings counts.
 */
export const clockDifference = (first: () => number, second: () => number): number =>
  Math.max(...[1, 2, 3].map(() => first() - second()));

export const JOB_VARIABLE = 'LHP_OTEL_JOB';
