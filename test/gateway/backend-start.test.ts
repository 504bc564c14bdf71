// Tests that Prometheus accepts nothing before its database has a sample with the current time, at
// each start: with an empty database, after it was emptied, after a kill, and if the newest sample
// is days old. Until then the gateway answers 503 and the client keeps its run. The load with which
// an empty Prometheus loses requests loses none.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { sendBacklog } from '../../scripts/harness/backlog.ts';
import { freePort } from '../../scripts/harness/collector.ts';
import { collector, prometheus, promtool } from '../../scripts/harness/needs.ts';
import { lhpOtel } from '../../scripts/harness/otlp-server.ts';
import { HOUR, makeRuns, post, record } from '../../scripts/harness/runs.ts';
import { idle, projectRoot, sandbox, until } from '../../scripts/harness/sandbox.ts';
import { isReady, type Server, server, temporary } from '../../scripts/harness/server.ts';
import {
  gatewayServer,
  type Prometheus,
  prometheusServer,
  startVariables,
} from '../../scripts/harness/stack.ts';
import { lacking } from '../support/lacking.ts';
import { extended } from '../support/tags.ts';

describe('Prometheus, started as docker-compose.yml says', () => {
  const needs = [prometheus(), promtool(), collector()] as const;
  if (lacking(...needs)) return;
  const [{ path: program }] = needs;
  const open: Server[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.stop();
  });
  async function opened<One extends Server>(made: Promise<One>): Promise<One> {
    const one = await made;
    open.push(one);
    return one;
  }

  /** The age of the newest sample in the head of the database, in seconds. */
  async function ageOfNewest(url: string): Promise<number> {
    const text = await (await fetch(`${url}/metrics`)).text();
    const newest = /^prometheus_tsdb_head_max_time_seconds (\S+)$/m.exec(text)?.[1];
    return Date.now() / 1_000 - Number(newest);
  }
  const database = (backend: Prometheus) => join(backend.folder, 'prometheus');

  it('has the same out-of-order window in all its configurations', () => {
    const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');
    const windows = [
      ['deploy', 'prometheus', 'start.yml'],
      ['deploy', 'prometheus', 'prometheus.yml'],
      ['deploy', 'kubernetes', 'prometheus.yml'],
    ].map((path) => /out_of_order_time_window: (\S+)/.exec(read(...path))?.[1]);
    expect(windows).toEqual(['9d', '9d', '9d']);
    const checked = ['check', 'config', join(projectRoot, 'deploy', 'prometheus', 'start.yml')];
    expect(spawnSync(needs[1].path, checked, { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 rules found'),
    });
  });

  it('has a current sample when it is ready: empty, after a kill, emptied', async () => {
    const backend = await opened(prometheusServer(program));
    await backend.start();
    expect(await ageOfNewest(backend.url)).toBeLessThan(300);
    expect(await backend.query('lhp:backend_start:seconds')).toHaveLength(1);
    await backend.kill();
    for (const name of readdirSync(database(backend)))
      rmSync(join(database(backend), name), { recursive: true });
    await backend.start();
    expect(await ageOfNewest(backend.url)).toBeLessThan(300);
  });

  it('has one, too, if its newest sample was days old, and loses nothing that it had', async () => {
    const backend = await opened(prometheusServer(program));
    const port = await freePort();
    // Without rules and scrapes, so that it writes nothing with the current time.
    const config = join(temporary(), 'bare.yml');
    writeFileSync(config, 'storage: { tsdb: { out_of_order_time_window: 9d } }\n');
    const flags = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${database(backend)}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-otlp-receiver',
      '--enable-feature=otlp-native-delta-ingestion',
    ];
    const before = server(program, () => flags, {}, port, `http://127.0.0.1:${port}/-/ready`);
    open.push(before);
    await before.start();
    const now = Date.now();
    const runs = makeRuns(20, now - 70 * HOUR, 0.05);
    for (const body of await Promise.all(runs.map(record)))
      expect(await post(`${before.url}/api/v1/otlp`, body)).toBe('200');
    expect(await ageOfNewest(before.url)).toBeGreaterThan(200_000);
    await before.kill();
    await backend.start();
    expect(await ageOfNewest(backend.url)).toBeLessThan(300);
    expect(await backend.value('sum(sum_over_time(lhp_generate_runs_total[9d]))')).toBe(
      runs.length,
    );
  });

  /** A promtool that gives no answer until the test lets it. */
  function gate() {
    const folder = temporary();
    const [asked, go, promtoolPath] = ['asked', 'go', 'promtool'].map((name) => join(folder, name));
    const script = [
      '#!/bin/sh',
      `touch '${asked}'`,
      `[ -e '${go}' ] || exit 1`,
      `exec '${needs[1].path}' "$@"`,
      '',
    ].join('\n');
    writeFileSync(promtoolPath as string, script, { mode: 0o755 });
    return { asked: asked as string, go: go as string, promtool: promtoolPath as string };
  }

  it('until then the gateway answers 503 and the client keeps its run', async () => {
    const { asked, go, promtool } = gate();
    const backend = await opened(prometheusServer(program, { promtool }));
    const gateway = await opened(gatewayServer(needs[2].path, `${backend.url}/api/v1/otlp`));
    await gateway.start();
    const box = sandbox({
      path: [join(projectRoot, 'test', 'fixtures', 'bin')],
      // A 503 is asked again for so long.
      env: { DO: ':', CI: 'true', LHP_OTEL_EXPORTER_OTLP_TIMEOUT: '500' },
    });
    const project = join(box.dir, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'lhp.yaml'), 'name: start\n');
    const tell = (...args: string[]) =>
      lhpOtel(box, args, { cwd: project, env: { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: gateway.url } });
    const [run] = await Promise.all(makeRuns(1, Date.now(), 0).map(record));
    const counted = () => backend.value('sum(sum_over_time(lhp_generate_runs_total[9d]))');

    for (const round of [1, 2]) {
      rmSync(asked, { force: true });
      rmSync(go, { force: true });
      const started = backend.start();
      await until(() => existsSync(asked), 'the first start to be asked for its sample');
      expect(await post(gateway.url, run as Uint8Array)).toBe('503');
      expect(await tell('run', '--', 'lhp', 'generate', '-e', 'dev')).toMatchObject({ status: 0 });
      await idle(box);
      expect(readdirSync(box.spoolDir).filter((name) => name.endsWith('.json'))).toHaveLength(1);
      writeFileSync(go, '');
      await started;
      expect(await tell('flush')).toEqual({
        status: 0,
        stdout: '1 delivered, none waiting\n',
        stderr: '',
      });
      expect(await counted()).toBe(round);
      await backend.kill();
    }
    box.dispose();
  });

  it('ends on SIGTERM before the sample, and with the status of a wrong flag', async () => {
    const { asked, promtool } = gate();
    const script = join(projectRoot, 'deploy', 'prometheus', 'start.sh');
    const env = await startVariables(promtool);
    const data = join(temporary(), 'with a space');
    const child = spawn('/bin/sh', [script, program, '--storage.tsdb.path', data], {
      env,
      stdio: 'ignore',
    });
    await until(() => existsSync(asked), 'the first start to be asked for its sample');
    const ready = `http://${env.LHP_START_ADDRESS}/-/ready`;
    // If Prometheus is ended while it opens its database, it leaves a lock, which is no fault: the
    // next start takes it over.
    await until(() => isReady(ready), 'the database to be open');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
    await until(() => !existsSync(join(data, 'lock')), 'the database to be closed');
    const wrong = spawn('/bin/sh', [script, program, '--storage.tsdb.path=/dev/null/x'], {
      env,
      stdio: 'ignore',
    });
    expect(await once(wrong, 'exit')).toEqual([1, null]);
  });

  it(
    'loses no request of a backlog of which an empty Prometheus loses some',
    extended,
    async () => {
      for (let round = 0; round < 2; round += 1) {
        const backend = await opened(prometheusServer(program));
        await backend.start();
        const { acknowledged, stored } = await sendBacklog(backend.url);
        expect({ round, stored }).toEqual({ round, stored: acknowledged });
        await backend.stop();
      }
    },
  );
});
