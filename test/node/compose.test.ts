// Tests the compose files as text: they pin versions and flavors, harden and limit containers, do
// not start without their secrets, and agree with each other.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { composeServices, type Service } from '../../scripts/harness/compose.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';

const read = (...path: string[]) => readFileSync(join(projectRoot, ...path), 'utf8');

const SINGLE = composeServices('docker-compose.yml');
const SECRETS = { LHP_OTEL_PEPPER: '-', GRAFANA_ADMIN_PASSWORD: '-' };
const CLUSTER = composeServices('deploy/docker-compose.cluster.yml', SECRETS);
const VICTORIA = composeServices('deploy/docker-compose.victoriametrics.yml', SECRETS);

/**
 * Images whose default flavor may change, and the one that is meant: start.sh, the health checks
 * and the users of the compose files need a shell, wget and a fixed user. (Prometheus is going to
 * be distroless by default: prometheus#19079.)
 */
const FLAVORS: Record<string, string> = { 'prom/prometheus': 'busybox', nginx: 'alpine' };

describe.each([
  ['docker-compose.yml', SINGLE],
  ['deploy/docker-compose.cluster.yml', CLUSTER],
  ['deploy/docker-compose.victoriametrics.yml', VICTORIA],
])('%s', (_file, services) => {
  it.each(Object.entries(services))(
    '%s: has a pinned version, is hardened, is not root, listens on loopback',
    (name, service) => {
      const [image = '', tag = ''] = service.image.split(':');
      expect(tag).toMatch(/^v?\d+\.\d+\.\d+(-\w+)?$/);
      expect([image, tag.split('-')[1]]).toEqual([image, FLAVORS[image]]);
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

  it.each(Object.entries(services))(
    '%s: has a limit of memory',
    (_name, { mem_limit = '', environment }) => {
      expect(mem_limit).toMatch(/^\d+[mg]$/);
      const size = (text: string) => Number.parseInt(text, 10) * (/g/i.test(text) ? 1_024 : 1);
      // Near GOMEMLIMIT Go collects garbage more often, so that the process stays below the limit.
      if (environment?.GOMEMLIMIT)
        expect(size(environment.GOMEMLIMIT) / size(mem_limit)).toBeLessThanOrEqual(0.8);
    },
  );

  it('Grafana connects to nothing but its data source', () => {
    const settings = Object.entries(services.grafana?.environment ?? {}).filter(([, value]) =>
      /^(true|false)$/.test(value),
    );
    expect(Object.fromEntries(settings)).toEqual({
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_ANALYTICS_FEEDBACK_LINKS_ENABLED: 'false',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_NEWS_NEWS_FEED_ENABLED: 'false',
      GF_PLUGINS_PLUGIN_ADMIN_ENABLED: 'false',
      GF_PLUGINS_PREINSTALL_AUTO_UPDATE: 'false',
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: 'true',
      GF_SECURITY_DISABLE_GRAVATAR: 'true',
      GF_SNAPSHOTS_EXTERNAL_ENABLED: 'false',
    });
  });

  // The image has the folders that Grafana reads. Another folder mounted over all of them lacks
  // plugins/ and alerting/, and Grafana logs an error for each.
  it('Grafana’s folders of provisioning are mounted one by one', () => {
    const paths = (services.grafana?.volumes ?? []).map((volume) => volume.split(':')[1]);
    expect(paths.filter((path) => path?.startsWith('/etc/grafana')).sort()).toEqual([
      '/etc/grafana/dashboards',
      '/etc/grafana/provisioning/dashboards',
      '/etc/grafana/provisioning/datasources',
    ]);
  });
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
    expect(services.match(/^ {4}depends_on: !override$/gm)).toHaveLength(4);
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

  it('sends alerts to the Alertmanager of .env, and without one to nobody', () => {
    const address = 'http://alertmanager.example.com:9093';
    const notifier = (variables: Record<string, string>) => {
      const command = composeServices('deploy/docker-compose.victoriametrics.yml', variables)
        .vmalert?.command as string[];
      return command.filter((flag) => flag.startsWith('-notifier'));
    };
    expect(notifier({})).toEqual(['-notifier.blackhole']);
    expect(notifier({ VMALERT_ALERTMANAGER: address })).toEqual([`-notifier.url=${address}`]);
    expect(read('.env.example')).toContain(`#VMALERT_ALERTMANAGER=${address}\n`);
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
