// Tests what an operator gets besides the gateway: alert rules that fire and stay silent as they
// should (promtool), a manual that explains each alert, and compose files that pin versions, harden
// containers and do not start without their secrets.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { composeServices, type Service } from '../../scripts/harness/compose.ts';
import { promtool } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';

const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

interface Rules {
  groups: { rules: { alert: string; annotations: { runbook: string } }[] }[];
}
interface RuleTests {
  tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
}

/** Folder of rules → the page that explains its alerts. */
const RULES = {
  'deploy/prometheus': 'operators.md',
  'deploy/cluster': 'operators.md',
  'deploy/victoriametrics': 'victoriametrics.md',
};
const alerts = Object.entries(RULES).flatMap(([folder, page]) =>
  (load(read(folder, 'rules.yml')) as Rules).groups.flatMap(({ rules }) =>
    rules.map((rule) => ({ folder, page, ...rule })),
  ),
);

const ruleTests = (folder: string) =>
  readdirSync(join(projectRoot, folder))
    .filter((name) => name.endsWith('.test.yml'))
    .map((name) => join(folder, name));

describe('the alert rules', () => {
  const need = promtool();
  if (lacking(need)) return;
  const tool = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(need.path, args, {
      cwd: projectRoot,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  };

  it.each(Object.keys(RULES).flatMap(ruleTests))('pass promtool’s tests in %s', (file) => {
    expect(tool('test', 'rules', file)).toMatchObject({ status: 0 });
  });

  it('of the cluster are valid, and so is the configuration of the watcher', () => {
    expect(
      tool('check', 'config', '--agent', join('deploy', 'cluster', 'watcher.yml')),
    ).toMatchObject({ status: 0 });
    expect(tool('check', 'rules', join('deploy', 'cluster', 'rules.yml'))).toMatchObject({
      status: 0,
    });
  });

  it('are valid, and so is Prometheus’s configuration', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-promtool-'));
    const file = join(folder, 'prometheus.yml');
    writeFileSync(
      file,
      read('deploy', 'prometheus', 'prometheus.yml').replace(
        '/etc/prometheus/',
        `${join(projectRoot, 'deploy', 'prometheus')}/`,
      ),
    );
    expect(tool('check', 'config', file)).toMatchObject({
      status: 0,
      output: expect.stringContaining('9 rules found'),
    });
    rmSync(folder, { recursive: true });
  });

  it.each(alerts)(
    '$alert: has a test in which it fires, one in which it is silent, and an explanation',
    ({ folder, page, alert, annotations }) => {
      const cases = ruleTests(folder)
        .flatMap((file) => (load(read(file)) as RuleTests).tests)
        .flatMap((one) => one.alert_rule_test)
        .filter(({ alertname }) => alertname === alert);
      expect(cases.some(({ exp_alerts }) => exp_alerts?.length)).toBe(true);
      expect(cases.some(({ exp_alerts }) => !exp_alerts?.length)).toBe(true);
      expect(read('docs', page)).toMatch(new RegExp(`^### ${alert}$`, 'm'));
      expect(annotations.runbook).toBe(`docs/${page}#${alert.toLowerCase()}`);
    },
  );
});

const SINGLE = composeServices('docker-compose.yml');
const SECRETS = { LHP_OTEL_PEPPER: '-', GRAFANA_ADMIN_PASSWORD: '-' };
const CLUSTER = composeServices('deploy/docker-compose.cluster.yml', SECRETS);
const VICTORIA = composeServices('deploy/docker-compose.victoriametrics.yml', SECRETS);

describe.each([
  ['docker-compose.yml', SINGLE],
  ['deploy/docker-compose.cluster.yml', CLUSTER],
  ['deploy/docker-compose.victoriametrics.yml', VICTORIA],
])('%s', (_file, services) => {
  it.each(Object.entries(services))(
    '%s: has a pinned version, is hardened, is not root, listens on loopback',
    (name, service) => {
      expect(service.image).toMatch(/:v?\d+\.\d+\.\d+$/);
      // `owner` only changes the owner of the volumes.
      expect(service.user).toMatch(name === 'owner' ? /^0:0$/ : /^[1-9]\d*:[1-9]\d*$/);
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      for (const port of service.ports ?? [])
        expect(port).toMatch(/^(127\.0\.0\.1|\$\{LHP_OTEL_BIND:-127\.0\.0\.1\}):\d+:\d+$/);
      for (const volume of service.volumes ?? []) expect(volume).toMatch(/:ro$|^[\w-]+:/);
    },
  );
});

describe('the cluster', () => {
  // compose 2.40.3 (compose-go 2.9.1) ignores these tags in a merged map: each gateway published
  // the port of nginx, and `up` failed.
  it('has !reset and !override in the services themselves, not in merged maps', () => {
    const [fragments = '', services = ''] = read('deploy/docker-compose.cluster.yml').split(
      /^services:$/m,
    );
    expect(fragments).not.toMatch(/!(reset|override)/);
    expect(services.match(/^ {4}ports: !reset \[\]$/gm)).toHaveLength(3);
    expect(services.match(/^ {4}depends_on: !override /gm)).toHaveLength(3);
  });

  it('has the single machine’s gateway three times, with its own backend', () => {
    const { image, user, command, environment } = SINGLE.collector as Service;
    for (const name of ['gateway-1', 'gateway-2', 'gateway-3'])
      expect(CLUSTER[name]).toMatchObject({
        image,
        user,
        command,
        environment: {
          ...environment,
          LHP_OTEL_PEPPER: '-',
          LHP_OTEL_BACKEND: 'http://nginx:9009/api/v1/otlp',
          LHP_OTEL_TENANT: 'lhp',
        },
        ports: [],
        volumes: expect.arrayContaining([
          './otel-collector.yaml:/etc/otelcol/otel-collector.yaml:ro',
        ]),
      });
  });

  it('publishes only the clients’ port and Grafana', () => {
    const published = Object.entries(CLUSTER).filter(([, { ports = [] }]) => ports.length > 0);
    expect(published.map(([name]) => name).sort()).toEqual(['grafana', 'nginx']);
  });

  it('accepts runs as late as the single machine, and is the version that is tested', () => {
    const window = /out_of_order_time_window: (\w+)/;
    expect(read('deploy', 'cluster', 'cortex.yaml').match(window)?.[1]).toBe(
      read('deploy', 'prometheus', 'prometheus.yml').match(window)?.[1],
    );
    expect(read('scripts', 'setup', 'programs.mjs')).toContain(
      `'${CLUSTER['cortex-1']?.image.split(':')[1]}'`,
    );
  });
});

describe('VictoriaMetrics', () => {
  it('has the single machine’s gateway, with its own switch and backend', () => {
    const { image, user, command, environment } = SINGLE.collector as Service;
    expect(VICTORIA.collector).toMatchObject({
      image,
      user,
      environment: {
        ...environment,
        LHP_OTEL_PEPPER: '-',
        LHP_OTEL_BACKEND: 'http://victoriametrics:8428/opentelemetry',
      },
      volumes: expect.arrayContaining([
        './otel-collector.yaml:/etc/otelcol/otel-collector.yaml:ro',
      ]),
    });
    const more = ' --config=/etc/otelcol/switches/victoriametrics.yaml ';
    expect(String(VICTORIA.collector?.command).replace(more, ' ')).toBe(String(command));
  });

  it('keeps data for 400 days, and is the version that the tests build', () => {
    expect(VICTORIA.victoriametrics?.command).toContain('-retentionPeriod=400d');
    for (const name of ['victoriametrics', 'vmalert'])
      expect(read('scripts', 'setup', 'programs.mjs')).toContain(
        `'${VICTORIA[name]?.image.split(':')[1]}'`,
      );
  });

  it('publishes only the clients’ port, Grafana, and itself on loopback', () => {
    const published = Object.entries(VICTORIA).filter(([, { ports = [] }]) => ports.length > 0);
    expect(published.map(([name]) => name).sort()).toEqual([
      'collector',
      'grafana',
      'victoriametrics',
    ]);
  });
});

describe('docker-compose.yml', () => {
  it('uses the version of the collector that the tests build', () => {
    const version = SINGLE.collector?.image.split(':')[1];
    expect(read('test', 'collector', 'builder.yaml')).toContain(`version: ${version}`);
  });

  it.each([
    ['LHP_OTEL_PEPPER', 'openssl rand -hex 32'],
    ['GRAFANA_ADMIN_PASSWORD', '.env'],
  ])('does not start without %s, and says how to make one', (name, how) => {
    const demanded = read('docker-compose.yml').match(
      new RegExp(`\\$\\{${name}:\\?([^}]+)\\}`),
    )?.[1];
    expect(demanded).toContain(how);
    expect(read('.env.example')).toMatch(new RegExp(`^${name}=$`, 'm'));
  });

  it('keeps data for 400 days', () => {
    expect(SINGLE.prometheus?.command).toContain('--storage.tsdb.retention.time=400d');
  });
});
