// The OTEL_* variables belong to the user's own applications; OTEL_EXPORTER_OTLP_HEADERS often
// holds an API key. With all of them set, what lhp-otel sends has the same bytes as without them,
// and goes to the same place. This holds for each program that sends, also when the variables are
// in its own environment, where nothing has removed them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lhpOtel, type OtlpServer, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { JOB_VARIABLE } from '../../src/job/job.ts';

const SECRET = 'canary';

/** Where the user's other applications send their telemetry. */
let others: OtlpServer;
beforeAll(async () => {
  others = await startOtlpServer();
});
afterAll(() => others.close());

/** The variables of the OpenTelemetry specification that an exporter or an SDK may read. */
function variablesOfOthers(folder: string): Env {
  const pem = join(folder, `${SECRET}.pem`);
  writeFileSync(pem, `-----BEGIN CERTIFICATE-----\n${SECRET}\n-----END CERTIFICATE-----\n`);
  const exporter = (signal: string): Env => ({
    [`OTEL_EXPORTER_OTLP_${signal}ENDPOINT`]: others.endpoint,
    [`OTEL_EXPORTER_OTLP_${signal}HEADERS`]: `x-${SECRET}=${SECRET},authorization=${SECRET}`,
    [`OTEL_EXPORTER_OTLP_${signal}CERTIFICATE`]: pem,
    [`OTEL_EXPORTER_OTLP_${signal}CLIENT_CERTIFICATE`]: pem,
    [`OTEL_EXPORTER_OTLP_${signal}CLIENT_KEY`]: pem,
    [`OTEL_EXPORTER_OTLP_${signal}COMPRESSION`]: 'gzip',
    [`OTEL_EXPORTER_OTLP_${signal}TIMEOUT`]: '1',
    [`OTEL_EXPORTER_OTLP_${signal}PROTOCOL`]: 'http/protobuf',
    [`OTEL_EXPORTER_OTLP_${signal}INSECURE`]: 'true',
  });
  return {
    ...Object.assign({}, ...['', 'METRICS_', 'TRACES_', 'LOGS_'].map(exporter)),
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'cumulative',
    OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'explicit_bucket_histogram',
    OTEL_METRICS_EXPORTER: 'console',
    OTEL_METRIC_EXPORT_INTERVAL: '1',
    OTEL_METRIC_EXPORT_TIMEOUT: '1',
    OTEL_METRICS_EXEMPLAR_FILTER: 'always_on',
    OTEL_RESOURCE_ATTRIBUTES: `service.name=${SECRET},host.name=${SECRET}`,
    OTEL_SERVICE_NAME: SECRET,
    OTEL_NODE_RESOURCE_DETECTORS: 'all',
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '1',
    OTEL_ATTRIBUTE_COUNT_LIMIT: '1',
    OTEL_LOG_LEVEL: 'all',
  };
}

interface Place {
  box: Sandbox;
  project: string;
  server: OtlpServer;
}

/** Ends when the program, and what it has started, has ended. */
async function run({ box, project }: Place, program: string, env: Env): Promise<void> {
  const child = spawn(process.execPath, [program], {
    cwd: project,
    env: { ...box.env, ...env } as NodeJS.ProcessEnv,
    stdio: 'ignore',
  });
  await once(child, 'exit');
  await idle(box);
}

function report(where: Place, env: Env, deliver: boolean): Promise<void> {
  const [startedAt, endedAt] = [Date.now() - 2_500, Date.now()];
  const known = { project_name: 'shop', files_generated: 3 };
  const job = { startedAt, endedAt, durationSeconds: 2.5, known, deliver, bundle: false };
  const reporter = join(projectRoot, 'dist', 'reporter.cjs');
  return run(where, reporter, { ...env, [JOB_VARIABLE]: JSON.stringify(job) });
}

/** Each program that sends, as it is started: with the variables in its own environment. */
const SENDERS: Record<string, (where: Place, env: Env) => Promise<unknown>> = {
  'the reporter': (where, env) => report(where, env, true),
  'lhp-otel flush': async (where, env) => {
    await report(where, {}, false);
    return lhpOtel(where.box, ['flush'], { cwd: where.project, env });
  },
  'lhp-otel doctor': ({ box, project }, env) => lhpOtel(box, ['doctor'], { cwd: project, env }),
  'lhp-otel run': async ({ box, project }, env) => {
    await lhpOtel(box, ['run', '--', 'lhp', 'generate', '--env', 'dev'], { cwd: project, env });
    await idle(box);
  },
  'a host of the library': async (where, env) => {
    const library = JSON.stringify(join(projectRoot, 'dist', 'index.js'));
    const host = join(where.box.dir, 'host.mjs');
    writeFileSync(
      host,
      `import { recordGenerate } from ${library};
      recordGenerate({ project_name: 'shop', generation_time_seconds: 2.5, files_generated: 3 });`,
    );
    await run(where, host, env);
  },
};

/** Without what is different for each run: its times, and how long the command took. */
const comparable = (body: Buffer): string =>
  body
    .toString('latin1')
    .replace(/("(?:startT|t)imeUnixNano":)"\d+"/g, '$1…')
    .replace(/(generate\.duration".*?"sum":)[\d.]+(,"positive":\{"offset":)-?\d+/, '$1…$2…');

describe('the variables of other OpenTelemetry applications', () => {
  const path = [join(projectRoot, 'test', 'fixtures', 'bin')];

  it.concurrent.each(Object.entries(SENDERS))('change nothing that %s sends', async (_, send) => {
    const server = await startOtlpServer();
    const endpoint = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint };
    const box = sandbox({ path, env: { DO: ':', ...endpoint } });
    box.tell();
    const project = join(box.dir, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'lhp.yaml'), 'name: others\n');
    const where = { box, project, server };
    await send(where, {});
    await send(where, variablesOfOthers(box.dir));
    const [without, withThem, ...more] = server.requests;
    if (!without || !withThem) throw new Error(`${server.requests.length} requests arrived`);
    expect(more).toEqual([]);
    expect(withThem.head).toBe(without.head);
    expect(withThem.raw).toEqual(withThem.body);
    expect(comparable(withThem.body)).toBe(comparable(without.body));
    expect(withThem.head + withThem.body.toString('latin1')).not.toContain(SECRET);
    expect(others.connections()).toBe(0);
    const kept = readdirSync(box.stateDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    expect(kept.join('')).not.toContain(SECRET);
    await server.close();
    await idle(box);
    box.dispose();
  });

  it('change nothing that show --preview prints', async () => {
    const box = sandbox({ path });
    const preview = async (env: Env) => {
      const { stdout } = await lhpOtel(box, ['show', '--preview', '--format', 'otlp'], { env });
      return comparable(Buffer.from(stdout));
    };
    expect(await preview(variablesOfOthers(box.dir))).toBe(await preview({}));
    box.dispose();
  });

  it('are read by no code that is bundled', () => {
    const dist = join(projectRoot, 'dist');
    const bundles = readdirSync(dist).filter((name) => /\.c?js$/.test(name));
    const regions = bundles.flatMap((name) =>
      readFileSync(join(dist, name), 'utf8').match(/^\/\/#region .*$/gm),
    );
    const exporters = regions.filter((region) => region?.includes('/exporter-metrics-otlp-http/'));
    expect(exporters.length).toBeGreaterThan(0);
    // The modules of OpenTelemetry's packages that read the variables of an exporter or a resource.
    expect(
      regions.filter((region) =>
        /env-configuration|legacy|EnvDetector|MetricExporter\./.test(`${region}`),
      ),
    ).toEqual([]);
  });
});
