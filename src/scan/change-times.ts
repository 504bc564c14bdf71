// change-times.ts: whether a file or folder is still as it was during a run. The evidence is the
// change time (ctime), which no program can set. It changes with the content of a file, with the
// entries of a folder, and when either is renamed. What lhp only reads must not be newer than the
// start of the run. What lhp may write must not be newer than its end.

/** The times of the run, in milliseconds since the epoch. */
export interface RunTimes {
  startedAt: number;
  endedAt: number;
}

/** The project may have changed since the run. */
export class ChangedError extends Error {
  constructor() {
    super('the project has changed since the run');
  }
}

/** lhp's Python takes longer to start before it reads a file; the start has some ms of error. */
const STARTING_MS = 50;
/** Kernels stamp files with a clock that is up to one tick behind: at most 10 ms. */
const TICK_MS = 10;
/** A time stamp of whole seconds comes from a coarse file system. FAT counts in steps of 2 s. */
const COARSE_MS = 2_000;
const SECOND_NS = 1_000_000_000n;

/** The latest moment that the time stamp can stand for, in ms; a tick is not included. */
const latest = (ns: bigint): number =>
  Number(ns / 1000n) / 1000 + (ns % SECOND_NS === 0n ? COARSE_MS : 0);

/** Whether a file that lhp only reads is unchanged since lhp read it. */
export const isAsRead = (run: RunTimes | undefined, timeNs: bigint): boolean =>
  !run || latest(timeNs) <= run.startedAt + STARTING_MS;

/** Whether a file that lhp may write is unchanged since the end of the run. */
export const isAsLeft = (run: RunTimes | undefined, timeNs: bigint): boolean =>
  !run || latest(timeNs) <= run.endedAt - TICK_MS;

/** Whether the file may have changed after the run began. */
export const isOfRun = (run: RunTimes, timeNs: bigint): boolean => latest(timeNs) > run.startedAt;
