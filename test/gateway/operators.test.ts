// Tests the alert rules: they fire and stay silent as they should (promtool), and the manual
// explains each of them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { promtool } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';
import { extended } from '../support/tags.ts';

const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

interface Rules {
  groups: {
    rules: { alert: string; labels: { severity: string }; annotations: { runbook_url: string } }[];
  }[];
}
interface RuleTests {
  tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
}

/** Folder of rules → the page that explains its alerts. */
const RULES = {
  'deploy/prometheus': 'operators.md',
  'deploy/cluster': 'cluster.md',
  'deploy/victoriametrics': 'victoriametrics.md',
};
/** The project's address, as in package.json. */
const repository = (JSON.parse(read('package.json')) as { homepage: string }).homepage.replace(
  '#readme',
  '',
);
const alerts = Object.entries(RULES).flatMap(([folder, page]) =>
  (load(read(folder, 'rules.yml')) as Rules).groups.flatMap(({ rules }) =>
    rules.map((rule) => ({ folder, page, ...rule })),
  ),
);

const isLong = (file: string) => file.endsWith('-days.test.yml');
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

  const tested = Object.keys(RULES).flatMap(ruleTests);
  const passes = (file: string) => expect(tool('test', 'rules', file)).toMatchObject({ status: 0 });
  it.each(tested.filter((file) => !isLong(file)))('pass promtool’s tests in %s', passes);
  // Days, in steps of a minute.
  it.each(tested.filter(isLong))('pass promtool’s tests in %s', extended, passes);

  it('of the cluster are valid, and so is the configuration of the watcher', () => {
    expect(
      tool('check', 'config', '--agent', join('deploy', 'cluster', 'watcher.yml')),
    ).toMatchObject({ status: 0 });
    expect(tool('check', 'rules', join('deploy', 'cluster', 'rules.yml'))).toMatchObject({
      status: 0,
    });
  });

  it.each([
    ['as it is', (config: string) => config],
    [
      'with an Alertmanager',
      (config: string) => config.replace('targets: []', 'targets: [alertmanager.example.com:9093]'),
    ],
  ])('are valid, and so is Prometheus’s configuration %s', (how, changed) => {
    const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-promtool-'));
    const file = join(folder, 'prometheus.yml');
    writeFileSync(
      file,
      changed(read('deploy', 'prometheus', 'prometheus.yml')).replace(
        '/etc/prometheus/',
        `${join(projectRoot, 'deploy', 'prometheus')}/`,
      ),
    );
    expect(readFileSync(file, 'utf8').includes('alertmanager.example.com')).toBe(
      how === 'with an Alertmanager',
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
      expect(alert).toMatch(/^LhpOtel[A-Z]/);
      expect(read('docs', page)).toMatch(new RegExp(`^### ${alert}$`, 'm'));
      expect(annotations.runbook_url).toBe(
        `${repository}/blob/main/docs/${page}#${alert.toLowerCase()}`,
      );
    },
  );
});

// Checked once with amtool 0.35.0 (check-config, config routes test), which the tests do not have.
describe('the example for an Alertmanager', () => {
  interface Route {
    receiver: string;
    matchers?: string[];
    routes?: Route[];
  }
  const config = load(read('deploy', 'prometheus', 'alertmanager.yml')) as {
    route: Route;
    receivers: { name: string }[];
    inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[];
  };
  const MATCHER = /^(\w+)(=~|!~|!=|=)"(.*)"$/;
  const matches = (matcher: string, labels: Record<string, string>) => {
    const [, name = '', operator = '', value = ''] = MATCHER.exec(matcher) ?? [];
    expect(operator).not.toBe('');
    const is = labels[name] ?? '';
    const equal = operator.includes('~') ? new RegExp(`^(?:${value})$`).test(is) : is === value;
    return operator.startsWith('!') ? !equal : equal;
  };

  it('sends each critical alert to the receiver of its route, the others to the default', () => {
    const names = config.receivers.map(({ name }) => name);
    const [critical] = config.route.routes ?? [];
    for (const { alert, labels } of alerts) {
      const all = { alertname: alert, ...labels };
      expect([alert, critical?.matchers?.every((one) => matches(one, all))]).toEqual([
        alert,
        labels.severity === 'critical',
      ]);
    }
    expect(names).toEqual([config.route.receiver, critical?.receiver]);
  });

  it('names only alerts that exist', () => {
    const named = config.inhibit_rules.flatMap(({ source_matchers, target_matchers }) => [
      ...source_matchers,
      ...target_matchers,
    ]);
    for (const matcher of named)
      expect(alerts.some(({ alert }) => matches(matcher, { alertname: alert }))).toBe(true);
  });
});
