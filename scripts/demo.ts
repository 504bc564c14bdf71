// demo.ts: the main job, on a machine with nothing but Node and Python: a private venv with the
// real lhp, its sample project, a wrapped real `lhp generate`, and what was recorded of it. Local
// mode: no server, nothing leaves the machine, and nothing of the user's own state is touched
// (everything is under the demo's own folder, which is removed at the end).
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

// A fresh user without opt-outs, CI variables or an endpoint: the demo shows the defaults, whatever
// this shell has set.
const env: NodeJS.ProcessEnv = {
  PATH: [dirname(lhp), process.env.PATH].join(delimiter),
  HOME: join(folder, 'home'),
  LANG: 'C.UTF-8',
  ...(process.env.TERM && { TERM: process.env.TERM }),
  // lhp's own telemetry would be sent to its authors; the demo keeps it out of their numbers.
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
    '\nThat is all that was recorded, and it is on this machine only. Your own project: lhp-otel run -- lhp generate --env dev',
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

/** The reporter works behind the prompt's back; a person would not notice, a script has to wait. */
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
