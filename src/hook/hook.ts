// hook.ts: the shell hook as text, and its place in the user's shell. The text is
// src/hook/scripts/hook.*, with the paths of Node and of this package; installed, it is a file in
// the configuration folder, and the rc file only sources it: no Node when a shell starts.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { writePrivate } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { type Paths, xdgConfig } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';
import { version } from '../system/version.ts';
import { addBlock, blockOf, removeBlock } from './rc-file.ts';

interface Shell {
  template: string;
  /** The text as one word of the shell. */
  quote(text: string): string;
  /** The file that the shell reads when it starts; none where we do not edit it. */
  rc?(host: Host & { home: string }): string;
  source?(file: string): string;
}

const posixQuote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const fishQuote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
const posixSource = (file: string) =>
  `if [ -r ${posixQuote(file)} ]; then . ${posixQuote(file)}; fi`;

const SHELLS: Record<string, Shell> = {
  bash: {
    template: 'hook.bash',
    quote: posixQuote,
    rc: ({ home }) => join(home, '.bashrc'),
    source: posixSource,
  },
  zsh: {
    template: 'hook.zsh',
    quote: posixQuote,
    rc: ({ env, home }) => join(env.ZDOTDIR || home, '.zshrc'),
    source: posixSource,
  },
  fish: {
    template: 'hook.fish',
    quote: fishQuote,
    rc: (host) => join(xdgConfig(host), 'fish', 'config.fish'),
    source: (file) => `if test -r ${fishQuote(file)}; source ${fishQuote(file)}; end`,
  },
  pwsh: { template: 'hook.ps1', quote: (text) => `'${text.replaceAll("'", "''")}'` },
};

/** Whose hook can be printed. */
export const HOOK_SHELLS = Object.keys(SHELLS);

/** What a hook's text was made with; it stands in the text itself. */
export interface HookOrigin {
  version: string;
  /** Absolute path of the Node that the hook starts. */
  node: string;
  /** Absolute path of dist/hook-entry.cjs of the package that made it. */
  program: string;
}

const MADE_WITH = '# Made with: ';
/** Where systems keep their own programs. PATH is not asked: a folder of a project may be in it. */
const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/run/current-system/sw/bin'];

const systemProgram = (name: string) =>
  SYSTEM_FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));

/** The shell function, with the path of this package and of a Node (the one that runs it). */
export function hookText(name: string, node = process.execPath): string {
  const { template, quote } = shell(name);
  const program = join(
    import.meta.dirname,
    import.meta.filename.endsWith('.ts') ? '../bin/hook-entry.ts' : 'hook-entry.cjs',
  );
  const [nice, setsid] = [systemProgram('nice'), systemProgram('setsid')];
  // As JSON it is one line, whatever a path holds.
  const origin: HookOrigin = { version, node, program };
  const about = `${MADE_WITH.slice(2)}${JSON.stringify(origin)}`;
  return readFileSync(join(import.meta.dirname, 'scripts', template), 'utf8')
    .replaceAll('@about@', () => about)
    .replaceAll('@node@', () => quote(node))
    .replaceAll('@program@', () => quote(program))
    .replaceAll('@mv@', systemProgram('mv') ?? '/bin/mv')
    .replaceAll('@nice@ ', nice ? `${nice} -n 10 ` : '')
    .replaceAll('@setsid@ ', setsid ? `${setsid} ` : '');
}

/** What a hook's text says that it was made with; `undefined` where it cannot be read. */
export function originOf(text: string): HookOrigin | undefined {
  const line = text.split('\n').find((each) => each.startsWith(MADE_WITH));
  try {
    const made = JSON.parse(line?.slice(MADE_WITH.length) ?? '') as HookOrigin;
    const known = [made.version, made.node, made.program].every(
      (value) => typeof value === 'string',
    );
    return known && isAbsolute(made.node) && isAbsolute(made.program) ? made : undefined;
  } catch {
    return undefined; // of a version that did not say it, or edited
  }
}

export interface Installed {
  shellName: string;
  rc: string;
  /**
   * `new`: it was not there; `same`: it was, as it is now; `renewed`: it was, and is another one
   * now.
   */
  before: 'new' | 'same' | 'renewed';
}

/** Makes the shell load the hook when it starts; done twice it is as done once. */
export function installHook(name: string | undefined, host: Host, paths: Paths): Installed {
  const { shellName, rc, source } = installable(name, host);
  const file = hookFile(shellName, paths);
  const text = hookText(shellName);
  const lines = `${source(file)}\n`;
  const there = blockOf(rc); // or it is an error, before anything is written
  const same = there === lines && readText(file) === text;
  if (!same) {
    writePrivate(file, text);
    addBlock(rc, lines);
  }
  return { rc, shellName, before: there === undefined ? 'new' : same ? 'same' : 'renewed' };
}

/** A hook as this user has it now. */
export interface InstalledHook {
  shellName: string;
  rc: string;
  /** Of the block in the rc file, as it is. */
  lines: string;
  /** As this version would write it. */
  expected: string;
  file: string;
}

/** The shells of this user whose rc file has our block. Throws where one cannot be read. */
export function installedHooks(host: Host, paths: Paths): InstalledHook[] {
  return HOOK_SHELLS.flatMap((shellName) => {
    const { rc, source } = shell(shellName);
    if (!rc || !source || host.home === undefined) return [];
    const path = rc({ ...host, home: host.home });
    const lines = blockOf(path);
    const file = hookFile(shellName, paths);
    const expected = `${source(file)}\n`;
    return lines === undefined ? [] : [{ shellName, rc: path, lines, expected, file }];
  });
}

/** Takes out what `installHook` put in, to the byte. Gives the rc file. */
export function uninstallHook(name: string | undefined, host: Host, paths: Paths): string {
  const { shellName, rc } = installable(name, host);
  removeBlock(rc);
  rmSync(hookFile(shellName, paths), { force: true });
  return rc;
}

/** The files that shells read when they start, in which the hook can be. */
export function rcFiles(host: Host): string[] {
  const { home } = host;
  if (home === undefined) return [];
  return Object.values(SHELLS).flatMap(({ rc }) => (rc ? [rc({ ...host, home })] : []));
}

const hookFile = (shellName: string, paths: Paths) =>
  join(paths.configFolder, shell(shellName).template);

function shell(name: string): Shell {
  const found = Object.hasOwn(SHELLS, name) ? SHELLS[name] : undefined;
  if (!found)
    throw new Error(
      `"${name}" is no shell that is known here; it must be ${HOOK_SHELLS.join(', ')}`,
    );
  return found;
}

function installable(given: string | undefined, host: Host) {
  const shellName = given ?? basename(host.env.SHELL ?? '');
  if (given === undefined && !HOOK_SHELLS.includes(shellName))
    throw new Error(
      `$SHELL is "${host.env.SHELL ?? ''}"; say which shell it is for: bash, zsh or fish`,
    );
  const { rc, source } = shell(shellName);
  if (!rc || !source)
    throw new Error(
      `${shellName} is not edited: put the output of \`lhp-otel hook ${shellName}\` into its $PROFILE`,
    );
  if (host.home === undefined) throw new Error('no home folder is known: nothing to edit');
  return { shellName, rc: rc({ ...host, home: host.home }), source };
}
