// demo.ts: shows what lhp-otel does, on a machine that has only Node and Python: installs lhp into
// a private venv, creates its sample project, runs a wrapped `lhp generate` and prints what was
// recorded. There is no server and nothing leaves the machine. All files are in a temporary folder,
// which is removed at the end.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureLhp } from './setup/install.mjs';

const cli = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'cli.cjs');
const lhp = await ensureLhp('0.9.3');
const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-demo-'));
const project = join(folder, 'demo');

// The environment of a new user: no opt-out, CI variable or endpoint of this shell.
const env: NodeJS.ProcessEnv = {
  PATH: [dirname(lhp), process.env.PATH].join(delimiter),
  HOME: join(folder, 'home'),
  LANG: 'C.UTF-8',
  ...(process.env.TERM && { TERM: process.env.TERM }),
  // Switches off lhp's own telemetry, which would count the demo as usage.
  LHP_OTEL_UPSTREAM: 'off',
};

try {
  mkdirSync(project, { recursive: true });
  step('lhp init demo --sample --no-git');
  run(lhp, ['init', 'demo', '--sample', '--no-git'], 'quiet');

  step('lhp-otel run -- lhp generate --env dev -pc config/pipeline_config.yaml');
  run(process.execPath, [
    cli,
    'run',
    '--',
    'lhp',
    'generate',
    '--env',
    'dev',
    '-pc',
    'config/pipeline_config.yaml',
  ]);

  step('lhp-otel show --last 1');
  const event = await recorded();
  console.log(JSON.stringify(event, null, 2));

  step('lhp-otel status');
  run(process.execPath, [cli, 'status']);
  console.log(
    '\nThis is all that was recorded, and it stays on this machine. For your own project:\n' +
      'lhp-otel run -- lhp generate --env dev',
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function step(text: string): void {
  console.log(`\n$ ${text}`);
}

function run(command: string, args: string[], output: 'shown' | 'quiet' = 'shown'): void {
  const result = spawnSync(command, args, {
    cwd: project,
    env: output === 'quiet' ? { ...env, LHP_TELEMETRY: 'off' } : env,
    stdio: output === 'quiet' ? ['ignore', 'ignore', 'inherit'] : ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0)
    throw new Error(
      `${command} ended with ${result.status ?? result.signal ?? result.error?.message}`,
    );
}

/** The reporter records in the background, after the command has ended, so this waits for it. */
async function recorded(): Promise<Record<string, unknown>> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { stdout } = spawnSync(process.execPath, [cli, 'show', '--last', '1'], {
      cwd: project,
      env,
      encoding: 'utf8',
    });
    if (stdout.trim()) return JSON.parse(stdout) as Record<string, unknown>;
    await sleep(50);
  }
  throw new Error('nothing was recorded within 10 seconds');
}
