// What is sent: the request of a wrapped real generate, received by the real collector, decodes to
// exactly the contract's tables; `show` prints what was posted, byte for byte; strings that are
// planted everywhere a run can read reach no body, header, file, status or debug line.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RealCollector, startCollector } from '../../scripts/harness/collector.ts';
import { collector, lhp } from '../../scripts/harness/needs.ts';
import { lhpOtel, type OtlpServer, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import {
  type AttributeSpec,
  exampleEvent,
  type GenerateEvent,
  INSTRUMENTS,
  LOSS_REASONS,
  LOST_RUNS,
  OTHER,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
  SCOPE_NAME,
} from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { lacking } from '../support/lacking.ts';
import { sampled } from '../support/tags.ts';

const packageVersion = (
  JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string }
).version;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const DELTA = 1;
const FAKE_BIN = join(projectRoot, 'test', 'fixtures', 'bin');
const GENERATE = ['generate', '--env', 'dev', '-pc', 'config/pipeline_config.yaml'];

const boxes: Sandbox[] = [];
function newBox(...options: Parameters<typeof sandbox>): Sandbox {
  const box = sandbox(...options);
  boxes.push(box);
  return box;
}
afterAll(async () => {
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

type Values = Record<string, string | boolean>;

interface Expected {
  resource: Values;
  point: Values;
  /** Instrument name → value; an instrument that is not named is not in the document. */
  numbers: Record<string, number>;
  /** Nanoseconds, as text. */
  start: string;
  time: string;
}

/** The whole request, in the JSON that the collector writes. */
function expectedRequest({ resource, point, numbers, start, time }: Expected): unknown {
  const when = { startTimeUnixNano: start, timeUnixNano: time };
  const attributes = otlpAttributes(POINT_ATTRIBUTES, point);
  const metrics = INSTRUMENTS.flatMap(({ name, description, unit, kind }) => {
    const value = numbers[name];
    if (value === undefined) return [];
    const about = { name, description, unit };
    return kind === 'counter'
      ? {
          ...about,
          sum: {
            aggregationTemporality: DELTA,
            isMonotonic: true,
            dataPoints: [{ attributes, ...when, asInt: String(value) }],
          },
        }
      : {
          ...about,
          exponentialHistogram: {
            aggregationTemporality: DELTA,
            dataPoints: [{ attributes, ...when, ...oneValue(value) }],
          },
        };
  });
  const scope = { name: SCOPE_NAME, version: packageVersion };
  return {
    resourceMetrics: [
      {
        resource: { attributes: otlpAttributes(RESOURCE_ATTRIBUTES, resource) },
        scopeMetrics: [{ scope, metrics }],
      },
    ],
  };
}

const otlpAttributes = (specs: readonly AttributeSpec[], values: Values) =>
  specs.map(({ key, type }) => ({
    key,
    value: { [type === 'string' ? 'stringValue' : 'boolValue']: values[key] },
  }));

/**
 * The point of an exponential histogram with one value. By the data model, bucket i holds
 * (base^i, base^(i+1)] with base 2^(2^-scale).
 */
function oneValue(value: number) {
  if (value === 0) return { count: '1', sum: 0, zeroCount: '1', positive: {}, negative: {} };
  const scale = 20;
  const power = Math.log2(value) * 2 ** scale;
  const offset = Math.ceil(power) - 1;
  return { count: '1', sum: value, scale, positive: { offset, bucketCounts: ['1'] }, negative: {} };
}

describe('a wrapped real generate, received by the real collector', () => {
  const needs = [lhp('0.9.3'), collector()];
  if (lacking(...needs)) return;
  const bin = dirname(lhp('0.9.3').path);
  const box = newBox({ path: [bin], env: { LHP_TELEMETRY: undefined } });
  const project = join(box.dir, 'p');
  let received: RealCollector;
  let server: OtlpServer;

  beforeAll(async () => {
    mkdirSync(project);
    const made = await lhpOtel(box, ['run', '--', 'lhp', 'init', 'demo', '--sample', '--no-git'], {
      cwd: project,
    });
    if (made.status !== 0) throw new Error(`lhp init: ${made.stdout}${made.stderr}`);
    received = await startCollector(collector().path);
    server = await startOtlpServer();
  });
  afterAll(async () => {
    await received?.stop();
    await server?.close();
  });

  const generate = async (env: Env) => {
    const before = Date.now();
    const ran = await lhpOtel(box, ['run', '--', 'lhp', ...GENERATE], { cwd: project, env });
    if (ran.status !== 0) throw new Error(`lhp generate: ${ran.stdout}${ran.stderr}`);
    const after = Date.now();
    await idle(box);
    return { before, after };
  };
  const newest = async (format: string) =>
    (await lhpOtel(box, ['show', '--last', '1', '--format', format], { cwd: project })).stdout;

  it('decodes to exactly the contract', async () => {
    const { before, after } = await generate({
      LHP_OTEL_EXPORTER_OTLP_ENDPOINT: received.endpoint,
    });
    const [document, ...more] = await received.received(1);
    expect(more).toEqual([]);
    const event = JSON.parse(await newest('event')) as GenerateEvent;
    const [file = ''] = readdirSync(box.historyDir);
    const time = Number(file.split('.')[0]);
    expect(file).toBe(`${time}.sent.json`);

    // The start and the exact duration of the run are known from the document only.
    const { startTimeUnixNano: start, sum: duration } = pointOf(document, 'lhp.generate.duration');
    expect(time).toBeGreaterThanOrEqual(Math.floor(Number(start) / 1e6 + duration * 1000));
    expect(Number(start) / 1e6).toBeGreaterThanOrEqual(before);
    expect(Number(start) / 1e6).toBeLessThanOrEqual(after);
    expect(duration).toBeGreaterThan(0.1);
    expect(duration).toBeLessThanOrEqual((after - before) / 1000);
    expect(event.generation_time_seconds).toBe(Math.round(duration * 100) / 100);

    const expected = expectedRequest({
      resource: {
        'service.name': 'lhp',
        'service.version': '0.9.3',
        'lhp.project.id': sha256('demo'),
        'lhp.machine.id': machineDigest() ?? event.machine_id,
        'lhp.ci': false,
        'process.runtime.name': 'cpython',
        'process.runtime.version': pythonOf(bin),
      },
      point: {
        'deployment.environment.name': 'dev',
        'lhp.dry_run': false,
        'lhp.bundle.enabled': true,
      },
      numbers: {
        'lhp.generate.runs': 1,
        'lhp.generate.duration': duration,
        'lhp.generate.files': 8,
        'lhp.project.flowgroups': 8,
        'lhp.project.flowgroups_using_templates': 2,
        'lhp.project.templates': 1,
        'lhp.project.pipelines': 4,
      },
      start,
      time: `${time}000000`,
    });
    expect(document).toStrictEqual(expected);
  });

  sampled(it, 4).each(['none', 'gzip'])(
    'show --format otlp prints the body that was posted, compression %s',
    async (compression) => {
      const count = server.requests.length;
      const stored = existsSync(box.historyDir) ? readdirSync(box.historyDir).length : 0;
      await generate({
        LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint,
        LHP_OTEL_EXPORTER_OTLP_COMPRESSION: compression,
      });
      const [request, ...more] = server.requests.slice(count);
      expect(more).toEqual([]);
      expect(await newest('otlp')).toBe(`${request?.body.toString('utf8')}\n`);
      const [file = ''] = readdirSync(box.historyDir).sort().slice(stored);
      expect(readFileSync(join(box.historyDir, file))).toEqual(request?.body);
      expect(request).toMatchObject({ method: 'POST', path: '/v1/metrics' });
      expect(request?.raw.equals(request.body)).toBe(compression === 'none');
      // All headers: no other one is sent.
      expect(Object.keys(request?.headers ?? {}).sort()).toEqual(
        [
          ...(compression === 'gzip' ? ['content-encoding'] : []),
          ...['connection', 'content-type', 'host', 'transfer-encoding', 'user-agent'],
        ].sort(),
      );
      expect(request?.headers['content-type']).toBe('application/json');
      expect(request?.headers['user-agent']).toMatch(
        new RegExp(`^lhp-otel/${packageVersion} OTel-OTLP-Exporter-JavaScript/[\\d.]+$`),
      );
    },
  );

  it('losses of earlier runs are one more counter, with a reason only', async () => {
    const lost = new Map(LOSS_REASONS.map((reason, index) => [reason, index + 1]));
    const at = Date.now();
    const body = await recordRun(anEvent, { timestamp: at, startedAt: at - 5, lost });
    const count = (await received.received(1)).length;
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${received.endpoint}/v1/metrics`, {
      method: 'POST',
      body,
      headers,
    });
    expect(await answer.json()).toEqual({ partialSuccess: {} });
    const document = (await received.received(count + 1))[count];
    const { name, description, unit } = LOST_RUNS;
    const metric = metricsOf(document).find((each) => each.name === name);
    const when = { startTimeUnixNano: `${at - 5}000000`, timeUnixNano: `${at}000000` };
    expect(metric).toStrictEqual({
      ...{ name, description, unit },
      sum: {
        aggregationTemporality: DELTA,
        isMonotonic: true,
        dataPoints: LOSS_REASONS.map((reason, index) => ({
          attributes: [{ key: 'lhp.loss.reason', value: { stringValue: reason } }],
          ...{ ...when, asInt: String(index + 1) },
        })),
      },
    });
  });
});

/** `undefined` on a machine that has neither file. */
function machineDigest(): string | undefined {
  const file = ['/etc/machine-id', '/var/lib/dbus/machine-id'].find(
    (path) => existsSync(path) && readFileSync(path, 'utf8').trim() !== '',
  );
  return file && sha256(readFileSync(file, 'utf8').trim());
}

const pythonOf = (bin: string) =>
  /^version = (\d+\.\d+)/m.exec(readFileSync(join(dirname(bin), 'pyvenv.cfg'), 'utf8'))?.[1] ?? '';

interface DecodedPoint {
  startTimeUnixNano: string;
  timeUnixNano: string;
  sum: number;
  attributes: { key: string; value: Record<string, unknown> }[];
}
interface DecodedMetric {
  name: string;
  unit: string;
  description: string;
  sum?: { dataPoints: (DecodedPoint & { asInt: number })[] };
  exponentialHistogram?: { dataPoints: DecodedPoint[] };
}
const metricsOf = (document: unknown) =>
  (
    document as { resourceMetrics: { scopeMetrics: { metrics: DecodedMetric[] }[] }[] }
  ).resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
function pointOf(document: unknown, name: string): DecodedPoint {
  const metric = metricsOf(document).find((each) => each.name === name);
  const [point] = metric?.exponentialHistogram?.dataPoints ?? metric?.sum?.dataPoints ?? [];
  if (!point) throw new Error(`no ${name} in what was received`);
  return point;
}

const anEvent: GenerateEvent = {
  ...exampleEvent(),
  project_id: sha256('demo'),
  machine_id: sha256('machine'),
  is_ci: false,
  flowgroups_count: 8,
  templates_count: 0,
  flowgroups_using_templates: 2,
  pipelines_count: 4,
  files_generated: null,
  environment: 'dev',
  dry_run: false,
  bundle_enabled: true,
  lhp_version: '0.9.3',
  python_version: '3.11',
  generation_time_seconds: 1.25,
};

/** In all planted strings, which must be sent and kept nowhere. */
const CANARY = /canary/i;
/** Has a dot, so it is not an environment name of the contract, in lower case either. */
const CANARY_ENV = 'CANARY.ENV';

const CANARY_PROJECT: Record<string, string> = {
  'lhp.yaml': `# token: canary-comment
name: Canary.project
version: "1.0"
description: canary-description
author: canary-author
`,
  [`substitutions/${CANARY_ENV}.yaml`]: `${CANARY_ENV}:
  catalog: canary_catalog
  schema: canary_schema
  secrets: { default_scope: canary_scope, scopes: { vault: canary_vault } }
`,
  'templates/canary_template.yaml': `name: canary_template
parameters:
  - { name: entity, required: true }
actions:
  - name: "load_{{ entity }}"
    type: load
    source:
      type: jdbc
      url: "jdbc:postgresql://canary-database.example/canary"
      user: "\${secret:vault/canary_user}"
      password: "\${secret:vault/canary_password}"
      driver: org.postgresql.Driver
      table: canary_source
    target: "v_{{ entity }}"
  - name: "write_{{ entity }}"
    type: write
    source: "v_{{ entity }}"
    write_target:
      type: streaming_table
      catalog: "\${catalog}"
      schema: "\${schema}"
      table: "{{ entity }}"
`,
  'pipelines/canary_folder/canary_file.yaml': `pipeline: canary_pipeline
flowgroup: canary_flowgroup
use_template: canary_template
template_parameters: { entity: canary_table }
`,
  'pipelines/canary_folder/canary_sql.yaml': `pipeline: canary_pipeline
flowgroup: canary_sql
actions:
  - name: canary_action
    type: write
    write_target:
      type: materialized_view
      catalog: "\${catalog}"
      schema: "\${schema}"
      table: canary_view
      sql: SELECT canary_column FROM canary_relation
`,
  'config/canary_config.yaml': 'pipeline: canary_pipeline\nserverless: true\n',
  '.git/config':
    '[remote "origin"]\n\turl = https://canary-user:canary-password@git.example/canary.git\n',
  '.git/HEAD': 'ref: refs/heads/canary-branch\n',
};

/** Variables of other programs, and variables that OpenTelemetry's libraries read. */
const CANARY_VARIABLES: Env = {
  ...Object.fromEntries(
    [
      ...[
        'USER',
        'LOGNAME',
        'HOSTNAME',
        'MAIL',
        'GIT_AUTHOR_EMAIL',
        'DATABRICKS_TOKEN',
        'AWS_SECRET_ACCESS_KEY',
      ],
      ...[
        'OTEL_SERVICE_NAME',
        'OTEL_METRICS_EXEMPLAR_FILTER',
        'SSH_CONNECTION',
        'VIRTUAL_ENV_PROMPT',
        'NPM_TOKEN',
      ],
      ...[
        'OTEL_EXPORTER_OTLP_CERTIFICATE',
        'OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY',
        'OTEL_EXPORTER_OTLP_PROTOCOL',
      ],
    ].map((name) => [name, `canary-${name}`]),
  ),
  OTEL_EXPORTER_OTLP_HEADERS: 'x-canary=canary-headers',
  OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-canary-metrics=canary-metrics-headers',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9/canary-endpoint',
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:9/canary-metrics-endpoint',
  OTEL_RESOURCE_ATTRIBUTES:
    'service.name=canary-service,host.name=canary-host,user.name=canary-user',
  OTEL_METRICS_EXEMPLAR_FILTER: 'always_on',
  OTEL_NODE_RESOURCE_DETECTORS: 'all',
};

const OWN_HEADER = { name: 'x-collector-key', value: 'canary-own-header' };
const CANARY_ARGS = [
  'generate',
  '-e',
  CANARY_ENV,
  '-pc',
  'config/canary_config.yaml',
  '-p',
  'canary_pipeline',
];

describe('planted strings', () => {
  const needs = [lhp('0.9.3')];
  if (lacking(...needs)) return;

  /**
   * Runs of a user whose names all hold the word. The collector fails twice, with the word in its
   * answers, and then recovers.
   */
  async function canaryRuns(compression: string) {
    const box = newBox({ path: [dirname(lhp('0.9.3').path)], env: { LHP_TELEMETRY: undefined } });
    const project = join(box.dir, 'canary-parent', 'canary-project');
    for (const [path, text] of Object.entries(CANARY_PROJECT)) {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      writeFileSync(join(project, path), text);
    }
    const home = join(box.dir, 'canary-home');
    mkdirSync(home);
    const server = await startOtlpServer({
      script: [
        { status: 500, body: 'canary-answer', headers: { 'x-answer': 'canary-answer-header' } },
        { status: 401, body: 'canary-answer' },
        { body: '{"partialSuccess":{"rejectedDataPoints":"1","errorMessage":"canary-partial"}}' },
        {},
      ],
    });
    const env = {
      ...{ ...CANARY_VARIABLES, HOME: home, LHP_OTEL_LOG: 'debug' },
      LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint,
      LHP_OTEL_EXPORTER_OTLP_HEADERS: `${OWN_HEADER.name}=${OWN_HEADER.value}`,
      LHP_OTEL_EXPORTER_OTLP_COMPRESSION: compression,
    };
    const tell = (args: string[], more: Env = {}) =>
      lhpOtel(box, args, { cwd: project, env: { ...env, ...more } });
    const said: Record<string, string> = {};
    /** The lines that lhp-otel itself prints in a wrapped run. */
    const ours = (stderr: string) =>
      stderr
        .split('\n')
        .filter((line) => line.startsWith('lhp-otel:'))
        .join('\n');

    const ran = await tell(['run', '--', 'lhp', ...CANARY_ARGS]);
    if (ran.status !== 0) throw new Error(`lhp generate: ${ran.stdout}${ran.stderr}`);
    said['debug lines of the real lhp'] = ours(ran.stderr);
    await idle(box);
    // A program in the place of lhp that prints nothing, so all of stderr is lhp-otel's.
    const fake = { PATH: `${FAKE_BIN}:${process.env.PATH}`, DO: ':' };
    said['status after a failure'] = (await tell(['status', '--json'])).stdout;
    const second = await tell(['run', '--', 'lhp', '-v', ...CANARY_ARGS], fake);
    said['debug lines of a silent lhp'] = second.stdout + second.stderr;
    await idle(box);
    for (const [what, args] of Object.entries({
      // Delivers in its own process, which has all variables.
      flush: ['flush'],
      status: ['status'],
      'status --json': ['status', '--json'],
      show: ['show'],
      'show --format otlp': ['show', '--format', 'otlp'],
      'show --preview': ['show', '--preview', '--', 'lhp', ...CANARY_ARGS],
      'show --preview --format otlp': [
        'show',
        '--preview',
        '--format',
        'otlp',
        '--',
        'lhp',
        ...CANARY_ARGS,
      ],
    })) {
      const told = await tell(args);
      expect(told.status, `${what}: ${told.stderr}`).toBe(0);
      said[what] = told.stdout + told.stderr;
    }
    await server.close();
    return { box, home, project, server, said };
  }

  sampled(it, 4).each(['none', 'gzip'])(
    'are sent and kept nowhere, compression %s',
    async (compression) => {
      const { home, project, server, said } = await canaryRuns(compression);
      // lhp read them, and generated from them.
      const generated = join(
        project,
        'generated',
        CANARY_ENV,
        'canary_pipeline',
        'canary_flowgroup.py',
      );
      expect(readFileSync(generated, 'utf8')).toMatch(/canary_password/);

      const places: Record<string, string> = {};
      for (const [index, request] of server.requests.entries()) {
        const own = `${OWN_HEADER.name}\n${OWN_HEADER.value}`;
        expect(request.head).toContain(own);
        places[`head of request ${index}`] = request.head.replace(own, '');
        places[`body of request ${index}`] = request.body.toString('latin1');
        places[`raw body of request ${index}`] = request.raw.toString('latin1');
      }
      expect(server.requests.map(({ body }) => body.length > 1000)).toEqual([
        true,
        true,
        true,
        true,
      ]);
      const kept = filesBelow(join(home, '.local')).concat(filesBelow(join(home, '.config')));
      expect(kept.map((path) => basename(path).replace(/^\d+/, '')).sort()).toEqual(
        ['.sent.json', '.sent.json', 'debug.log', 'delivery.json', 'notice.json'].sort(),
      );
      for (const path of kept) places[path.slice(home.length)] = readFileSync(path, 'latin1');
      for (const [what, text] of Object.entries(said)) {
        expect(text, what).not.toBe('');
        // `status` names the user's own folders.
        places[what] = what.startsWith('status')
          ? text.replaceAll(project, '').replaceAll(home, '')
          : text;
      }
      expect(Object.entries(places).filter(([, text]) => CANARY.test(text))).toEqual([]);
      expect(Object.entries(places).filter(([, text]) => text.includes(hostname()))).toEqual([]);
      expect(
        server.requests.every(({ body }) =>
          pointOf(JSON.parse(body.toString()), 'lhp.generate.runs'),
        ),
      ).toBe(true);
      const environments = said.show
        ?.split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as GenerateEvent).environment);
      expect(environments).toEqual([OTHER, OTHER]);
    },
  );
});

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
