// place.ts: can this user keep files in our folders? Asked before anything is written or promised.
// Nothing is ever created in the home of another user: after `sudo` with a kept HOME the files
// would be root's, and the user's own runs could no longer be recorded. CI is an exception, where a
// home may be another user's (GitHub's job containers run as root in the home of user 1001), and
// where no person's files are affected.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ciVariableSet, isCi } from '../config/ci.ts';
import { errorCode } from '../system/error.ts';
import { whyUntrusted } from '../system/files.ts';
import type { Env } from '../system/host.ts';
import { printable } from '../system/log.ts';
import type { Paths } from '../system/paths.ts';

/** Why nothing can be kept, and what to do. */
export interface Obstacle {
  what: string;
  advice: string;
}

/** What prevents runs from being recorded. */
export async function obstacleToRuns(env: Env, paths: Paths): Promise<Obstacle | undefined> {
  const found = firstObstacle(runFolders(paths), false);
  return found && (await isCi(env)) ? firstObstacle(runFolders(paths), true) : found;
}

/**
 * The same synchronously, for a host of the library. Knows only the telemetry page's CI variables.
 */
export const obstacleToRunsNow = (env: Env, paths: Paths): Obstacle | undefined =>
  firstObstacle(runFolders(paths), ciVariableSet(env));

/** What prevents the user's choice from being written. */
export const obstacleToChoice = (paths: Paths): Obstacle | undefined =>
  obstacleTo(paths.configFolder, false);

const runFolders = ({ state, spool, history }: Paths) => [state, spool, history];

function firstObstacle(folders: readonly string[], anyHome: boolean): Obstacle | undefined {
  for (const folder of folders) {
    const found = obstacleTo(folder, anyHome);
    if (found) return found;
  }
  return undefined;
}

/** @param anyHome - Whether the folder may be created in the home of another user. */
export function obstacleTo(folder: string, anyHome: boolean): Obstacle | undefined {
  try {
    const at = existing(folder);
    const stats = statSync(at);
    if (!stats.isDirectory())
      return { what: `${printable(at)} is not a folder`, advice: ELSEWHERE };
    const user = process.geteuid?.();
    if (
      user !== undefined &&
      isForeign(stats.uid, user, at === folder) &&
      !(anyHome && at !== folder)
    )
      return foreign(at, stats.uid, user);
    const why = at === folder ? whyUntrusted(at) : undefined;
    if (why !== undefined)
      return { what: `${printable(at)} ${why}`, advice: `chmod 700 ${quoted(at)}` };
    accessSync(at, constants.W_OK | constants.X_OK | (at === folder ? constants.R_OK : 0));
    return undefined;
  } catch (error) {
    return {
      what: `${printable(folder)} cannot be written (${errorCode(error) ?? 'unknown error'})`,
      advice: ELSEWHERE,
    };
  }
}

const ELSEWHERE = 'make it writable, or set HOME or XDG_STATE_HOME to a folder of yours';

/** The folder itself, or the nearest one above it that exists. */
function existing(path: string): string {
  for (let at = path; ; at = dirname(at)) if (exists(at) || at === dirname(at)) return at;
}

/** Throws where that cannot be known. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/**
 * The system's folders (/tmp) belong to root, and may be used as their modes say. Our own folders
 * must belong to the user.
 */
const isForeign = (owner: number, user: number, ours: boolean): boolean =>
  owner !== user && (ours || user === 0 || owner !== 0);

function foreign(path: string, owner: number, user: number): Obstacle {
  const what = `${printable(path)} belongs to ${userName(owner)}, and you are ${userName(user)}`;
  if (user === 0) return { what, advice: 'run it as that user, without sudo' };
  if (owner !== 0) return { what, advice: ELSEWHERE };
  return {
    what: `${what}: something was run with sudo`,
    advice: `sudo chown -R ${user} ${quoted(path)}`,
  };
}

const userName = (uid: number) => (uid === 0 ? 'root' : `user ${uid}`);
const quoted = (path: string) =>
  printable(/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
