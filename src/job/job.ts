// job.ts: what is known of a run when its command has ended. The wrapper, the shell hook and the
// library write it, and the reporter reads it.
import type { Generate } from '../command/command.ts';
import type { GenerateEvent } from '../contract/contract.ts';

/**
 * What the reporter needs to know of a run. It holds paths, so it travels in the reporter's own
 * environment, not in `ps`.
 */
export interface Job {
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** What has changed since then is no fact of this run. */
  endedAt: number;
  durationSeconds: number;
  root: string | undefined;
  generate?: Omit<Generate, 'verbose'>;
  /** What a host of the library knows itself; counts that are missing are scanned in `root`. */
  known?: Partial<GenerateEvent> & { project_name?: string };
  /** False where the notice was not shown before this run. */
  deliver: boolean;
  /** Whether the project was a bundle when the run ended; looked up here where it is not given. */
  bundle?: boolean | undefined;
  /** Whether more jobs follow on descriptor 3 (shared-reporter.ts). */
  more?: boolean;
}

/** What is added to a {@link Job} on its way. */
export interface StartedJob extends Job {
  bundle: boolean;
  /** The reporter's standard input is the lhp.yaml of the run. */
  lhpYamlIsOpen: boolean;
  /**
   * Wall clock minus monotonic clock, in ms: later it shows whether the wall clock was set back.
   */
  clock: number;
  /** Another process ends the reporter after REPORTER_SECONDS (start-reporter.ts). */
  watched: boolean;
}

export const clockNow = (): number => Date.now() - Number(process.hrtime.bigint() / 1_000_000n);

export const JOB_VARIABLE = 'LHP_OTEL_JOB';
