// hook.ts: npm run bench -- hook. What the shell function adds to an lhp that does nothing. One
// process of each shell is given one line after the other; a time is from handing it the line to
// its answer that the line is done. The variants take turns.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile, shuffled, table } from './measure.ts';

const RUNS = Math.max(100, Number(process.env.BENCH_RUNS ?? 100));
const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.cjs');
/** A pause after a line that is recorded: by then its reporter has ended, mostly. */
const SETTLED_MS = 250;
/** A pause after each other line, so that every line begins on an idle machine. */
const PAUSE_MS = 20;

/** `command lhp` goes past the function; it is also what the function calls. */
const VARIANTS = [
  ['bare', 'command lhp generate'],
  ['hook, another command', 'lhp list'],
  ['hook, a generate, opted out', 'DO_NOT_TRACK=1 lhp generate'],
  ['hook, a generate that fails', 'lhp generate fail'],
  ['hook, a generate, recorded', 'lhp generate'],
] as const;

/** Each reads a line, does it, and says that it is done. */
export const SHELLS: Record<string, string[]> = {
  bash: [
    '--norc',
    '-c',
    '. "$HOOK"; while read -r line; do eval "$line" </dev/null; echo done; done',
  ],
  zsh: ['-f', '-c', '. "$HOOK"; while read -r line; do eval "$line" </dev/null; echo done; done'],
  fish: [
    '--no-config',
    '-c',
    'source $HOOK; while read -l line; eval "$line" </dev/null; echo done; end',
  ],
};

export async function hook(folder: string): Promise<void> {
  const bin = join(folder, 'hook-bin');
  const project = join(folder, 'hook-project');
  for (const path of [bin, project]) mkdirSync(path, { recursive: true });
  writeFileSync(join(project, 'lhp.yaml'), 'name: bench\n');
  writeFileSync(join(bin, 'lhp'), '#!/bin/sh\n[ "$2" != fail ]\n');
  chmodSync(join(bin, 'lhp'), 0o755);
  for (const [shell, args] of Object.entries(SHELLS)) {
    const file = join(folder, `hook.${shell}`);
    writeFileSync(file, spawnSync(process.execPath, [cli, 'hook', shell]).stdout);
    const PATH = [bin, process.env.PATH].join(delimiter);
    const env = { PATH, HOME: join(folder, `home-${shell}`), LANG: 'C.UTF-8', HOOK: file };
    const child = spawn(shell, args, { cwd: project, env, stdio: ['pipe', 'pipe', 'inherit'] });
    const times: number[][] = VARIANTS.map(() => []);
    for (let turn = -3; turn < RUNS; turn += 1) {
      for (const [index, [name, line]] of shuffled([...VARIANTS.entries()])) {
        const milliseconds = await timed(child, line);
        if (turn >= 0) times[index]?.push(milliseconds);
        await sleep(name.endsWith('recorded') ? SETTLED_MS : PAUSE_MS);
      }
    }
    child.stdin?.end();
    const bare = quantile(times[0] ?? [], 0.5);
    table(
      `${shell}, ${RUNS} of each (budget: 3 ms more)`,
      ['', 'median ms', 'p95 ms', 'more than bare'],
      VARIANTS.map(([name], index) => {
        const median = quantile(times[index] ?? [], 0.5);
        return [
          name,
          median.toFixed(2),
          quantile(times[index] ?? [], 0.95).toFixed(2),
          (median - bare).toFixed(2),
        ];
      }),
    );
  }
}

export function timed(shell: ChildProcess, line: string): Promise<number> {
  const started = process.hrtime.bigint();
  return new Promise((resolve) => {
    shell.stdout?.once('data', () => resolve(Number(process.hrtime.bigint() - started) / 1e6));
    shell.stdin?.write(`${line}\n`);
  });
}
