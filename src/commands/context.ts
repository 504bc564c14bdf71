// context.ts: what every command is given: the machine, and the ways to answer, which are lines on
// stdout and the exit status.
import type { Host } from '../system/host.ts';
import type { Print } from '../system/print.ts';

/**
 * `run` of run.ts. It is passed as a value: an import from here would make the bundler split the
 * program, and the hot path would load one more file.
 */
export type Run = (words: readonly string[]) => Promise<number>;

export interface Context {
  host: Host;
  print: Print;
  /** Sets the exit status; it is 0 where no command sets it. */
  exit(status: number): void;
  run: Run;
  /**
   * Shows the notice of the endpoint where it is due and there is a terminal. Returns whether this
   * process has shown it.
   */
  showNotice(): Promise<boolean>;
}
