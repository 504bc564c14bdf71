// hook.ts: the shell hook as text, and its place in the user's shell. The text is a template of
// scripts/ with the paths of Node and of this package filled in. `hook --install` writes it to the
// configuration folder, and adds a line to the shell's rc file that loads it. So no Node runs when
// a shell starts.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { OPT_OUT_VARIABLES } from '../consent/layers.ts';
import { writePrivate } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { cacheOf, launcherOf, thisCopy } from '../system/package.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';
import { version } from '../system/version.ts';
import { addBlock, blockOf, removeBlock } from './rc-file.ts';
import { hookFileName, SHELL_NAMES, SHELLS, type Shell, shellOf } from './shells.ts';

/** What a hook's text was made with. The text itself contains it. */
export interface HookOrigin {
  version: string;
  /** Absolute path of the Node that the hook starts, or of the shell that runs pip's command. */
  node: string;
  /**
   * Absolute path of dist/hook-entry.cjs in the package that made the text, or of the command that
   * pip has installed: that one finds the package and its Node again after an upgrade of either, or
   * of Python.
   */
  program: string;
}

const SHELL = '/bin/sh';
/** With this word the command of pip starts hook-entry.cjs. */
const ENTRY = 'hook-entry';

const MADE_WITH = '# Made with: ';
/** Folders of the system's own programs. PATH is not used: it may begin in a stranger's project. */
const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/run/current-system/sw/bin'];

const systemProgram = (name: string) =>
  SYSTEM_FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));

/** @param ownNode - the Node that the hook starts; by default the one that runs now. */
export function hookText(shellName: string, ownNode = process.execPath): string {
  const { template, pieces, quote } = shellOf(shellName);
  const launcher = launcherOf(thisCopy());
  const node = launcher === undefined ? ownNode : SHELL;
  const program = launcher ?? hookEntry();
  const [nice, setsid] = [systemProgram('nice'), systemProgram('setsid')];
  // JSON keeps it on one line, even if a path contains a line break.
  const origin: HookOrigin = { version, node, program };
  const replacements: Record<string, string> = {
    ...pieces,
    shell: shellName,
    about: `${MADE_WITH.slice(2)}${JSON.stringify(origin)}`,
    switches: OPT_OUT_VARIABLES.join(' '),
    node: quote(node),
    program: quote(program),
    entry: launcher === undefined ? '' : ENTRY,
    mv: systemProgram('mv') ?? '/bin/mv',
    nice: nice ? `${nice} -n 10` : '',
    setsid: setsid ?? '',
  };
  return readFileSync(join(import.meta.dirname, 'scripts', template), 'utf8').replace(
    /@([a-z\d-]+)@/g,
    (whole, name: string) => replacements[name] ?? whole,
  );
}

const hookEntry = () =>
  join(
    import.meta.dirname,
    import.meta.filename.endsWith('.ts') ? '../bin/hook-entry.ts' : 'hook-entry.cjs',
  );

/** The words that make the hook's Node print its version, or the whole of `--version`. */
export const versionCommand = ({ node, program }: HookOrigin): [string, ...string[]] =>
  node === SHELL ? [node, program, '--version'] : [node, '--version'];

/** The origin that a hook's text contains, or `undefined` if it cannot be read. */
export function originOf(text: string): HookOrigin | undefined {
  const line = text.split('\n').find((each) => each.startsWith(MADE_WITH));
  try {
    const made = JSON.parse(line?.slice(MADE_WITH.length) ?? '') as HookOrigin;
    const known = [made.version, made.node, made.program].every(
      (value) => typeof value === 'string',
    );
    return known && isAbsolute(made.node) && isAbsolute(made.program) ? made : undefined;
  } catch {
    return undefined; // A version that did not write it, or an edited file.
  }
}

export interface Installed {
  shellName: string;
  rc: string;
  /** Before the installation: no hook, the same hook, or a hook with another text. */
  before: 'new' | 'same' | 'renewed';
}

/**
 * Makes the shell load the hook when it starts. A second installation changes nothing.
 *
 * @param shellName - by default the shell in `$SHELL`.
 * @throws if the shell is unknown, if its rc file cannot be changed, or if this copy was installed
 * for one call only.
 */
export function installHook(shellName: string | undefined, host: Host, paths: Paths): Installed {
  const cache = cacheOf(thisCopy());
  if (cache)
    throw new Error(
      `this copy is in the cache of ${cache.program}, which may be emptied: ` +
        `install one that stays (${cache.instead}), and use its hook`,
    );
  const { name, rc, source } = installable(shellName, host);
  const file = hookFile(name, paths);
  const text = hookText(name);
  const lines = `${source(file)}\n`;
  const there = blockOf(rc); // This throws, if it does, before anything is written.
  const same = there === lines && readText(file) === text;
  if (!same) {
    writePrivate(file, text);
    addBlock(rc, lines);
  }
  return { rc, shellName: name, before: there === undefined ? 'new' : same ? 'same' : 'renewed' };
}

/** A hook that this user has installed. */
export interface InstalledHook {
  shellName: string;
  rc: string;
  /** The lines in the rc file. */
  lines: string;
  /** The lines as this version would write them. */
  expected: string;
  file: string;
}

/**
 * The hooks in the rc files of this user.
 *
 * @throws if an rc file cannot be read.
 */
export function installedHooks(host: Host, paths: Paths): InstalledHook[] {
  const { home } = host;
  if (home === undefined) return [];
  return Object.entries(SHELLS).flatMap(([shellName, { rc, source }]) => {
    const path = rc(host.env, home, host);
    const lines = blockOf(path);
    const file = hookFile(shellName, paths);
    const expected = `${source(file)}\n`;
    return lines === undefined ? [] : [{ shellName, rc: path, lines, expected, file }];
  });
}

/** Removes what `installHook` added, byte for byte. Returns the rc file. */
export function uninstallHook(shellName: string | undefined, host: Host, paths: Paths): string {
  const { name, rc } = installable(shellName, host);
  removeBlock(rc);
  rmSync(hookFile(name, paths), { force: true });
  return rc;
}

/** The rc files that can contain the hook. */
export function rcFiles(host: Host): string[] {
  const { home } = host;
  if (home === undefined) return [];
  return Object.values(SHELLS).map(({ rc }) => rc(host.env, home, host));
}

const hookFile = (shellName: string, paths: Paths) =>
  join(paths.configFolder, hookFileName(shellName));

interface Installable {
  name: string;
  rc: string;
  source: Shell['source'];
}

function installable(given: string | undefined, host: Host): Installable {
  const { env, home } = host;
  const name = given ?? basename(env.SHELL ?? '');
  if (given === undefined && !SHELL_NAMES.includes(name))
    throw new Error(
      `$SHELL is "${env.SHELL ?? ''}"; name the shell to install for: ${SHELL_NAMES.join(', ')}`,
    );
  const { rc, source } = shellOf(name);
  if (home === undefined) throw new Error('no home folder is known, so there is no file to edit');
  return { name, rc: rc(env, home, host), source };
}
