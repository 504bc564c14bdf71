// run.ts: npm test [-- FILE...], npm run test:all and npm run test:rest. The tests have two parts:
// `npm test` runs the first one, which covers everything that a change of the client, the gateway
// or the page can break; the rest are other backends, clusters and long matrices. The last line is
// `N passed, N failed, N skipped`, of all parts that ran.
import { join } from 'node:path';
import { startVitest, type TestCase } from 'vitest/node';
import { Counter, type Counts, closingLine } from './support/closing-line.ts';
import { EXTENDED } from './support/tags.ts';

interface Part {
  project: string[];
  tagsFilter: string;
  isIn: (test: TestCase) => boolean;
}

const isExtended = (test: TestCase) => test.tags.includes(EXTENDED);
const fast: Part = {
  project: ['!extended'],
  tagsFilter: `!${EXTENDED}`,
  isIn: (test) => !isExtended(test),
};
/** The folder test/extended (its files have the tag), and the tests with the tag elsewhere. */
const rest: Part = { project: [], tagsFilter: EXTENDED, isIn: isExtended };

async function run(part: Part, files: string[]): Promise<Counts> {
  const { project, tagsFilter, isIn } = part;
  // vitest.config.ts: the rest also waits for what its tests outside test/extended need.
  process.env.LHP_OTEL_TESTS = part === rest ? 'rest' : 'fast';
  const counter = new Counter(isIn);
  const vitest = await startVitest('test', files, {
    config: join(import.meta.dirname, 'vitest.config.ts'),
    run: true,
    project,
    tagsFilter: [tagsFilter],
    reporters: ['default', counter],
  });
  await vitest.close();
  return counter.counts;
}

const args = process.argv.slice(2);
const chosen = args.includes('--all') ? [fast, rest] : args.includes('--rest') ? [rest] : [fast];
const files = args.filter((arg) => !arg.startsWith('--'));
const counts: Counts[] = [];
for (const part of chosen) counts.push(await run(part, files));
console.log(`\n${closingLine(counts)}`);
// vitest sets the exit code, too; a run without a single test is no success.
if (counts.some(({ passed, failed }) => failed > 0 || passed === 0)) process.exitCode = 1;
