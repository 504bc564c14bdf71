// @module-tag extended
// equality-types.test.ts: values of a wrong type, for every field of lhp's models and every kind of
// value, with each installed version of lhp. lhp's own loaders give the expected result, in one
// process. equality.test.ts and equality-older.test.ts check some of these values with whole runs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lhp } from '../../scripts/harness/needs.ts';
import { type Description, describeModels } from '../../scripts/lhp-models.ts';
import { LHP_VERSIONS } from '../../scripts/setup/programs.mjs';
import { expandBlueprints } from '../../src/scan/blueprints.ts';
import { Deadline } from '../../src/scan/deadline.ts';
import { flowgroupsOf } from '../../src/scan/flowgroups.ts';
import { modelsOf, typesOf } from '../../src/scan/model.ts';
import { projectSettings, readProjectFile } from '../../src/scan/project.ts';
import { rulesOf, scanProject } from '../../src/scan/scan.ts';
import { Snapshot } from '../../src/scan/snapshot.ts';
import { parseAll, parseDocuments } from '../../src/scan/yaml.ts';
import { lacking } from '../support/lacking.ts';
import { type Oracle, startOracle } from '../support/oracle.ts';
import { type Case, casesOf, type JsonMap, reachable } from '../support/oracle-cases.ts';

const LHP_YAML: JsonMap = {
  name: 'equality',
  include: ['a/**'],
  operational_metadata: {
    columns: { c: { expression: 'x' } },
    presets: { p: { columns: ['c'] } },
    defaults: { enabled: true },
  },
  event_log: { catalog: 'main', schema: 'meta' },
  monitoring: {
    checkpoint_path: '/c',
    job_config_path: 'config/job.yaml',
    materialized_views: [{ name: 'v', sql: 'SELECT 1' }],
  },
  test_reporting: { module_path: 'm.py', function_name: 'f' },
  blueprint_include: ['shared/**'],
  instance_include: ['sites/**'],
  wheel: { artifact_volume: '/Volumes/a/b/c' },
  uc_tagging: { enabled: true },
  sandbox: { strategy: 'table' },
};

/** What makes a difference to the counts, and what a section cannot be without. */
const beside = (field: string) => [
  ...['include', 'blueprint_include', 'instance_include'],
  ...(field === 'monitoring' ? ['event_log'] : []),
];

/**
 * Fields of which lhp checks more than the type: what is of the right type can end its run, too.
 */
const CONTENT = [
  'ProjectOperationalMetadataConfig.columns',
  'MetadataPresetConfig.columns',
  'MonitoringConfig.job_config_path',
  'MonitoringConfig.max_concurrent_streams',
  'MonitoringMaterializedViewConfig.sql_path',
  'ProjectConfig.required_lhp_version',
  'UCTaggingConfig.enabled',
  'UCTaggingConfig.remove_undeclared_tags',
  'UCTaggingConfig.tag_update_concurrency',
  'UCTaggingConfig.max_allowable_consecutive_failures',
  'WheelConfig.artifact_volume',
  'SandboxConfig.table_pattern',
  'SandboxConfig.allowed_envs',
];

const ACTION: JsonMap = {
  name: 'n',
  type: 'write',
  write_target: { type: 'streaming_table', database: 'd', table: 't' },
  quarantine: { dlq_table: 'a', source_table: 'b' },
};
const FLOWGROUP: JsonMap = {
  pipeline: 'p',
  flowgroup: 'f',
  use_template: 't',
  actions: [ACTION],
};
const BLUEPRINT: JsonMap = {
  name: 'b',
  parameters: [{ name: 'i', default: 'x' }],
  flowgroups: [{ ...FLOWGROUP, flowgroup: '%{i}' }],
};

const one = (pipeline: string, name: string) => `pipeline: ${pipeline}\nflowgroup: ${name}\n`;
/** With lhp.yaml as above one flowgroup and what blueprints and monitoring add; without it four. */
const PROJECT: Record<string, string> = {
  'config/job.yaml': 'a: b\n',
  'pipelines/a/f.yaml': one('a', 'a'),
  'pipelines/b/f.yaml': ['x', 'y', 'z'].map((name) => one('b', name)).join('---\n'),
  'shared/x.yaml': '{name: x, parameters: [], flowgroups: [{pipeline: s, flowgroup: t}]}\n',
  'sites/i.yaml': 'use_blueprint: x\n',
  'blueprints/b.yaml': JSON.stringify(BLUEPRINT),
};

const ENDED = 'ended';
const orEnded = <T>(read: () => T): T | typeof ENDED => {
  try {
    return read();
  } catch {
    return ENDED; // the scanner refuses the file, or is not certain
  }
};

/** `field: value` → what it is read as: easier to compare, and a difference names itself. */
const table = (cases: readonly Case[], answers: readonly unknown[]) =>
  Object.fromEntries(
    cases.map(({ field, value }, index) => [`${field}: ${value}`, answers[index]]),
  );

describe.each(LHP_VERSIONS)('lhp %s', (version) => {
  const need = lhp(version);
  if (lacking(need)) return;
  const rule = version === LHP_VERSIONS[0] ? 'last' : 'first';
  const models: Description = describeModels(join(dirname(need.path), 'python'));
  const rules = { ...rulesOf(version), models: modelsOf(version) };
  let oracle: Oracle;
  let root: string;
  beforeAll(() => {
    oracle = startOracle(need.path);
    root = mkdtempSync(join(tmpdir(), 'lhp-otel-types-'));
    write(PROJECT);
  });
  afterAll(() => {
    oracle.close();
    rmSync(root, { recursive: true });
  });
  const write = (tree: Record<string, string>) => {
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };

  it('has the models of the table that the scanner uses', () => {
    const ours = [...typesOf(version)].map(([model, fields]) => [
      model,
      Object.fromEntries(fields),
    ]);
    expect(Object.fromEntries(ours)).toEqual(models);
  });

  const projects = casesOf(models, 'ProjectConfig', LHP_YAML, { beside });
  const readProject = (text: string) =>
    orEnded(() => {
      const settings = projectSettings(
        readProjectFile(() => parseAll(text, rule)),
        version,
        rules.models,
      );
      return settings.size === 0 ? 'dropped' : 'taken';
    });

  it('accepts lhp.yaml, ignores it, or ends the run', async () => {
    const texts = projects.map(({ text }) => text);
    const theirs = await oracle.read(root, 'project', 'lhp.yaml', texts);
    // A run that fails is not recorded.
    const compared = projects.map(
      ({ field }, index) => !(theirs[index] === ENDED && CONTENT.includes(field)),
    );
    const only = <T>(of: readonly T[]) => of.filter((_, index) => compared[index]);
    expect(table(only(projects), only(texts.map(readProject)))).toEqual(
      table(only(projects), only(theirs)),
    );
    for (const outcome of ['taken', 'dropped', ENDED]) expect(theirs).toContain(outcome);
    expect(modelsIn(projects)).toEqual([...reachable(models, 'ProjectConfig')].sort());
  });

  it('counts the whole project accordingly', async () => {
    // Each outcome of a field, once.
    const texts = projects.map(({ text }) => text);
    const ways = (await oracle.read(root, 'project', 'lhp.yaml', texts)).map(
      (way, i) => `${projects[i]?.field} ${way}`,
    );
    const chosen = projects.filter(
      ({ field }, i) => ways.indexOf(ways[i] ?? '') === i && !CONTENT.includes(field),
    );
    const theirs: unknown[] = [];
    const ours: unknown[] = [];
    for (const { text } of chosen) {
      write({ 'lhp.yaml': text });
      theirs.push(
        await oracle.count(root).then(
          ({ python, ...counts }) => counts,
          () => ENDED,
        ),
      );
      ours.push(counted(scan(root, version)));
    }
    expect(table(chosen, ours)).toEqual(table(chosen, theirs));
    // Bytes that are not UTF-8 are not a string, so they are none of the values above.
    writeFileSync(
      join(root, 'lhp.yaml'),
      Buffer.from('name: p\nauthor: M\xfcller\ninclude: ["a/**"]\n', 'latin1'),
    );
    const { python, ...latin1 } = await oracle
      .count(root)
      .catch(() => ({ python: '', ended: ENDED }));
    expect(counted(scan(root, version))).toEqual('ended' in latin1 ? ENDED : latin1);
  });

  it('accepts or refuses a file below pipelines with its flowgroups', async () => {
    const single = casesOf(models, 'FlowGroup', FLOWGROUP);
    // An entry of `flowgroups:` inherits some fields from its document.
    const shared = casesOf(models, 'FlowGroup', FLOWGROUP, { leave: ['Action'] }).map(inherited);
    const cases = [
      ...single,
      ...shared,
      ...SHAPES.map((text) => ({ field: 'shape', value: text, text })),
    ];
    const theirs = await oracle.read(
      root,
      'flowgroups',
      'case.yaml',
      cases.map(({ text }) => text),
    );
    const ours = cases.map(({ text }) =>
      orEnded(() =>
        flowgroupsOf(parseDocuments(text, rule), rules).map(({ pipeline, flowgroup, template }) => [
          pipeline,
          flowgroup,
          template ?? null,
        ]),
      ),
    );
    expect(table(cases, ours)).toEqual(table(cases, theirs));
    expect(modelsIn(single)).toEqual([...reachable(models, 'FlowGroup')].sort());
  });

  if (models.Blueprint === undefined) return;

  it('accepts a blueprint and an instance, or ends the run', async () => {
    const blueprints = casesOf(models, 'Blueprint', BLUEPRINT, { leave: ['Action'] });
    const blueprint = (text: string) =>
      orEnded(() => {
        const documents = parseDocuments(text, rule);
        expandBlueprints([documents], [], rules, new Deadline());
        return (documents as Map<string, string>[])[0]?.get('name');
      });
    const theirs = await oracle.read(
      root,
      'blueprint',
      'case.yaml',
      blueprints.map(({ text }) => text),
    );
    expect(
      table(
        blueprints,
        blueprints.map(({ text }) => blueprint(text)),
      ),
    ).toEqual(table(blueprints, theirs));

    const instances = [
      ...casesOf(
        models,
        'BlueprintInstance',
        { use_blueprint: 'b' },
        { beside: () => ['use_blueprint'] },
      ),
      ...casesOf(models, 'BlueprintInstance', {}),
    ].map((one, index) => ({ ...one, value: `${one.value} (${index})` }));
    const instance = (text: string) =>
      orEnded(() => {
        const documents = parseDocuments(text, rule);
        const made = expandBlueprints(
          [parseDocuments(JSON.stringify(BLUEPRINT), rule)],
          [documents],
          rules,
          new Deadline(),
        );
        return made.length + flowgroupsOf(documents, rules).length;
      });
    const theirInstances = await oracle.read(
      root,
      'instance',
      'case.yaml',
      instances.map(({ text }) => text),
    );
    const ourInstances = instances.map(({ text }) => instance(text));
    expect(table(instances, ourInstances)).toEqual(table(instances, theirInstances));
  });
});

/** Files that are no mapping, or a list of flowgroups in another form. */
const SHAPES = [
  ...[
    '[]',
    '5',
    'text',
    'flowgroups',
    '{1: x, pipeline: p, flowgroup: f}',
    '{pipeline: p, flowgroup: f, k: 2024-02-30}',
  ],
  ...[
    '[]',
    '{}',
    '""',
    '!!set {}',
    '!!omap []',
    'null',
    'no',
    '0',
    '5',
    'text',
    '{a: b}',
    '[[a]]',
    '[a]',
  ].flatMap((value) => [`flowgroups: ${value}`, `pipeline: p\nflowgroups: ${value}`]),
  '{pipeline: p, flowgroups: [{flowgroup: ""}, {flowgroup: ""}]}',
  '{pipeline: p, flowgroups: [{flowgroup: a}, {flowgroup: a}]}',
  '{pipeline: p, actions: 5, flowgroups: [{flowgroup: a}]}',
];

function inherited({ field, value, text }: Case): Case {
  const name = field.split('.')[1] ?? '';
  const inner = JSON.stringify({
    flowgroup: 'f',
    ...(name === 'pipeline' ? {} : { pipeline: 'p' }),
  });
  return { field: `shared ${field}`, value, text: text.replace(/}$/, `, flowgroups: [${inner}]}`) };
}

const modelsIn = (cases: readonly Case[]) =>
  [...new Set(cases.map(({ field }) => field.split('.')[0]))].sort();

function scan(root: string, lhpVersion: string) {
  const options = { lhpVersion, pyyamlVersion: undefined, pipelineConfig: undefined, dryRun: true };
  return scanProject(new Snapshot(root), options, undefined);
}

const counted = ({
  flowgroups,
  flowgroupsUsingTemplates,
  templates,
  pipelines,
}: ReturnType<typeof scanProject>) =>
  flowgroups === null ? ENDED : { flowgroups, flowgroupsUsingTemplates, templates, pipelines };
