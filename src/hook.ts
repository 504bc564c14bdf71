// hook.ts: the shell hook as text, and its place in the user's shell. The text is src/hook/hook.*, with the paths of Node and of
// this package; installed, it is a file in the configuration folder, and the rc file only sources it: no Node when a shell starts.
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Deps } from './deps.ts';
import { ensureFolder, writePrivate } from './files.ts';
import { type Paths, xdgConfig } from './paths.ts';

interface Shell {
  template: string;
  /** The text as one word of the shell. */
  quote(text: string): string;
  /** The file that the shell reads when it starts; none where we do not edit it. */
  rc?(deps: Deps & { home: string }): string;
  source?(file: string): string;
}

const posixQuote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const fishQuote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
const posixSource = (file: string) => `if [ -r ${posixQuote(file)} ]; then . ${posixQuote(file)}; fi`;

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
    rc: (deps) => join(xdgConfig(deps), 'fish', 'config.fish'),
    source: (file) => `if test -r ${fishQuote(file)}; source ${fishQuote(file)}; end`,
  },
  pwsh: { template: 'hook.ps1', quote: (text) => `'${text.replaceAll("'", "''")}'` },
};

/** Whose hook can be printed. */
export const HOOK_SHELLS = Object.keys(SHELLS);

const BEGIN = '# >>> lhp-otel hook >>>';
const END = '# <<< lhp-otel hook <<<\n';
const MADE = ' (made this file)';
const ENDED = ' (ended the line above)';

/** The shell function; its paths are those of this package and of the Node that runs it. */
export function hookText(name: string): string {
  const { template, quote } = shell(name);
  const program = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'finished.ts' : 'finished.cjs');
  const setsid = ['/usr/bin/setsid', '/bin/setsid'].find((path) => existsSync(path)) ?? '';
  return readFileSync(join(import.meta.dirname, 'hook', template), 'utf8')
    .replaceAll('@node@', () => quote(process.execPath))
    .replaceAll('@program@', () => quote(program))
    .replaceAll('@setsid@ ', setsid && `${setsid} `);
}

/** Makes the shell load the hook when it starts; done twice it is as done once. Gives the rc file. */
export function installHook(name: string | undefined, deps: Deps, paths: Paths): string {
  const { shellName, rc, source } = installable(name, deps);
  const file = hookFile(shellName, paths);
  const text = readRc(rc);
  const block = latin1(`${source(file)}\n`);
  const found = findBlock(text ?? '', rc);
  writePrivate(file, hookText(shellName));
  if (found) replaceRc(rc, `${found.before}${found.begin}${block}${END}${found.after}`, text);
  else {
    // What was added beside the block is noted in its first line, so that uninstalling gives the same bytes.
    const added = text === undefined ? MADE : /[^\n]$/.test(text) ? ENDED : '';
    replaceRc(rc, `${text ?? ''}${added === ENDED ? '\n' : ''}${BEGIN}${added}\n${block}${END}`, text);
  }
  return rc;
}

/** Takes out what `installHook` put in, to the byte. Gives the rc file. */
export function uninstallHook(name: string | undefined, deps: Deps, paths: Paths): string {
  const { shellName, rc } = installable(name, deps);
  const text = readRc(rc);
  const found = findBlock(text ?? '', rc);
  if (found) {
    const made = found.begin.includes(MADE);
    const before = found.begin.includes(ENDED) ? found.before.slice(0, -1) : found.before;
    if (made && before + found.after === '') rmSync(rc);
    else replaceRc(rc, before + found.after, text);
  }
  rmSync(hookFile(shellName, paths), { force: true });
  return rc;
}

const hookFile = (shellName: string, paths: Paths) => join(dirname(paths.config), shell(shellName).template);

function shell(name: string): Shell {
  const found = Object.hasOwn(SHELLS, name) ? SHELLS[name] : undefined;
  if (!found) throw new Error(`"${name}" is no shell that is known here; it must be ${HOOK_SHELLS.join(', ')}`);
  return found;
}

function installable(given: string | undefined, deps: Deps) {
  const shellName = given ?? basename(deps.env.SHELL ?? '');
  if (given === undefined && !HOOK_SHELLS.includes(shellName))
    throw new Error(`$SHELL is "${deps.env.SHELL ?? ''}"; say which shell it is for: bash, zsh or fish`);
  const { rc, source } = shell(shellName);
  if (!rc || !source)
    throw new Error(`${shellName} is not edited: put the output of \`lhp-otel hook ${shellName}\` into its $PROFILE`);
  if (deps.home === undefined) throw new Error('no home folder is known: nothing to edit');
  return { shellName, rc: rc({ ...deps, home: deps.home }), source };
}

/** rc files are bytes to us; each is one character here. */
const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** `undefined` where there is none. */
function readRc(rc: string): string | undefined {
  try {
    return readFileSync(rc, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new Error(`${rc} cannot be read (${code})`);
    if (lstatSync(rc, { throwIfNoEntry: false })) throw new Error(`${rc} is a link to a file that is not there`);
    return undefined;
  }
}

function findBlock(text: string, rc: string) {
  const start = text.indexOf(BEGIN);
  const end = text.indexOf(END, start);
  if (start < 0) return undefined;
  if (end < 0) throw new Error(`${rc} has the line "${BEGIN}" without "${END.trim()}"; remove that line first`);
  return {
    before: text.slice(0, start),
    begin: text.slice(start, text.indexOf('\n', start) + 1),
    after: text.slice(end + END.length),
  };
}

/** As a whole, by a rename, in the place of the file that a link names, with its mode and owner. */
function replaceRc(rc: string, text: string, old: string | undefined): void {
  if (text === old) return;
  const temporary = `${old === undefined ? rc : realpathSync(rc)}.lhp-otel.${process.pid}`;
  let made = false;
  try {
    if (old === undefined) ensureFolder(dirname(rc));
    const target = old === undefined ? undefined : statSync(rc);
    writeFileSync(temporary, text, { encoding: 'latin1', flag: 'wx', mode: (target?.mode ?? 0o644) & 0o7777 });
    made = true;
    if (target) keepOwner(temporary, target);
    renameSync(temporary, old === undefined ? rc : realpathSync(rc));
  } catch (error) {
    if (made) rmSync(temporary);
    throw new Error(`${rc} cannot be written (${(error as NodeJS.ErrnoException).code}); it is as it was`);
  }
}

function keepOwner(path: string, { uid, gid, mode }: { uid: number; gid: number; mode: number }): void {
  const made = statSync(path);
  if (made.uid !== uid || made.gid !== gid) chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777); // the umask took from it
}
