// A user at the prompt does not wait for the reporter. In CI, where the machine ends with the job,
// `run` waits at most LHP_OTEL_FLUSH_TIMEOUT. Runs that end together are all recorded.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  lhpOtel,
  type OtlpServer,
  type ServerSetup,
  startOtlpServer,
} from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  processesMentioning,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { makeCompiledFolder } from '../support/compiled-folder.ts';
import { extended } from '../support/tags.ts';

const GENERATE = ['run', '--', './lhp', 'generate', '--env', 'dev'];
/** Longer than any test may take, so a test that waits for it fails. */
const FOR_EVER = '300s';

interface Place {
  box: Sandbox;
  project: string;
  server: OtlpServer;
  env: Env;
}
const places: Place[] = [];
afterAll(async () => {
  for (const { box, server } of places) {
    await server.close();
    await idle(box);
    box.dispose();
  }
});

async function place(setup?: ServerSetup, told = true): Promise<Place> {
  const box = sandbox({ told });
  const project = join(box.dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: prompt\n');
  symlinkSync(join(projectRoot, 'test', 'fixtures', 'bin', 'lhp'), join(project, 'lhp'));
  const server = await startOtlpServer(setup);
  const made = {
    box,
    project,
    server,
    env: { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: server.endpoint, DO: ':' },
  };
  places.push(made);
  return made;
}
const generate = ({ box, project, env }: Place, more: Env = {}) =>
  lhpOtel(box, GENERATE, { cwd: project, env: { ...env, ...more } });
const SILENT = { status: 0, stdout: '', stderr: '' };

describe('waiting', () => {
  it.concurrent('outside CI the command does not wait, whatever the timeout', async () => {
    const where = await place({ script: [{ instead: 'silence' }] });
    expect(await generate(where, { LHP_OTEL_FLUSH_TIMEOUT: FOR_EVER })).toEqual(SILENT);
    expect(processesMentioning(where.box.dir)).not.toEqual([]);
  });
  it.concurrent.each(['CI', 'GITHUB_ACTIONS', 'TF_BUILD'])(
    'in CI (%s) the run is delivered when the command ends',
    async (name) => {
      const where = await place({ script: [{ delayMs: 300 }] });
      expect(await generate(where, { [name]: 'true', LHP_OTEL_FLUSH_TIMEOUT: FOR_EVER })).toEqual(
        SILENT,
      );
      expect(processesMentioning(where.box.dir)).toEqual([]);
      expect(where.server.requests).toHaveLength(1);
      expect(where.box.events()).toMatchObject([{ is_ci: true }]);
    },
  );
  // So long that the shell of waiting-reporter.ts waits for the job, and becomes the reporter.
  it.concurrent('in CI also the run of a command that took longer', async () => {
    const where = await place({ script: [{ delayMs: 300 }] });
    makeCompiledFolder(where.box.home);
    const inCi = { CI: 'true', LHP_OTEL_FLUSH_TIMEOUT: FOR_EVER, DO: 'sleep 0.6' };
    expect(await generate(where, inCi)).toEqual(SILENT);
    expect(processesMentioning(where.box.dir)).toEqual([]);
    expect(where.server.requests).toHaveLength(1);
  });
  it.concurrent.each(['0', '100ms', '1'])(
    'in CI with a timeout of %s the command does not wait longer',
    async (limit) => {
      const where = await place({ script: [{ instead: 'silence' }] });
      expect(await generate(where, { CI: 'true', LHP_OTEL_FLUSH_TIMEOUT: limit })).toEqual(SILENT);
      expect(processesMentioning(where.box.dir)).not.toEqual([]);
    },
  );
  it.concurrent('in CI without an endpoint the command does not wait', async () => {
    const where = await place();
    const more = {
      CI: 'true',
      LHP_OTEL_FLUSH_TIMEOUT: FOR_EVER,
      LHP_OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
    };
    expect(await generate(where, more)).toEqual(SILENT);
    await where.box.recorded(1);
    expect(where.server.connections()).toBe(0);
  });
});

describe('runs that end together', () => {
  it(
    'forty runs get forty different milliseconds, and each is delivered once',
    extended,
    async () => {
      const where = await place();
      const runs = await Promise.all(Array.from({ length: 40 }, () => generate(where)));
      expect(runs).toEqual(Array(40).fill(SILENT));
      await idle(where.box);
      const flushed = await lhpOtel(where.box, ['flush'], { env: where.env });
      expect(flushed).toMatchObject({ status: 0 });
      expect(where.box.runFiles().filter((name) => name.endsWith('.sent.json'))).toHaveLength(40);
      const times = where.server.requests.map(
        ({ body }) => /"timeUnixNano":"(\d+)"/.exec(body.toString())?.[1],
      );
      expect(new Set(times).size).toBe(40);
    },
  );
});
