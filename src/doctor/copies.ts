// copies.ts: what `doctor` says about the copies of lhp-otel on PATH. Which copy runs depends on
// the order of folders in PATH, so a second one explains why an upgrade seems to have no effect.
// Copies are described from their files; none of them is started.
import { realpathSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import { readRegular } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { printable } from '../system/log.ts';
import { copyIn, launcherOf, thisCopy } from '../system/package.ts';
import { version } from '../system/version.ts';
import { ok, skipped, type Verdict, warning } from './verdict.ts';

const NAMES = process.platform === 'win32' ? ['lhp-otel.exe', 'lhp-otel.cmd'] : ['lhp-otel'];
/** Far above the size of package.json, and of the command that pip installs. */
const MAX_BYTES = 64 * 1024;

interface Found {
  path: string;
  /** The file behind all links. */
  file: string;
  kind: string;
  /** `undefined` where the files do not tell. */
  version: string | undefined;
}

export function probeCopies(host: Host): Verdict {
  const found = copiesOn(host.env.PATH ?? '');
  const { kind, folder } = thisCopy();
  const all = found.map(
    (copy) => `${copy.path} (${copy.kind}, ${copy.version ?? 'version unknown'})`,
  );
  const text = printable(all.join('; then ') || 'none is on PATH');
  const others = found.filter(({ file }) => !isThis(file));
  if (found.length === 0) return skipped(`${text}; this one is in ${printable(folder)}`);
  if (others.length === 0) return ok(`on PATH: ${text}`);
  const first = found[0] as Found;
  const here = `this is ${version} (${kind}) in ${printable(folder)}`;
  if (!isThis(first.file))
    return warning(
      `on PATH: ${text}; ${here}`,
      'the first one runs: uninstall what you do not use',
    );
  if (others.some((copy) => copy.version !== version))
    return warning(`on PATH: ${text}`, 'uninstall the others, or upgrade them too');
  return ok(`on PATH: ${text}`);
}

function copiesOn(path: string): Found[] {
  const found = new Map<string, Found>();
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    for (const name of NAMES) {
      const copy = copyAt(join(folder, name));
      if (copy && !found.has(copy.file)) found.set(copy.file, copy);
    }
  }
  return [...found.values()];
}

function copyAt(path: string): Found | undefined {
  try {
    if (!statSync(path).isFile()) return undefined;
    const file = realpathSync(path);
    const { kind, folder } = copyIn(dirname(file));
    if (basename(file) === 'cli.cjs') return { path, file, kind, version: npmVersion(folder) };
    return { path, file, kind: 'pip', version: pipVersion(file) };
  } catch {
    return undefined; // there is no such file, or it cannot be read
  }
}

/** Whether a command on PATH is the one that starts this copy. */
function isThis(file: string): boolean {
  const launcher = launcherOf(thisCopy());
  const own = launcher ?? join(import.meta.dirname, 'cli.cjs');
  try {
    return realpathSync(own) === file;
  } catch {
    return false; // this copy has been uninstalled
  }
}

function npmVersion(folder: string): string | undefined {
  const text = readRegular(join(folder, 'package.json'), { maxBytes: MAX_BYTES }).toString();
  const { version: found } = JSON.parse(text) as { version?: unknown };
  return typeof found === 'string' ? found : undefined;
}

/** The command of pip names the folder with the metadata of its version. */
function pipVersion(file: string): string | undefined {
  const text = readRegular(file, { maxBytes: MAX_BYTES }).toString();
  return /lhp_otel-(\d[\w.]*)\.dist-info/.exec(text)?.[1];
}
