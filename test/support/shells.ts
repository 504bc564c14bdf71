// shells.ts: the real shells of the tests of the hook, each with a project and a home of its own,
// and a stand-in for lhp that does what a test needs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../../scripts/harness/needs.ts';
import {
  cli,
  type Env,
  idle,
  processesMentioning,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';

/** The stand-in for lhp. */
const programs = join(projectRoot, 'test', 'fixtures', 'bin');
export const SHELLS = (['bash', 'zsh', 'fish'] as const).filter((name) => !lacking(program(name)));
export type Shell = (typeof SHELLS)[number];
/** Without the user's own rc files. */
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

/** Waits for what was started in the places, and removes them; gives what did not end. */
export async function leave(): Promise<string[]> {
  const stayed: string[] = [];
  for (const { box } of places) {
    await idle(box).catch((error: Error) => stayed.push(error.message));
    for (const pid of processesMentioning(box.dir)) process.kill(pid, 'SIGKILL');
    box.dispose();
  }
  return stayed;
}

/** What the hook starts. */
export const finished = join(projectRoot, 'dist', 'hook-entry.cjs');

export const texts = Object.fromEntries(
  ['bash', 'zsh', 'fish', 'pwsh'].map((shell) => [
    shell,
    spawnSync(process.execPath, [cli, 'hook', shell], { encoding: 'utf8' }).stdout,
  ]),
) as Record<Shell | 'pwsh', string>;

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
 * What a shell says of a line names the line, which is the hook's then: known to differ, in scripts
 * only.
 */
const withoutPlace = (text: string) =>
  text
    .replace(/^(\S*bash|\S+hook): line \d+: +(\d+ )?/gm, '')
    .replace(/^(zsh|lhp):\d+: /gm, '')
    .replace(/^(fish: Unknown command: lhp\n)[\s\S]*/, '$1')
    .replace(/^(Terminated) .*/gm, '$1');

/**
 * Runs a script with or without the hook. The last line keeps a shell from becoming its last
 * command.
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
  child.stdin.on('error', () => {}); // the script need not read it
  child.stdin.end('typed\n');
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { ...seen, stderr: withoutPlace(seen.stderr), status, signal };
}
