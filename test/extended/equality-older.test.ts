// @module-tag extended
// equality-older.test.ts: the counts of lhp 0.6.4 and 0.8.7, which follow other rules. 0.6.4 writes
// only changed files, skips files that it cannot read, and has neither blueprints nor monitoring;
// 0.8.7 still has `--dry-run`. These versions record no event. The expected counts come from their
// output ("Total files generated: N") and their Python API.
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { lhp } from '../../scripts/harness/needs.ts';
import { sandbox } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';
import {
  ended,
  layOut,
  type Oracle,
  startOracle,
  type Tree,
  type WarmLhp,
  warmLhp,
} from '../support/oracle.ts';

/**
 * Flowgroups, those of them that use a template, distinct templates in use, pipelines, and files
 * written.
 */
type Numbers = [
  flowgroups: number,
  templated: number,
  templates: number,
  pipelines: number,
  files: number,
];

interface Options {
  /**
   * Trees of test/fixtures/projects to lay over `base` and `older`, under the project's own files.
   */
  from?: string[];
  /** Arguments of `lhp generate` behind `--env dev`. */
  args?: string[];
  /** The file that `-pc` names; it is added to the arguments. */
  pipelineConfig?: string;
  /**
   * What happens in the project after a plain first run; the second run is then the one that is
   * compared.
   */
  again?: (root: string) => void;
  bundle?: boolean;
}

type Row = [name: string, numbers: Numbers, tree: Tree, options?: Options];

// Before 0.8 a flowgroup needs a load action, and a write target has one database.
const actions = (name: string) =>
  'actions:\n' +
  `- {name: load, type: load, source: {type: sql, sql: SELECT 1}, target: "v_${name}"}\n` +
  `- {name: write, type: write, source: "v_${name}", ` +
  `write_target: {type: materialized_view, ${DATABASE}, table: "${name}"}}\n`;
const DATABASE = 'database: main.sales';
const flowgroup = (pipeline: string, name: string) =>
  `pipeline: ${pipeline}\nflowgroup: "${name}"\n${actions(name)}`;
const templated = (pipeline: string, name: string, template = 'ingest') =>
  `pipeline: ${pipeline}\nflowgroup: ${name}\nuse_template: ${template}\n` +
  `template_parameters: {entity: ${name}}\n`;

const three: Tree = {
  'pipelines/a.yaml': flowgroup('bronze', 'a'),
  'pipelines/x/b.yml': flowgroup('bronze', 'b'),
  'pipelines/c.yaml': templated('silver', 'c'),
};
const nothing = () => {};
/** Dropped, lhp.yaml leaves two; taken, one. */
const included = (...lines: string[]): Tree => ({
  'lhp.yaml': ['name: equality', 'include: ["a/**"]', ...lines, ''].join('\n'),
  'pipelines/a/a.yaml': flowgroup('bronze', 'a'),
  'pipelines/b/b.yaml': flowgroup('bronze', 'b'),
});
const mistyped = (fields: string): Tree => ({
  'pipelines/a.yaml': flowgroup('bronze', 'a'),
  'pipelines/b.yaml': flowgroup('bronze', 'b').replace('target: "v_b"', `target: v_b, ${fields}`),
});
const touch = (path: string) => (root: string) =>
  appendFileSync(join(root, path), 'description: changed\n');
const monitoring =
  'name: equality\nevent_log: {catalog: main, schema: meta}\n' +
  'monitoring: {checkpoint_path: /c, job_config_path: config/job.yaml';

const IN_064: Row[] = [
  ['a first run', [3, 1, 1, 2, 3], three],
  ['--dry-run', [3, 1, 1, 2, 0], three, { args: ['--dry-run'] }],
  [
    '--dry-run over what was written before',
    [3, 1, 1, 2, 0],
    three,
    { again: nothing, args: ['--dry-run'] },
  ],
  ['a second run writes nothing', [3, 1, 1, 2, 0], three, { again: nothing }],
  ['a second run with --force', [3, 1, 1, 2, 3], three, { again: nothing, args: ['--force'] }],
  [
    'a second run with -f and another folder',
    [3, 1, 1, 2, 3],
    three,
    { again: nothing, args: ['-fo', 'out'] },
  ],
  [
    'a second run with --no-cleanup',
    [3, 1, 1, 2, 3],
    three,
    { again: nothing, args: ['--no-cleanup'] },
  ],
  ['one file changed', [3, 1, 1, 2, 1], three, { again: touch('pipelines/a.yaml') }],
  ['the template changed', [3, 1, 1, 2, 1], three, { again: touch('templates/ingest.yaml') }],
  [
    'one flowgroup added, one removed',
    [3, 1, 1, 2, 1],
    three,
    {
      again: (root) => {
        rmSync(join(root, 'pipelines/a.yaml'));
        writeFileSync(join(root, 'pipelines/d.yaml'), flowgroup('bronze', 'd'));
      },
    },
  ],
  ['one pipeline', [3, 1, 1, 2, 2], three, { args: ['-p', 'bronze'] }],
  ['include', [2, 1, 1, 2, 2], { ...three, 'lhp.yaml': 'name: equality\ninclude: ["*.yaml"]\n' }],
  [
    'what cannot be read or is not valid is skipped, its whole file with it',
    [3, 1, 1, 2, 3],
    {
      ...three,
      'pipelines/broken.yaml': 'not: [read',
      'pipelines/empty.yaml': '# nothing\n',
      'pipelines/list.yaml': '- a\n- b\n',
      'pipelines/number.yaml': `${flowgroup('bronze', 'd')}---\npipeline: 1\nflowgroup: e\n`,
      'pipelines/twice.yaml': `${flowgroup('bronze', 'f')}---\n${flowgroup('silver', 'f')}`,
      'pipelines/mixed.yaml': `${flowgroup('bronze', 'g')}---\npipeline: bronze\nflowgroups: []\n`,
      'pipelines/action.yaml': 'pipeline: bronze\nflowgroup: h\nactions: [{name: x, type: copy}]\n',
      'pipelines/nameless.yaml': 'pipeline: bronze\nflowgroup: i\nactions: [{type: load}]\n',
      'pipelines/presets.yaml': `presets: bronze\n${flowgroup('bronze', 'j')}`,
      'pipelines/metadata.yaml': `operational_metadata: {columns: []}\n${flowgroup('bronze', 'k')}`,
      'pipelines/parameters.yaml': templated('bronze', 'l').replace(/\{.*\}/, '[entity]'),
    },
  ],
  ['a number as version in lhp.yaml', [2, 0, 0, 1, 2], included('version: 1.0')],
  ['a date in lhp.yaml that there is not', [2, 0, 0, 1, 2], included('created_date: 2024-02-30')],
  ['a description that is a number, in one action', [1, 0, 0, 1, 1], mistyped('description: 123')],
  ['a target that is a number', [1, 0, 0, 1, 1], mistyped('target: 2024')],
  [
    'a date for a text, quoted for another',
    [1, 0, 0, 1, 1],
    mistyped('description: "1", sql: 2024-01-31'),
  ],
  [
    'a boolean written as a text, a field nobody knows',
    [2, 0, 0, 1, 2],
    mistyped('once: "yes", tags: 5'),
  ],
  [
    'a template of a wrong type: its pipeline fails, and counts as a flowgroup',
    [3, 1, 1, 2, 2],
    { ...three, 'templates/ingest.yaml': 'name: ingest\nparameters: entity\nactions: []\n' },
  ],
  [
    'a pipeline that fails is not counted, and the run succeeds',
    [5, 3, 2, 3, 3],
    {
      ...three,
      'pipelines/d.yaml': templated('gold', 'd'),
      'pipelines/e.yaml': templated('gold', 'e', 'none'),
    },
  ],
  [
    'a blueprint is a list of flowgroups, an instance nothing',
    [5, 2, 1, 3, 5],
    {
      ...three,
      'pipelines/blueprint.yaml': [
        'name: site\nparameters: [{name: site}]\nflowgroups:',
        '- pipeline: "%{site}"\n  flowgroup: "%{site}_d"\n' +
          `  ${actions('d').trimEnd().replaceAll('\n', '\n  ')}`,
        '- {pipeline: "%{site}", flowgroup: e, use_template: ingest, ' +
          'template_parameters: {entity: e}}',
      ].join('\n'),
      'pipelines/instance.yaml': 'use_blueprint: site\nparameters: {site: berlin}\n',
      'blueprints/site.yaml': 'not: [read',
    },
  ],
  [
    'monitoring means nothing yet',
    [3, 1, 1, 2, 3],
    { ...three, 'lhp.yaml': `${monitoring}}\n` },
    { from: ['monitoring'] },
  ],
  ['a bundle', [3, 1, 1, 2, 3], three, { from: ['bundle'], bundle: true }],
];

const IN_087: Row[] = [
  ['a first run', [3, 1, 1, 2, 3], three],
  ['a number as version in lhp.yaml', [2, 0, 0, 1, 2], included('version: 1.0')],
  ['an lhp.yaml that is no YAML', [2, 0, 0, 1, 2], included('author: [no end')],
  ['a date in lhp.yaml that there is not', [2, 0, 0, 1, 2], included('created_date: 2024-02-30')],
  [
    'an instance, and no blueprint',
    [1, 0, 0, 1, 1],
    { 'pipelines/a.yaml': flowgroup('bronze', 'a'), 'pipelines/i.yaml': 'use_blueprint: none\n' },
  ],
  ['--dry-run', [3, 1, 1, 2, 0], three, { args: ['--dry-run'] }],
  [
    '--dry-run over what was written before',
    [3, 1, 1, 2, 0],
    three,
    { again: nothing, args: ['--dry-run'] },
  ],
  ['a second run writes everything', [3, 1, 1, 2, 3], three, { again: nothing }],
  [
    'a folder that is not wiped, because it is not named like the environment',
    [3, 1, 1, 2, 3],
    { ...three, 'out/bronze/a.py': '', 'out/bronze/old.py': '' },
    { args: ['-o', 'out'] },
  ],
  [
    'a flowgroup removed',
    [2, 0, 0, 1, 2],
    three,
    { again: (root) => rmSync(join(root, 'pipelines/c.yaml')) },
  ],
  [
    'blueprints',
    [5, 2, 1, 3, 5],
    { ...three, 'pipelines/site.yaml': 'use_blueprint: site\nparameters: {site: berlin}\n' },
    { from: ['blueprints'] },
  ],
  [
    'monitoring',
    [4, 1, 1, 3, 4],
    { ...three, 'lhp.yaml': `${monitoring}}\n` },
    { from: ['monitoring'] },
  ],
  [
    'monitoring without views',
    [3, 1, 1, 2, 3],
    { ...three, 'lhp.yaml': `${monitoring}, materialized_views: []}\n` },
    { from: ['monitoring'] },
  ],
  [
    'monitoring of which all opt out, --dry-run',
    [3, 1, 1, 2, 0],
    {
      ...three,
      'lhp.yaml': `${monitoring}}\n`,
      'config/pipelines.yaml': 'project_defaults: {event_log: false}\n',
    },
    { from: ['monitoring'], pipelineConfig: 'config/pipelines.yaml', args: ['--dry-run'] },
  ],
  [
    'a bundle',
    [3, 1, 1, 2, 3],
    three,
    { from: ['bundle'], pipelineConfig: 'config/pipelines.yaml', bundle: true },
  ],
  [
    'of a list of merged mappings the first that has a key (PyYAML 6.0.3)',
    [5, 1, 1, 3, 5],
    {
      ...three,
      'pipelines/d.yaml': flowgroup('gold', 'd'),
      'pipelines/merged.yaml': [
        'first: &first {pipeline: gold}\nsecond: &second {pipeline: iron}\nflowgroups:',
        '- <<: [*first, *second]\n  flowgroup: e\n' +
          `  ${actions('e').trimEnd().replaceAll('\n', '\n  ')}`,
      ].join('\n'),
    },
  ],
];

vi.setConfig({ maxConcurrency: 2 });

describe.each([
  ['0.6.4', IN_064],
  ['0.8.7', IN_087],
] satisfies [string, Row[]][])('lhp %s', (version, rows) => {
  const need = lhp(version);
  if (lacking(need)) return;
  const oracle = startOracle(need.path);
  let warm: WarmLhp;
  beforeAll(async () => {
    warm = await warmLhp(need.path);
  });
  afterAll(() => {
    oracle.close();
    warm.close();
  });

  const [[coldest]] = rows as [Row, ...Row[]];
  it.concurrent.each(rows)('%s', (name, numbers, tree, options = {}) =>
    // One of them as a user starts it.
    equal(
      oracle,
      version,
      name === coldest ? dirname(need.path) : warm.bin,
      numbers,
      tree,
      options,
    ),
  );
});

async function equal(
  oracle: Oracle,
  version: string,
  bin: string,
  numbers: Numbers,
  tree: Tree,
  options: Options,
): Promise<void> {
  const box = sandbox({ path: [bin] });
  try {
    const root = layOut(box, ['base', 'older', ...(options.from ?? [])], tree);
    const generate = async (args: string[]) => {
      const run = await ended(
        box.start(['run', '--', 'lhp', 'generate', '--env', 'dev', ...args], { cwd: root }),
      );
      expect(run.status, run.output).toBe(0);
      return run.output;
    };
    if (options.again) {
      await generate([]);
      await box.recorded(1);
      options.again(root);
    }
    const args = [
      ...(options.args ?? []),
      ...(options.pipelineConfig ? ['-pc', options.pipelineConfig] : []),
    ];
    const output = await generate(args);

    const [flowgroups, flowgroupsUsingTemplates, templates, pipelines, written] = numbers;
    const { python, ...counted } = await oracle.count(root, options.pipelineConfig);
    expect(counted).toEqual({ flowgroups, flowgroupsUsingTemplates, templates, pipelines });
    // lhp does not print the line when it wrote nothing.
    expect(Number(/Total files generated: (\d+)/.exec(output)?.[1] ?? 0)).toBe(written);

    const event = (await box.recorded(options.again ? 2 : 1)).at(-1);
    expect(event).toMatchObject({
      flowgroups_count: flowgroups,
      templates_count: templates,
      flowgroups_using_templates: flowgroupsUsingTemplates,
      pipelines_count: pipelines,
      files_generated: written,
      environment: 'dev',
      dry_run: args.includes('--dry-run'),
      bundle_enabled: options.bundle ?? false,
      lhp_version: version,
      python_version: python,
    });
  } finally {
    box.dispose();
  }
}
