// shells.ts: real shells for the tests of the hook. Each test gets a project and a home folder, and
// a stand-in for lhp that runs the test's `$DO`.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../../scripts/harness/needs.ts';
import {
  cli,
  type Env,
  leaveAll,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';

/** The stand-in for lhp. */
const programs = join(projectRoot, 'test', 'fixtures', 'bin');
export const SHELLS = (['bash', 'zsh', 'fish'] as const).filter((name) => !lacking(program(name)));
export type Shell = (typeof SHELLS)[number];
/** The rc file of each shell, below the home folder. */
export const RC_FILES: Record<Shell, string> = {
  bash: '.bashrc',
  zsh: '.zshrc',
  fish: '.config/fish/config.fish',
};
/** Starts each shell without rc files. */
export const CLEAN: Record<Shell, string[]> = {
  bash: [program('bash').path, '--norc', '--noprofile'],
  zsh: [program('zsh').path, '-f'],
  fish: [program('fish').path, '--no-config'],
};

export interface Place {
  box: Sandbox;
  project: string;
  hook: string;
}
const places: Place[] = [];

/** Waits for the processes of all places, and removes the places. Returns what did not end. */
export const leave = (): Promise<string[]> => leaveAll(places.map(({ box }) => box));

/** The program that the hook starts. */
export const entry = join(projectRoot, 'dist', 'hook-entry.cjs');

const hookOf = (shell: Shell): string =>
  spawnSync(process.execPath, [cli, 'hook', shell], { encoding: 'utf8' }).stdout;
/** The hook of each shell. */
export const texts: Record<Shell, string> = {
  bash: hookOf('bash'),
  zsh: hookOf('zsh'),
  fish: hookOf('fish'),
};

export function place(shell: Shell): Place {
  const box = sandbox({ path: [programs], env: { LC_ALL: 'C.UTF-8' } });
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: hook\n');
  const hook = join(box.dir, 'hook');
  writeFileSync(hook, texts[shell]);
  const where = { box, project, hook };
  places.push(where);
  return where;
}

/**
 * Removes the script and line that a shell puts before its messages. With the hook it is a line of
 * the hook, which is a known difference in scripts.
 */
const withoutPlace = (text: string) =>
  text
    .replace(/^(\S*bash|\S+hook): line \d+: +(\d+ )?/gm, '')
    .replace(/^(zsh|lhp):\d+: /gm, '')
    .replace(/^(fish: Unknown command: lhp\n)[\s\S]*/, '$1')
    .replace(/^(Terminated) .*/gm, '$1');

/**
 * Runs a script with or without the hook. It ends with `exit`, because a shell replaces itself by
 * the last command of a script.
 */
export async function script(
  shell: Shell,
  where: Place,
  text: string,
  hooked: boolean,
  env: Env = {},
) {
  const [file = '', ...args] = CLEAN[shell];
  const child = spawn(
    file,
    [
      ...args,
      '-c',
      `${hooked ? '. "$HOOK"' : ':'}\n${text}\nexit ${shell === 'fish' ? '$status' : '$?'}`,
    ],
    {
      cwd: where.project,
      env: { ...where.box.env, DO: 'exit 0', HOOK: where.hook, ...env } as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  const seen = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('latin1').on('data', (bytes: string) => {
      seen[name] += bytes;
    });
  }
  child.stdin.on('error', () => {}); // A script that ends without reading it is fine.
  child.stdin.end('typed\n');
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { ...seen, stderr: withoutPlace(seen.stderr), status, signal };
}
