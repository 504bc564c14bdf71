// main.ts: npm run bench [-- PART]. Each part produces figures that a document shows. Most are
// ratios to the bare command in the same run: the variants take turns, so that other work of the
// machine affects all of them. Nothing is asserted; nothing leaves the machine.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { backendStart } from './backend-start.ts';
import { ci } from './ci.ts';
import { cluster } from './cluster.ts';
import { clusterCost } from './cluster-cost.ts';
import { clusterRead } from './cluster-read.ts';
import { fleet } from './fleet.ts';
import { gateway } from './gateway.ts';
import { hook } from './hook.ts';
import { hot } from './hot.ts';
import { latency } from './latency.ts';
import { libraryCalls } from './library.ts';
import { migration } from './migration.ts';
import { packages } from './packages.ts';
import { reporter } from './reporter.ts';
import { recordingRules } from './rules.ts';
import { scan } from './scan.ts';
import { soak } from './soak.ts';
import { stacks } from './stacks.ts';
import { storm } from './storm.ts';
import { victoriaMetrics } from './victoriametrics.ts';
import { view } from './view.ts';

interface Part {
  run: (folder: string) => Promise<void>;
  /** The document with its figures. */
  shownIn: string;
  /** Takes from minutes to an hour, and is run by its name only. */
  long?: true;
}

const parts: Record<string, Part> = {
  hot: { run: hot, shownIn: 'docs/performance.md' },
  hook: { run: hook, shownIn: 'docs/performance.md' },
  library: { run: libraryCalls, shownIn: 'docs/performance.md' },
  packages: { run: packages, shownIn: 'docs/performance.md', long: true },
  reporter: { run: reporter, shownIn: 'docs/performance.md' },
  scan: { run: scan, shownIn: 'docs/performance.md' },
  gateway: { run: gateway, shownIn: 'docs/operators-proofs.md' },
  ci: { run: ci, shownIn: 'docs/adr/0010-ci-slots.md' },
  latency: { run: latency, shownIn: 'docs/performance.md', long: true },
  storm: { run: storm, shownIn: 'docs/performance.md', long: true },
  soak: { run: soak, shownIn: 'docs/performance.md', long: true },
  view: { run: view, shownIn: 'docs/performance.md', long: true },
  'backend-start': {
    run: backendStart,
    shownIn: 'docs/adr/0014-a-sample-of-the-present-first.md',
    long: true,
  },
  cluster: { run: cluster, shownIn: 'docs/operators-proofs.md', long: true },
  'cluster-cost': { run: clusterCost, shownIn: 'docs/operators-proofs.md', long: true },
  migration: { run: migration, shownIn: 'docs/operators-proofs.md', long: true },
  'cluster-read': { run: clusterRead, shownIn: 'docs/operators-proofs.md', long: true },
  victoriametrics: { run: victoriaMetrics, shownIn: 'docs/victoriametrics.md', long: true },
  stacks: { run: stacks, shownIn: 'docs/stacks.md', long: true },
  fleet: { run: fleet, shownIn: 'docs/operators-proofs.md', long: true },
  rules: { run: recordingRules, shownIn: 'docs/adr/0018-no-recorded-totals.md', long: true },
};

const only = process.argv[2];
if (only && !parts[only])
  throw new Error(`no part called ${only}; parts are ${Object.keys(parts).join(', ')}`);
const model = `${cpus().length} × ${cpus()[0]?.model.trim()}`;
console.log(`${model}, Node ${process.version}, npm run bench${only ? ` -- ${only}` : ''}`);
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lhp-otel-bench-')));
try {
  for (const [name, { run, shownIn, long }] of Object.entries(parts)) {
    if (only ? only !== name : long) continue;
    await run(folder);
    console.log(`(shown in ${shownIn})`);
  }
} finally {
  // The last reporters may still be writing.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
}
