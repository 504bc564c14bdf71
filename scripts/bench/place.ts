// place.ts: where a benchmark runs: a temporary folder, the environment of a new user, and the
// programs that it measures.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../harness/sandbox.ts';

/** How often each variant is measured. */
export const RUNS = Number(process.env.BENCH_RUNS ?? 60);

/** The built programs of this checkout. */
export const program = (name: 'cli' | 'reporter') => join(projectRoot, 'dist', `${name}.cjs`);

/**
 * Those of another checkout that was built, e.g. of the commit before a change: `hot` and
 * `reporter` compare with it.
 */
export const programBefore = (name: 'cli' | 'reporter'): string | undefined => {
  const against = process.env.BENCH_AGAINST;
  return against === undefined ? undefined : join(against, 'dist', `${name}.cjs`);
};

/** A user whose home is in the temporary folder, and whose lhp sends nothing of its own. */
export const userIn = (folder: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: join(folder, 'home'),
  LANG: 'C.UTF-8',
  LHP_OTEL_UPSTREAM: 'off',
});

/** Prints user and system time (ms), peak memory (MiB) and status, as the kernel counts them. */
const MEASURE = `
import json, os, sys
pid = os.spawnvpe(os.P_NOWAIT, sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(json.dumps([(usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024, status]))`;

export interface Measured {
  /** Processor time, ms. */
  cpu: number;
  /** Peak memory, MiB. */
  memory: number;
  stderr: string;
}

/** Runs a command, without blocking this process: a server in it may have to answer. */
export function measured(
  command: string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', MEASURE, ...command], { env, cwd });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', () => {
      const [cpu = 0, memory = 0, status = 1] = JSON.parse(stdout.trim() || '[]') as number[];
      if (status === 0) resolve({ cpu, memory, stderr });
      else reject(new Error(`${command.join(' ')} ended with ${status}: ${stderr}`));
    });
  });
}
