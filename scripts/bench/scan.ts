// scan.ts: npm run bench -- scan. Time and memory of counting projects of up to 4,000 flowgroups.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPORTER_FLAGS } from '../../src/wrap/start-reporter.ts';
import { projectRoot } from '../harness/sandbox.ts';
import { quantile, table } from './measure.ts';
import { measured } from './place.ts';

const SIZES = [0, 500, 1_000, 2_000, 4_000];
const TURNS = 7;

/** About 1.5 kB, as in lhp's own sample: a load, two transforms, a write. */
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: lhp's own substitutions
const ACTIONS: readonly [name: string, text: string][] = [
  [
    'load',
    `load
    source:
      type: cloudfiles
      path: "/Volumes/main/landing/\${env}/entity/*.json"
      format: json
      options:
        cloudFiles.maxFilesPerTrigger: 50
        cloudFiles.inferColumnTypes: "True"
    target: v_raw`,
  ],
  [
    'clean',
    `transform
    transform_type: sql
    source: v_raw
    target: v_clean
    sql: |
      SELECT id, name, CAST(amount AS DECIMAL(18, 2)) AS amount
      FROM stream(v_raw)
      WHERE id IS NOT NULL`,
  ],
  [
    'check',
    `transform
    transform_type: data_quality
    source: v_clean
    target: v_checked
    expectations_file: expectations/default.yaml`,
  ],
  [
    'write',
    `write
    source: v_checked
    write_target:
      type: streaming_table
      catalog: "\${catalog}"
      schema: "\${bronze}"
      table: entity`,
  ],
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: lhp's own substitutions

/** A sentence that makes the file as long as real ones are. */
const DESCRIPTION =
  'of the benchmark, with a sentence of text that makes the file as long as real ones are';

const METADATA = 'operational_metadata: ["_processing_timestamp", "_source_file_path"]\n';

function flowgroupFile(index: number): string {
  const template = `use_template: template_${index % 12}
template_parameters:
  entity: entity_${index}
`;
  const actions = ACTIONS.map(
    ([name, text]) => `  - name: ${name}_${index}
    type: ${text}
    description: "Entity ${index} ${DESCRIPTION}"
`,
  );
  return `# Flowgroup ${index}
pipeline: pipeline_${index % 40}
flowgroup: flowgroup_${index}
${index % 3 === 0 ? template : ''}${METADATA}actions:
${actions.join('')}`;
}

export async function scan(folder: string): Promise<void> {
  const rows: string[][] = [];
  for (const count of SIZES) {
    const project = join(folder, `scan-${count}`);
    const bytes = writeProject(project, count);
    const file = join(folder, 'scan.ts');
    writeFileSync(file, scanOf(project, count));
    const times: number[] = [];
    let peak = 0;
    for (let i = 0; i < TURNS; i += 1) {
      const command = [process.execPath, ...REPORTER_FLAGS, file];
      const { stderr, memory } = await measured(command, process.env, folder);
      times.push(Number(stderr.trim().split('\n').at(-1)));
      peak = Math.max(peak, memory);
    }
    rows.push([
      count > 0 ? String(count) : '0 (Node alone)',
      count > 0 ? (bytes / count).toFixed(0) : '',
      quantile(times, 0.5).toFixed(0),
      Math.max(...times).toFixed(0),
      peak.toFixed(0),
    ]);
  }
  table(
    `scan, ${TURNS} runs each in a process of their own (budget 1 s, 200 MiB for 4,000)`,
    ['flowgroups', 'bytes each', 'median ms', 'worst ms', 'peak MiB'],
    rows,
  );
}

/** Returns the length of the flowgroups, in bytes. */
function writeProject(project: string, flowgroups: number): number {
  let bytes = 0;
  for (let i = 0; i < flowgroups; i += 1) {
    const path = join(project, 'pipelines', `p${i % 40}`);
    mkdirSync(path, { recursive: true });
    const text = flowgroupFile(i);
    bytes += text.length;
    writeFileSync(join(path, `f${i}.yaml`), text);
  }
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'lhp.yaml'), 'name: bench\n');
  return bytes;
}

/** A program that scans the project and prints on stderr how long it took, in ms. */
const scanOf = (project: string, flowgroups: number) => `
import { scanProject } from '${join(projectRoot, 'src', 'scan', 'scan.ts')}';
import { Snapshot } from '${join(projectRoot, 'src', 'scan', 'snapshot.ts')}';
const started = performance.now();
const versions = { lhpVersion: '0.9.3', pyyamlVersion: undefined };
const options = { ...versions, pipelineConfig: undefined, dryRun: false };
const run = { startedAt: Date.now(), endedAt: Date.now() };
const { flowgroups } = scanProject(new Snapshot('${project}', { run }), options, undefined);
if (flowgroups !== ${flowgroups}) throw new Error('counted ' + flowgroups);
console.error(JSON.stringify(performance.now() - started));`;
