// equality.test.ts: `lhp-otel run -- lhp generate …` records the counts that the real lhp 0.9.3
// has. Each case is one wrapped run of the real lhp. The expected counts come from lhp's own event
// of that run and from its Python API. The table repeats them, so that a case cannot pass by
// testing something else than its name says.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { lhp } from '../../scripts/harness/needs.ts';
import { type Sandbox, sandbox } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';
import { ended, layOut, ownEvent, startOracle, type Tree, warmLhp } from '../support/oracle.ts';
import { sampled } from '../support/tags.ts';

const VERSION = '0.9.3';

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
  /** Trees of test/fixtures/projects to lay over `base`, under the project's own files. */
  from?: string[];
  /** Arguments of `lhp generate`, instead of `-e dev`; {root} is the project's folder. */
  args?: string[];
  /** The file that `-pc` names; it is added to the arguments. */
  pipelineConfig?: string;
  /** What happens in the project before a second run, which is then the one that is compared. */
  again?: (root: string) => void;
  /** The folder of the project to run in. */
  in?: string;
  environment?: string;
  bundle?: boolean;
}

type Row = [name: string, numbers: Numbers, tree: Tree, options?: Options];

// The smallest flowgroup for which lhp writes a file: a materialized view.
const view = (table: string) =>
  'actions: [{name: write, type: write, ' +
  `write_target: {type: materialized_view, table: ${table}, sql: SELECT 1, ${SCHEMA}}}]`;
const SCHEMA = 'catalog: main, schema: sales';
const flowgroup = (pipeline: string, name: string) =>
  `pipeline: ${pipeline}\nflowgroup: ${name}\n${view(name)}\n`;
const templated = (pipeline: string, name: string, template = 'ingest') =>
  `pipeline: ${pipeline}\nflowgroup: ${name}\nuse_template: ${template}\n` +
  `template_parameters: {entity: ${name}}\n`;
const documents = (...texts: string[]) => texts.join('---\n');
/** One flowgroup a path, all of them in the pipeline `bronze`. */
const files = (...paths: string[]): Tree =>
  Object.fromEntries(
    paths.map((path, index) => [`pipelines/${path}`, flowgroup('bronze', `f${index}`)]),
  );

const blueprint = (name: string, parameters: string, ...flowgroups: string[]) =>
  `name: ${name}\nparameters: [${parameters}]\nflowgroups:\n` +
  flowgroups.map((one) => `- {${one}}\n`).join('');
const instance = (name: string, parameters: string) =>
  `use_blueprint: ${name}\nparameters: {${parameters}}\n`;

const lhpYaml = (...lines: string[]) => ({
  'lhp.yaml': ['name: equality', ...lines, ''].join('\n'),
});
const pipelineConfig = 'config/pipelines.yaml';
const configured = (...texts: string[]): Tree => ({ [pipelineConfig]: documents(...texts) });
const silver = { 'pipelines/silver.yaml': flowgroup('silver', 's') };

const WHERE: Row[] = [
  [
    'yaml and yml, nested, hidden and oddly named; nothing else',
    [7, 0, 0, 1, 7],
    {
      ...lhpYaml('include: []'),
      ...files(
        'a.yaml',
        'b.yml',
        '1/2/3/a.yaml',
        '.hidden/b.yaml',
        '.c.yml',
        'with space/d e.yaml',
        'größe/ü.yaml',
      ),
      'pipelines/f.YAML': 'not: [read',
      'pipelines/g.yaml.txt': 'not: [read',
      'pipelines/yaml': 'not: [read',
    },
  ],
  [
    'links to files, but not what is below links to folders',
    [2, 0, 0, 2, 2],
    {
      ...files('a.yaml'),
      'shared/b.yaml': flowgroup('silver', 'b'),
      'elsewhere/c.yaml': flowgroup('gold', 'c'),
      'pipelines/b.yaml': { link: '../shared/b.yaml' },
      'pipelines/folder': { link: '../elsewhere' },
    },
  ],
  [
    'a link in place of pipelines/: its flowgroups, but not its instances of blueprints',
    [1, 0, 0, 1, 1],
    {
      'elsewhere/a.yaml': flowgroup('bronze', 'a'),
      'elsewhere/b.yaml': instance('site', 'site: berlin'),
      pipelines: { link: 'elsewhere' },
    },
    { from: ['blueprints'] },
  ],
  [
    'not the YAML of other folders',
    [1, 0, 0, 1, 1],
    {
      ...files('a.yaml'),
      '.venv/lib/pipelines/x.yaml': 'not: [read',
      'node_modules/x/pipelines/y.yaml': flowgroup('bronze', 'y'),
      'generated/dev/z.yaml': flowgroup('bronze', 'z'),
      'examples/pipelines/e.yaml': instance('site', 'site: berlin'),
    },
    { from: ['blueprints'] },
  ],
];

// The files that each pattern selects, and files beside them that it does not select. The patterns
// of one table are the `include` of one project.
type Patterns = [pattern: string, taken: string[], left: string[]][];

const STARS: Patterns = [
  ['*.yaml', ['a.yaml', 'x/b.yaml', 'x/y/c.yaml', 'x/.d.yaml'], ['e.yml', 'x/f.yml']],
];
const DOUBLE_STARS: Patterns = [
  ['**/*.yml', ['a.yml', 'x/b.yml', 'x/y/c.yml'], ['d.yaml', 'x/e.yaml']],
];
const FOLDERS: Patterns = [
  ['bronze_*.yaml', ['bronze_a.yaml', 'bronze_x/b.yaml'], ['x/bronze_c.yaml']],
  [
    'silver/*',
    ['silver/a.yaml', 'silver/b.yml', 'silver/x/c.yaml'],
    ['x/silver/d.yaml', 'silver.yaml'],
  ],
  [
    'gold/**/*.yaml',
    ['gold/a.yaml', 'gold/x/b.yaml', 'gold_old/c.yaml'],
    ['x/gold/d.yaml', 'gold.yaml'],
  ],
  [
    'eu/**/orders.yaml',
    ['eu/orders.yaml', 'eu/x/y/orders.yaml', 'europe/orders.yaml'],
    ['eu/x/no.yaml'],
  ],
  ['us/**', ['us/a.yaml', 'us/x/b.yml', 'us/x/y/c.yaml'], ['used/d.yaml']],
  ['my-orders-*.yaml', ['my-orders-1.yaml'], ['my_orders-1.yaml']],
  ['*/asia/**/*.yml', ['x/asia/a.yml', 'x/y/asian/z/b.yml'], ['asia/c.yml']],
];
const NAMES_ONLY: Patterns = [
  ['orders.yaml', ['orders.yaml', 'x/y/orders.yaml'], ['orders.yml', 'my_orders.yaml']],
  ['x/y/orders.yaml', [], ['z/x/y/order.yaml']],
  ['a-b/c-d.yaml', ['a-b/c-d.yaml'], ['x/a-b/c-d.yaml']],
  ['x/sales.yaml', ['x/sales.yaml'], ['y/x/sales.yaml', 'sales.yaml']],
  ['b**.yaml', ['bronze.yaml', 'bronze/x.yaml'], ['x/bronze.yaml']],
  ['?.yaml', ['a.yaml'], ['ab.yaml', 'x/c.yaml']],
  ['p?q.yaml', ['p/q.yaml', 'p-q.yaml'], ['pq.yaml']],
];
const BRACKETS: Patterns = [
  ['[ab]*', ['a1.yaml', 'b/c.yml'], ['A1.yaml']],
  ['[cd].yaml', ['c.yaml', 'd.yaml'], ['e.yaml', 'x/c.yaml']],
  ['*_[!x-z].yaml', ['1_a.yaml', 'x/1_B.yaml'], ['1_x.yaml', '1_y.yaml']],
  ['[]f]*.yml', [']1.yml', 'f1.yml'], ['g1.yml']],
  ['[&~]*', ['&1.yaml', '~1.yaml'], ['|1.yaml']],
  ['[^l]*.yaml', ['^1.yaml', 'l1.yaml'], ['m1.yaml']],
  ['[h*.yaml', ['[h1.yaml'], ['h1.yaml']],
  ['i+(j)|{k}^$.y*', ['i+(j)|{k}^$.yaml'], ['iij.yaml', 'k.yaml']],
  ['[z-y]*.yaml', [], ['z1.yaml', 'y1.yaml']],
];
const NEVER: Patterns = [
  ['always.yaml', ['always.yaml'], []],
  ['**/eu/*.yaml', [], ['eu/a.yaml', 'y/eu/b.yaml']],
  ['x/**/eu/**/*.yaml', [], ['x/eu/c.yaml', 'x/y/eu/z/d.yaml']],
  ['**', [], ['e.yaml']],
  ['./x/f.yaml', [], ['x/f.yaml']],
  ['pipelines/*.yaml', [], ['g.yaml']],
];

const INCLUDE: Row[] = (
  [
    ['a star crosses folders', STARS],
    ['two stars and a name', DOUBLE_STARS],
    ['folders, by the beginning of their names', FOLDERS],
    ['names without a star match anywhere, paths only from pipelines/', NAMES_ONLY],
    ['brackets, and what is special elsewhere', BRACKETS],
    ['patterns that look right and match nothing', NEVER],
  ] satisfies [string, Patterns][]
).map(([name, patterns]) => {
  const taken = patterns.flatMap(([, paths]) => paths);
  const left = patterns.flatMap(([, , paths]) => paths);
  const include = JSON.stringify(patterns.map(([pattern]) => pattern));
  const tree = { ...lhpYaml(`include: ${include}`), ...files(...taken, ...left) };
  return [name, [taken.length, 0, 0, 1, taken.length], tree];
});

const DOCUMENTS: Row[] = [
  [
    'several documents, some of them empty or all comment',
    [3, 0, 0, 2, 3],
    {},
    { from: ['documents'] },
  ],
  [
    'directives, end marks, a document on its own mark, JSON',
    [3, 0, 0, 1, 3],
    {},
    { from: ['directives'] },
  ],
  ['an array that hands down its pipeline and template', [4, 3, 2, 2, 4], {}, { from: ['arrays'] }],
  [
    'arrays in several documents, an empty one, unknown keys',
    [2, 0, 0, 2, 2],
    {},
    { from: ['array-documents'] },
  ],
  [
    'templates count once, also from a folder; an empty name is none',
    [6, 5, 3, 1, 6],
    {},
    { from: ['templates'] },
  ],
  [
    'names with variables in them count as they are written',
    [4, 2, 1, 2, 4],
    {},
    { from: ['variables'] },
  ],
];

const YAML: Row[] = [
  // With PyYAML 6.0.4, [*other, *common] takes the template of common. Earlier versions take the
  // first one (equality-older.test.ts).
  ['anchors, aliases and merge keys', [3, 2, 1, 2, 3], {}, { from: ['anchors'] }],
  ['of a key that is there twice, the last', [2, 1, 1, 1, 2], {}, { from: ['keys-twice'] }],
  ['text that only looks like documents and keys', [2, 0, 0, 1, 2], {}, { from: ['lookalikes'] }],
  [
    'brackets and quoted text that go on at the column of their key',
    [2, 0, 0, 1, 2],
    {},
    { from: ['columns'] },
  ],
  ['tags, escapes, odd indentation, complex keys', [2, 1, 1, 1, 2], {}, { from: ['tags'] }],
  [
    'byte order mark, CRLF, no last line break, letters of the world',
    [4, 1, 1, 3, 4],
    {
      'lhp.yaml': '\uFEFFname: größe\r\n',
      'pipelines/a.yaml': `\uFEFF${flowgroup('bronze', 'a')}`,
      'pipelines/b.yaml': documents(templated('bronze', 'b'), flowgroup('größe', 'c')).replaceAll(
        '\n',
        '\r\n',
      ),
      'pipelines/c.yaml': flowgroup('金', 'd').trimEnd(),
    },
  ],
  [
    'what only YAML 1.1 has: line breaks, types, comments right behind a bracket',
    [2, 0, 0, 1, 2],
    {
      'pipelines/a.yaml': `list: [x]# comment\ntext: "x"# comment\n${flowgroup('bronze', 'a')}`,
      'pipelines/b.yaml':
        'bytes: !!binary aGk=\npairs: !!omap [x: 1]\u2028' +
        `pipeline: bronze\u0085flowgroup: b\n${view('b')}`,
    },
  ],
];

const BLUEPRINTS: Row[] = [
  [
    'several instances, defaults, beside plain flowgroups',
    [8, 3, 1, 4, 8],
    {
      'pipelines/a.yaml': flowgroup('bronze_berlin', 'a'),
      'pipelines/b.yaml': flowgroup('bronze', 'b'),
      'pipelines/berlin.yaml': instance('site', 'site: berlin'),
      'pipelines/x/y/paris.yml': instance('site', 'site: paris, layer: bronze'),
      'pipelines/.oslo.yaml': instance('site', 'layer: bronze, site: oslo'),
    },
    { from: ['blueprints'] },
  ],
  [
    'the old flat form, overrides, no parameters at all',
    [4, 1, 1, 3, 4],
    {
      'pipelines/a.yaml': 'blueprint: site\nsite: berlin\nlayer: silver\n',
      'pipelines/b.yaml': `${instance('named', 'id: b')}overrides: {}\n`,
      'pipelines/c.yaml': 'use_blueprint: fixed\n',
      'blueprints/fixed.yaml': blueprint(
        'fixed',
        '',
        `pipeline: fixed, flowgroup: fixed, ${view('fixed')}`,
      ),
    },
    { from: ['blueprints'] },
  ],
  [
    'a file in which any document is an instance gives no flowgroup of its own',
    [2, 0, 0, 1, 2],
    {
      'pipelines/a.yaml': documents(
        flowgroup('gone', 'a'),
        flowgroup('gone', 'b'),
        instance('site', 'site: berlin'),
      ),
      'pipelines/b.yaml': `blueprint: site\n${flowgroup('bronze', 'c')}`,
      'pipelines/c.yaml': `blueprint: [site]\n${flowgroup('bronze', 'd')}`,
    },
    { from: ['blueprints'] },
  ],
  [
    'the default patterns reach folders whose names only begin alike',
    [4, 1, 1, 2, 4],
    {
      ...files('a.yaml'),
      'pipelines_old/b.yaml': instance('site', 'site: berlin'),
      'pipelines_old/c.yaml': flowgroup('never', 'read'),
      'pipelines_old/d.yaml': instance('late', 'id: 1'),
      'blueprints_v2/late.yaml': blueprint(
        'late',
        '{name: id}',
        `pipeline: bronze, flowgroup: "late_%{id}", ${view('late')}`,
      ),
    },
    { from: ['blueprints'] },
  ],
  [
    'blueprint_include and instance_include, with include beside them',
    [4, 3, 1, 4, 4],
    {
      ...lhpYaml(
        'include: [a.yaml]',
        "blueprint_include: ['shared/**/*.yaml']",
        "instance_include: ['sites/*', pipelines/berlin.yaml]",
      ),
      ...files('a.yaml', 'b.yaml'),
      'pipelines/berlin.yaml': instance('branch', 'site: berlin'),
      'pipelines/paris.yaml': instance('branch', 'site: paris'),
      'sites/x/oslo.yaml': instance('branch', 'site: oslo'),
      'sites/rome.yaml': instance('branch', 'site: rome'),
      'sites/broken.yaml': 'not: [readable',
      'sites/empty.yaml': '# nothing\n',
      'sites/flowgroup.yaml': flowgroup('never', 'read'),
      'shared/deep/branch.yaml': blueprint(
        'branch',
        '{name: site}',
        'pipeline: "b_%{site}", flowgroup: "%{site}", use_template: ingest, ' +
          'template_parameters: {entity: "%{site}"}',
      ),
    },
    { from: ['blueprints'] },
  ],
  [
    'instances anywhere in the project; a template that a parameter names is one',
    [4, 3, 1, 2, 4],
    {
      ...lhpYaml("instance_include: ['**/*.yaml']"),
      ...files('a.yaml'),
      'blueprints/any.yaml': blueprint(
        'any',
        '{name: kind}, {name: id}',
        'pipeline: any, flowgroup: "any_%{id}", use_template: "%{kind}", ' +
          'template_parameters: {entity: "any_%{id}"}',
      ),
      '.venv/lib/b.yaml': instance('any', 'kind: ingest, id: 1'),
      'c.yaml': instance('any', 'kind: export, id: 2'),
      'docs/d.yaml': instance('any', 'kind: landing/files, id: 3'),
    },
  ],
  [
    'variables and defaults that build on parameters and on each other',
    [3, 0, 0, 2, 3],
    {
      'blueprints/derived.yaml': blueprint(
        'derived',
        '{name: site}, {name: region, default: "%{country}_west"}, {name: country, default: de}',
        'pipeline: "%{full}", flowgroup: "f_%{region}", ' +
          `variables: {full: "%{region}_%{site}", site: fixed}, ${view('"t_%{region}"')}`,
      ),
      'pipelines/a.yaml': instance('derived', 'site: berlin'),
      'pipelines/b.yaml': instance('derived', 'site: paris, country: fr'),
      'pipelines/c.yaml': flowgroup('fr_west_fixed', 'c'),
    },
  ],
  [
    'a parameter in letters of the world',
    [2, 0, 0, 1, 2],
    {
      'blueprints/odd.yaml': blueprint(
        'odd',
        '{name: größe}',
        `pipeline: "x_%{größe}", flowgroup: odd, ${view('odd')}`,
      ),
      'pipelines/a.yaml': instance('odd', 'größe: 1'),
      'pipelines/b.yaml': flowgroup('x_1', 'b'),
    },
  ],
];

// Python's str() of a parameter's value becomes the pipeline's name. An instance uses each value,
// and a plain flowgroup uses its text. If both names are the same, they share a pipeline.
type Values = [value: string, text: string][];
const values = (table: string): Values =>
  table
    .trim()
    .split(/\n| · /)
    .map((pair) => pair.split('→').map((side) => side.trim()) as [string, string]);

const NUMBERS = values(`
  0 → 0 · -0 → 0 · +1 → 1 · 1_000 → 1000 · 010 → 8 · 08 → 08 · 0o17 → 0o17 · "010" → 010
  !!str 010 → 010 · !!int "7" → 7
  0x_1F → 31 · 0b1_01 → 5 · 1:30 → 90 · -1:30:00 → -5400 · 12:30:45 → 45045 · 1:60 → 1:60
  1:30.5 → 90.5
  123456789012345678901234567890 → 123456789012345678901234567890
  123456789.123456789 → 123456789.12345679
  1.0 → 1.0 · 1. → 1.0 · .5 → 0.5 · -0.0 → -0.0 · 1_000.5 → 1000.5 · !!float 1 → 1.0 · 1.2.3 → 1.2.3
  1e3 → 1e3 · 1.5e3 → 1.5e3 · 1.0e+3 → 1000.0 · 1.0e+15 → 1000000000000000.0 · 1.0e+16 → 1e+16
  1.0e+300 → 1e+300
  1.5e-5 → 1.5e-05 · 0.0001 → 0.0001 · .inf → inf · -.INF → -inf · .NaN → nan
`);
const WORDS = values(`
  yes → True · No → False · ON → True · off → False · true → True · FALSE → False · y → y · n → n
  yEs → yEs · "yes" → yes
  ~ → None · null → None · NULL → None · nULL → nULL · → None · "" →
  2024-01-31 → 2024-01-31 · 2024-1-5 → 2024-1-5 · 2024-1-5 3:04:05 → 2024-01-05 03:04:05
  2024-01-31T10:00:00Z → 2024-01-31 10:00:00+00:00
  2024-01-31 10:00:00 +2 → 2024-01-31 10:00:00+02:00
  2024-01-31 10:00:00.5 → 2024-01-31 10:00:00.500000
  2024-01-31t10:00:00.1234567-05:30 → 2024-01-31 10:00:00.123456-05:30
`);
const WITH_ZONE =
  '[datetime.datetime(2024, 1, 31, 10, 0, 5, 500000, tzinfo=datetime.timezone.utc)]';
const COLLECTIONS = values(String.raw`
  [] → [] · {} → {} · [a, 1, 1.0, yes, ~] → ['a', 1, 1.0, True, None]
  {k: v, 1: [x]} → {'k': 'v', 1: ['x']}
  ["it's"] → ["it's"] · ['a"b'] → ['a"b'] · ["it's \"x\""] → ['it\'s "x"']
  ["\t\\é\x07"] → ['\t\\é\x07']
  ["\u200b\u2028\u00a0é😀"] → ['\u200b\u2028\xa0é😀'] · [2024-01-31] → [datetime.date(2024, 1, 31)]
  [2024-01-31 10:00:00] → [datetime.datetime(2024, 1, 31, 10, 0)]
  [2024-01-31T10:00:05.5Z] → ${WITH_ZONE}
`);

const NAMES: Row[] = (
  [
    ['numbers', NUMBERS],
    ['yes, no, nothing, dates and times', WORDS],
    ['lists and mappings', COLLECTIONS],
  ] satisfies [string, Values][]
).map(([name, pairs]) => {
  const tree: Tree = {};
  for (const [index, [value, text]] of pairs.entries()) {
    tree[`pipelines/value_${index}.yaml`] = instance('named', `id: v${index}, value: ${value}`);
    tree[`pipelines/text_${index}.yaml`] = flowgroup(JSON.stringify(`p_${text}`), `t${index}`);
  }
  const pipelines = new Set(pairs.map(([, text]) => text)).size;
  return [
    name,
    [2 * pairs.length, 0, 0, pipelines, 2 * pairs.length],
    tree,
    { from: ['blueprints'] },
  ];
});

const EVENT_LOG = 'event_log: {catalog: main, schema: meta}';
const monitoring = (more = '') =>
  lhpYaml(
    EVENT_LOG,
    `monitoring: {checkpoint_path: /Volumes/c, job_config_path: config/job.yaml${more}}`,
  );
const VIEWS = 'materialized_views: [{name: v, sql: SELECT 1}, {name: w, sql: SELECT 2}]';
const from = ['monitoring'];

const MONITORING: Row[] = [
  ['an event log alone', [1, 0, 0, 1, 1], { ...lhpYaml(EVENT_LOG), ...files('a.yaml') }],
  [
    'named like a pipeline that is there, with views of its own',
    [3, 0, 0, 2, 3],
    { ...monitoring(`, pipeline_name: bronze, ${VIEWS}`), ...files('a.yaml'), ...silver },
    { from },
  ],
  [
    'named like the only pipeline: nothing to watch',
    [1, 0, 0, 1, 1],
    { ...monitoring(', pipeline_name: bronze'), ...files('a.yaml') },
    { from },
  ],
  [
    'in a project without a name',
    [3, 0, 0, 2, 3],
    {
      'lhp.yaml': monitoring()['lhp.yaml'].replace('name: equality\n', ''),
      ...files('a.yaml'),
      'pipelines/b.yaml': flowgroup('unnamed_project_event_log_monitoring', 'b'),
    },
    { from },
  ],
  [
    'no views: no flowgroup',
    [1, 0, 0, 1, 1],
    { ...monitoring(', materialized_views: []'), ...files('a.yaml') },
    { from },
  ],
  [
    'no views, but the jobs; their loader is no file of its own',
    [2, 0, 0, 2, 2],
    { ...monitoring(', materialized_views: [], enable_job_monitoring: on'), ...files('a.yaml') },
    { from },
  ],
  [
    'switched off',
    [1, 0, 0, 1, 1],
    { ...monitoring(', enabled: off'), ...files('a.yaml') },
    { from },
  ],
  [
    'switched off by a text',
    [1, 0, 0, 1, 1],
    { ...monitoring(', enabled: "False"'), ...files('a.yaml') },
    { from },
  ],
  [
    'watches the pipelines of blueprints too',
    [3, 1, 1, 2, 3],
    { ...monitoring(), 'pipelines/a.yaml': instance('site', 'site: berlin') },
    { from: ['blueprints', 'monitoring'] },
  ],
  [
    'one pipeline opts out',
    [3, 0, 0, 3, 3],
    {
      ...monitoring(),
      ...configured('pipeline: bronze\nevent_log: false\n'),
      ...files('a.yaml'),
      ...silver,
    },
    { from, pipelineConfig },
  ],
  [
    'all pipelines opt out',
    [2, 0, 0, 2, 2],
    {
      ...monitoring(),
      ...configured('pipeline: [bronze, silver]\nevent_log: no\n'),
      ...files('a.yaml'),
      ...silver,
    },
    { from, pipelineConfig },
  ],
  [
    'one of them back in',
    [3, 0, 0, 3, 3],
    {
      ...monitoring(),
      ...configured(
        'project_defaults: {event_log: false}\n',
        'pipeline: silver\nevent_log: {name: log, schema: m}\n',
      ),
      ...files('a.yaml'),
      ...silver,
    },
    { from, pipelineConfig },
  ],
  [
    'nothing but the word false opts out',
    [2, 0, 0, 2, 2],
    { ...monitoring(), ...configured('project_defaults: {event_log: 0}\n'), ...files('a.yaml') },
    { from, pipelineConfig },
  ],
  [
    'one pipeline more; nobody opts out without -pc',
    [2, 0, 0, 2, 2],
    { ...monitoring(), ...configured('pipeline: bronze\nevent_log: false\n'), ...files('a.yaml') },
    { from },
  ],
  [
    'what is said of the monitoring pipeline itself opts out nobody',
    [2, 0, 0, 2, 2],
    {
      ...monitoring(),
      ...configured('pipeline: __eventlog_monitoring\nevent_log: false\n'),
      ...files('a.yaml'),
    },
    { from, pipelineConfig },
  ],
];

// lhp ignores the whole lhp.yaml when one field has a wrong type (equality-types.test.ts).
const TYPES: Row[] = [
  [
    'a number as version: no include',
    [2, 0, 0, 1, 2],
    { ...lhpYaml('version: 1.0', 'include: ["a/**"]'), ...files('a/x.yaml', 'b/y.yaml') },
  ],
  [
    'an unquoted date: no monitoring',
    [1, 0, 0, 1, 1],
    {
      'lhp.yaml': `${monitoring()['lhp.yaml']}created_date: 2024-01-31\n`,
      ...files('a.yaml'),
    },
    { from },
  ],
  [
    'a view of monitoring that has a number as its name',
    [1, 0, 0, 1, 1],
    { ...monitoring(', materialized_views: [{name: 1, sql: SELECT 1}]'), ...files('a.yaml') },
    { from },
  ],
  [
    'a list as description: the blueprints of the default patterns',
    [3, 1, 1, 2, 3],
    {
      ...lhpYaml('description: [a]', "blueprint_include: ['shared/**/*.yaml']"),
      ...files('a.yaml'),
      'pipelines/b.yaml': instance('site', 'site: berlin'),
    },
    { from: ['blueprints'] },
  ],
];

const FILES: Row[] = [
  ['helpers are copied, not counted', [1, 0, 0, 1, 1], {}, { from: ['helpers'] }],
  ['flowgroups of tests alone give no file', [2, 0, 0, 1, 1], {}, { from: ['tests'] }],
  [
    'with --include-tests they do; their hook does not count',
    [2, 0, 0, 1, 2],
    {},
    { from: ['tests'], args: ['-e', 'dev', '--include-tests'] },
  ],
  [
    'the hook that sets tags does not count',
    [1, 0, 0, 1, 1],
    {
      ...lhpYaml('uc_tagging: {enabled: yes}'),
      'pipelines/a.yaml': flowgroup('bronze', 'a').replace('sql:', 'tags: {team: sales}, sql:'),
    },
  ],
  [
    'flowgroups and pipelines named like what does not count',
    [4, 0, 0, 2, 4],
    {
      'pipelines/a.yaml': documents(
        flowgroup('custom_python_functions', '__init__'),
        flowgroup('custom_python_functions', '_uc_tagging_hook'),
        flowgroup('custom_python_functions', 'jobs_stats_loader'),
        flowgroup('_wheels', 'union_event_logs'),
      ),
    },
  ],
  [
    'pipelines in folders of each other',
    [3, 0, 0, 3, 3],
    {
      'pipelines/a.yaml': documents(
        flowgroup('team/bronze', 'a'),
        flowgroup('team', 'b'),
        flowgroup('team/bronze/deep', 'c'),
      ),
    },
  ],
  [
    'a wheel is one file, whatever is in it; a pipeline that opts out has its own',
    [4, 0, 0, 2, 3],
    {
      ...configured(
        'project_defaults: {packaging: wheel}\n',
        'pipeline: silver\npackaging: source\n',
      ),
      'pipelines/a.yaml': documents(
        flowgroup('bronze', 'a'),
        flowgroup('silver', 'b'),
        flowgroup('silver', 'c'),
      ),
    },
    { from: ['helpers'], pipelineConfig },
  ],
  [
    'a second run writes everything again; what is of no flowgroup any more is gone',
    [2, 0, 0, 1, 2],
    files('a.yaml', 'b.yaml', 'c.yaml'),
    {
      again: (root) => {
        rmSync(join(root, 'pipelines/b.yaml'));
        mkdirSync(join(root, 'generated/dev/mine'));
        writeFileSync(
          join(root, 'generated/dev/mine/x.py'),
          '# FlowGroup: x\nFLOWGROUP_ID = "x"\n',
        );
      },
    },
  ],
];

const one = files('x/a.yaml');
const ONE: Numbers = [1, 0, 0, 1, 1];

const COMMAND_LINE: Row[] = [
  ['--env=dev, -o', ONE, one, { args: ['--env=dev', '-o', 'custom/out'] }],
  [
    '-edev, an output outside of the project',
    ONE,
    one,
    { args: ['-edev', '--output={root}/../elsewhere'] },
  ],
  [
    'an environment in capitals, flags in one',
    ONE,
    { ...one, 'substitutions/Prod_EU.yaml': 'Prod_EU: {catalog: prod}\n' },
    { args: ['-se', 'Prod_EU'], environment: 'prod_eu' },
  ],
  [
    'an environment that is no plain word',
    ONE,
    { ...one, 'substitutions/eu.west.yaml': 'eu.west: {catalog: prod}\n' },
    { args: ['--env=eu.west'], environment: 'other' },
  ],
  [
    '-p writes one pipeline and counts the whole project',
    [3, 1, 1, 2, 1],
    { ...files('a.yaml', 'b.yaml'), 'pipelines/s.yaml': templated('silver', 's') },
    { args: ['-e', 'dev', '-p', 'silver'] },
  ],
  [
    '--sandbox writes what the profile says and counts the whole project',
    [3, 0, 0, 3, 2],
    {
      'pipelines/a.yaml': documents(
        flowgroup('bronze', 'a'),
        flowgroup('bronze_eu', 'b'),
        flowgroup('silver', 'c'),
      ),
    },
    { from: ['sandbox'], args: ['-e', 'dev', '--sandbox'] },
  ],
  [
    'of two environments the last, and everything else there is',
    ONE,
    one,
    {
      args: [
        '-e',
        'prod',
        '--no-format',
        '--strict',
        '--max-workers=1',
        '--no-cache',
        '--force',
        '--env',
        'dev',
      ],
    },
  ],
  [
    'from a folder of the project, -pc from its root',
    ONE,
    { ...one, ...configured('pipeline: bronze\nserverless: true\n') },
    { in: 'pipelines/x', pipelineConfig },
  ],
  ['a bundle', ONE, one, { from: ['bundle'], pipelineConfig, bundle: true }],
  ['a bundle, --no-bundle', ONE, one, { from: ['bundle'], args: ['-e', 'dev', '--no-bundle'] }],
  [
    'databricks.yaml, or a folder databricks.yml, is no bundle',
    ONE,
    { ...one, 'databricks.yaml': '', 'databricks.yml/x': '' },
  ],
  ['an lhp.yaml that says nothing', ONE, { ...one, 'lhp.yaml': '---\n' }],
];

const TOPICS: [topic: string, rows: Row[]][] = [
  ['where lhp looks', WHERE],
  ['include', INCLUDE],
  ['documents', DOCUMENTS],
  ['YAML as PyYAML reads it', YAML],
  ['blueprints', BLUEPRINTS],
  ['names out of parameters', NAMES],
  ['monitoring', MONITORING],
  ['a wrong type in lhp.yaml', TYPES],
  ['files', FILES],
  ['command line', COMMAND_LINE],
];

const lhp093 = lhp(VERSION);

if (!lacking(lhp093)) {
  // CI has two cores; more runs at once only slow each other down.
  vi.setConfig({ maxConcurrency: 2 });
  const oracle = startOracle(lhp093.path);
  const warm = await warmLhp(lhp093.path);
  afterAll(() => {
    oracle.close();
    warm.close();
  });

  const inSandbox = async (bin: string, test: (box: Sandbox) => Promise<void>) => {
    const box = sandbox({ path: [bin] });
    try {
      await test(box);
    } finally {
      box.dispose();
    }
  };

  const equal = async (box: Sandbox, root: string, numbers: Numbers, options: Options = {}) => {
    const args = (options.args ?? ['-e', 'dev']).map((arg) => arg.replace('{root}', root));
    if (options.pipelineConfig) args.push('-pc', options.pipelineConfig);
    const generate = async () => {
      const wrapped = ['run', '--', 'lhp', 'generate', ...args];
      const run = await ended(box.start(wrapped, { cwd: join(root, options.in ?? '') }));
      expect(run.status, run.output).toBe(0);
    };
    await generate();
    if (options.again) {
      await box.recorded(1);
      options.again(root);
      await generate();
    }

    const [flowgroups, flowgroupsUsingTemplates, templates, pipelines, written] = numbers;
    const { python, ...counted } = await oracle.count(root, options.pipelineConfig);
    expect(counted).toEqual({ flowgroups, flowgroupsUsingTemplates, templates, pipelines });
    const own = ownEvent(box);
    expect(own).toMatchObject({ files_written: written, bundle_enabled: options.bundle ?? false });
    // lhp omits its counts when they take longer than 0.25 s, as on a slow machine.
    if (own.project) {
      const expected = {
        flowgroups,
        flowgroups_using_templates: flowgroupsUsingTemplates,
        pipelines,
      };
      expect(own.project).toMatchObject(expected);
    }

    const event = (await box.recorded(options.again ? 2 : 1)).at(-1);
    expect(event).toMatchObject({
      flowgroups_count: flowgroups,
      templates_count: templates,
      flowgroups_using_templates: flowgroupsUsingTemplates,
      pipelines_count: pipelines,
      files_generated: written,
      environment: options.environment ?? 'dev',
      dry_run: false,
      bundle_enabled: own.bundle_enabled,
      lhp_version: VERSION,
      python_version: python,
    });
  };

  it.concurrent('the sample project of lhp init', () =>
    inSandbox(dirname(lhp093.path), async (box) => {
      const root = join(box.dir, 'demo');
      mkdirSync(root);
      const init = box.start(['run', '--', 'lhp', 'init', 'demo', '--sample', '--no-git'], {
        cwd: root,
      });
      expect(await ended(init)).toMatchObject({ status: 0 });
      await equal(box, root, [8, 2, 1, 4, 8], {
        args: ['--env', 'dev'],
        pipelineConfig: 'config/pipeline_config.yaml',
        bundle: true,
      });
    }));

  describe.each(TOPICS)('%s', (_topic, rows) => {
    sampled(it.concurrent, 12).each(rows)('%s', (_name, numbers, tree, options = {}) =>
      inSandbox(warm.bin, (box) =>
        equal(box, layOut(box, ['base', ...(options.from ?? [])], tree), numbers, options),
      ),
    );
  });
}
