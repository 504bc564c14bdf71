// hook.ts: the shell hook as text, and its place in the user's shell. The text is src/wrap/hook/hook.*, with the paths of Node and of
// this package; installed, it is a file in the configuration folder, and the rc file only sources it: no Node when a shell starts.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Deps } from '../system/deps.ts';
import { writePrivate } from '../system/files.ts';
import { type Paths, xdgConfig } from '../system/paths.ts';
import { addBlock, hasBlock, removeBlock } from './rc-file.ts';

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

/** The shell function; its paths are those of this package and of the Node that runs it. */
export function hookText(name: string): string {
  const { template, quote } = shell(name);
  const program = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../finished.ts' : 'finished.cjs');
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
  hasBlock(rc); // or it is an error, before anything is written
  writePrivate(file, hookText(shellName));
  addBlock(rc, `${source(file)}\n`);
  return rc;
}

/** Takes out what `installHook` put in, to the byte. Gives the rc file. */
export function uninstallHook(name: string | undefined, deps: Deps, paths: Paths): string {
  const { shellName, rc } = installable(name, deps);
  removeBlock(rc);
  rmSync(hookFile(shellName, paths), { force: true });
  return rc;
}

/** The files that shells read when they start, in which the hook can be. */
export function rcFiles(deps: Deps): string[] {
  const { home } = deps;
  if (home === undefined) return [];
  return Object.values(SHELLS).flatMap(({ rc }) => (rc ? [rc({ ...deps, home })] : []));
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
