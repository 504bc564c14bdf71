// context.ts: what every command gets: the world, and the ways to answer: lines on stdout, and the
// exit status.
import type { Host } from '../system/host.ts';
import type { Print } from '../system/print.ts';

/**
 * run.ts, which is handed down: to import it here would split the program, and the hot path would
 * load more files.
 */
export type Run = (words: readonly string[]) => Promise<number>;

export interface Context {
  host: Host;
  print: Print;
  /** The exit status, where it is not 0. */
  exit(status: number): void;
  run: Run;
  /**
   * Shows the notice of the endpoint, if it is due and there is a terminal. True when it was shown
   * just now.
   */
  showNotice(): Promise<boolean>;
}
