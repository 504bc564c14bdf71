// library.ts: npm run bench -- library. What a call of the library adds to its host: twenty calls
// one after the other, in a new process each time; the first starts the reporter that the others
// share.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quantile, table } from './measure.ts';

const RUNS = Number(process.env.BENCH_RUNS ?? 20);
const CALLS = 20;
const library = join(import.meta.dirname, '..', '..', 'dist', 'index.js');

const HOST = `
import { readdirSync, readFileSync } from 'node:fs';
import { recordGenerate } from ${JSON.stringify(library)};
const isChild = (pid) => {
  try {
    return readFileSync(\`/proc/\${pid}/status\`, 'utf8').includes(\`PPid:\\t\${process.pid}\\n\`);
  } catch {
    return false;
  }
};
const times = Array.from({ length: ${CALLS} }, (_, files_generated) => {
  const started = performance.now();
  recordGenerate({ files_generated });
  return performance.now() - started;
});
console.log(JSON.stringify({ times, processes: readdirSync('/proc').filter(isChild).length }));
`;

export async function libraryCalls(folder: string): Promise<void> {
  const host = join(folder, 'library-host.mjs');
  writeFileSync(host, HOST);
  const seen = Array.from({ length: RUNS }, (_, run) => {
    const HOME = join(folder, `library-home-${run}`);
    mkdirSync(HOME);
    const { stdout } = spawnSync(process.execPath, [host], {
      env: { HOME, PATH: process.env.PATH },
      encoding: 'utf8',
    });
    return JSON.parse(stdout) as { times: number[]; processes: number };
  });
  const row = (name: string, values: number[]) => [
    name,
    ...[0.5, 0.95].map((q) => quantile(values, q).toFixed(2)),
  ];
  table(
    `${CALLS} calls of recordGenerate in one process, ${RUNS} times`,
    ['', 'median', 'p95'],
    [
      row(
        'the first call, ms',
        seen.map(({ times }) => times[0] ?? 0),
      ),
      row(
        'each other call, ms',
        seen.flatMap(({ times }) => times.slice(1)),
      ),
      row(
        'all together, ms',
        seen.map(({ times }) => times.reduce((sum, time) => sum + time, 0)),
      ),
      row(
        'processes started',
        seen.map(({ processes }) => processes),
      ),
    ],
  );
}
