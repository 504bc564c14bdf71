// Proves what an operator gets beside the gateway: alert rules that fire and are silent as they should (promtool), a manual
// that explains each, and a compose file that pins, hardens and refuses to start without its secrets.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { lacking, promtool } from './support/needs.ts';
import { projectRoot } from './support/sandbox.ts';

const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

interface Rules {
  groups: { rules: { alert: string; annotations: { runbook: string } }[] }[];
}
interface RuleTests {
  tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
}

const alerts = (load(read('prometheus', 'rules.yml')) as Rules).groups.flatMap(({ rules }) => rules);

describe('the alert rules', () => {
  const need = promtool();
  if (lacking(need)) return;
  const tool = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(need.path, args, {
      cwd: join(projectRoot, 'prometheus'),
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  };

  it('do what their tests say', () => {
    expect(tool('test', 'rules', 'rules.test.yml')).toMatchObject({ status: 0 });
  });

  it('and the configuration are valid', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-promtool-'));
    const file = join(folder, 'prometheus.yml');
    writeFileSync(
      file,
      read('prometheus', 'prometheus.yml').replace('/etc/prometheus/', `${join(projectRoot, 'prometheus')}/`),
    );
    expect(tool('check', 'config', file)).toMatchObject({
      status: 0,
      output: expect.stringContaining('9 rules found'),
    });
    rmSync(folder, { recursive: true });
  });

  it.each(alerts.map(({ alert }) => alert))('%s: tested firing and silent, and explained', (alert) => {
    const cases = (load(read('prometheus', 'rules.test.yml')) as RuleTests).tests
      .flatMap((one) => one.alert_rule_test)
      .filter(({ alertname }) => alertname === alert);
    expect(cases.some(({ exp_alerts }) => exp_alerts?.length)).toBe(true);
    expect(cases.some(({ exp_alerts }) => !exp_alerts?.length)).toBe(true);
    expect(read('docs', 'operators.md')).toMatch(new RegExp(`^### ${alert}$`, 'm'));
    expect(alerts.find((one) => one.alert === alert)?.annotations.runbook).toBe(
      `docs/operators.md#${alert.toLowerCase()}`,
    );
  });
});

describe('docker-compose.yml', () => {
  interface Service {
    image: string;
    user: string;
    read_only: boolean;
    cap_drop: string[];
    ports: string[];
    volumes: string[];
    command?: string[];
    environment?: Record<string, string>;
  }
  const { services } = load(read('docker-compose.yml'), { schema: CORE_SCHEMA.withTags(mergeTag) }) as {
    services: Record<string, Service>;
  };

  it.each(Object.entries(services))('%s: pinned, not root, read-only, on loopback', (_, service) => {
    expect(service.image).toMatch(/:v?\d+\.\d+\.\d+$/);
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    for (const port of service.ports)
      expect(port).toMatch(/^(127\.0\.0\.1|\$\{LHP_OTEL_BIND:-127\.0\.0\.1\}):\d+:\d+$/);
    for (const volume of service.volumes) expect(volume).toMatch(/:ro$|^\w+:/);
  });

  it('the collector is the version that the tests build', () => {
    const version = services.collector?.image.split(':')[1];
    expect(read('test', 'collector', 'builder.yaml')).toContain(`version: ${version}`);
  });

  it.each([
    ['LHP_OTEL_PEPPER', 'openssl rand -hex 32'],
    ['GRAFANA_ADMIN_PASSWORD', '.env'],
  ])('does not start without %s, and says how to make one', (name, how) => {
    const demanded = read('docker-compose.yml').match(new RegExp(`\\$\\{${name}:\\?([^}]+)\\}`))?.[1];
    expect(demanded).toContain(how);
    expect(read('.env.example')).toMatch(new RegExp(`^${name}=$`, 'm'));
  });

  it('keeps data for 400 days', () => {
    expect(services.prometheus?.command).toContain('--storage.tsdb.retention.time=400d');
  });
});
