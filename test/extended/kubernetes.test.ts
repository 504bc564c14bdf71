// @module-tag extended
// Tests that the manifests are valid (kustomize renders them, kubeconform checks each field), and
// that they match the compose files: images, arguments, environment, users, ports, limits and
// mounted files are compared with docker-compose.yml, and those of the cluster with
// deploy/docker-compose.cluster.yml, byte for byte.
import { spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { afterAll, describe, expect, it } from 'vitest';
import { composeServices, type Service } from '../../scripts/harness/compose.ts';
import { kubernetes, prometheusOperator, promtool } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';
import { writeCustomSchemas, writeSchemas } from '../support/schemas.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, which kubeconform has checked
type Rendered = any;

const KINDS = [
  ['', 'v1', 'ConfigMap'],
  ['', 'v1', 'Service'],
  ['', 'v1', 'PersistentVolumeClaim'],
  ['apps', 'v1', 'Deployment'],
  ['apps', 'v1', 'StatefulSet'],
  ['policy', 'v1', 'PodDisruptionBudget'],
  ['networking.k8s.io', 'v1', 'NetworkPolicy'],
  ['networking.k8s.io', 'v1', 'Ingress'],
] as const;
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
/** The example in the README that contains these words. */
const example = (words: string) =>
  [...read('deploy/kubernetes/README.md').matchAll(/```yaml\n([\s\S]+?)```/g)]
    .map(([, text]) => text ?? '')
    .find((text) => text.includes(words)) ?? '';

/** What kustomize renders, and functions to find objects in it. */
function manifests(kustomize: string, folder: string) {
  const rendered = spawnSync(kustomize, ['build', folder], { encoding: 'utf8' });
  const objects = loadAll(rendered.stdout) as Rendered[];
  const one = (kind: RegExp, name: string) =>
    objects.find(
      (object) =>
        kind.test(object.kind) && object.metadata.name.replace(/-[a-z0-9]{10}$/, '') === name,
    );
  const workload = (name: string) => one(/^(Deployment|StatefulSet)$/, name);
  /** The text of the file that a container sees at this path. */
  const mounted = (pod: Rendered, path: string): string | undefined => {
    for (const { mountPath, name, subPath } of pod.containers[0].volumeMounts) {
      if (path !== mountPath && !path.startsWith(`${mountPath}/`)) continue;
      const { configMap } = pod.volumes.find((volume: Rendered) => volume.name === name) ?? {};
      if (!configMap) continue;
      const within = subPath ?? path.slice(mountPath.length + 1);
      const key = configMap.items
        ? configMap.items.find((item: Rendered) => item.path === within)?.key
        : within;
      return objects.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMap.name,
      ).data[key];
    }
    return undefined;
  };
  return { rendered, objects, one, workload, mounted };
}

/** kubeconform's verdict about rendered objects. */
const conform = (tools: string, schemas: string, input: string) =>
  spawnSync(join(tools, 'kubeconform'), ['-strict', '-summary', '-schema-location', schemas], {
    input,
    encoding: 'utf8',
  });

/** Seconds or bytes, as compose files write them. */
const amount = (text: string) => {
  const units: Record<string, number> = { s: 1, m: 60, M: 2 ** 20, G: 2 ** 30 };
  const [, number, unit = ''] = /^(\d+)([smMG])i?$/.exec(text) ?? [];
  return Number(number) * (units[unit] as number);
};
const bytes = (text: string) => amount(text.toUpperCase().replace(/I$/, ''));

describe.each([
  {
    title: 'the single machine',
    file: 'docker-compose.yml',
    /** Service of the compose file → name of the workload. */
    names: { collector: 'gateway', prometheus: 'prometheus', grafana: 'grafana' },
    /** File of the compose file → the file that replaces it on Kubernetes. */
    ours: { './deploy/prometheus/prometheus.yml': 'deploy/kubernetes/prometheus.yml' },
    /** The service that clients connect to. */
    door: 'gateway',
    /** The addresses that files and environment name. */
    addresses: ['prometheus:9090'],
  },
  {
    title: 'the cluster',
    file: 'deploy/docker-compose.cluster.yml',
    names: {
      'gateway-1': 'gateway',
      'cortex-1': 'cortex',
      nginx: 'nginx',
      watcher: 'watcher',
      grafana: 'grafana',
    },
    ours: {},
    door: 'nginx',
    addresses: [
      ...[1, 2, 3].map((i) => `cortex-${i}:9009`),
      ...[1, 2, 3].map((i) => `gateway-${i}:4318`),
      ...[1, 2, 3].map((i) => `gateway-${i}:8888`),
      'nginx:9009',
    ].sort(),
  },
])('$title', ({ title, file, names, ours, door, addresses }) => {
  const [tools, tool] = [kubernetes(), promtool()];
  if (lacking(tools, tool)) return;
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-kubernetes-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const kustomize = join(tools.path, 'kustomize');
  const cluster = title === 'the cluster';
  symlinkSync(projectRoot, join(folder, 'lhp-otel'));
  if (cluster)
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      example('components: [lhp-otel/deploy/cluster]'),
    );
  const { rendered, objects, one, workload, mounted } = manifests(
    kustomize,
    cluster ? folder : join(projectRoot, 'deploy'),
  );
  const services = composeServices(file);
  const parts = Object.entries(names).map(([service, name]) => ({
    name,
    service: services[service] as Service,
    pod: workload(name)?.spec.template.spec,
    container: workload(name)?.spec.template.spec.containers[0],
  }));

  it('is rendered without a flag, and Kubernetes knows each field', () => {
    expect(rendered).toMatchObject({ status: 0, stderr: '' });
    const schemas = writeSchemas(join(tools.path, 'swagger.json'), folder, KINDS);
    const checked = (input: string) => conform(tools.path, schemas, input);
    expect(checked(rendered.stdout)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(
        `Valid: ${objects.length}, Invalid: 0, Errors: 0, Skipped: 0`,
      ),
    });
    // kubeconform finds a misspelled field, and a number where a string belongs.
    expect(
      checked(rendered.stdout.replace('readOnlyRootFilesystem', 'readOnlyRootFileSystem')).status,
    ).toBe(1);
    expect(checked(rendered.stdout.replace('clusterIP: None', 'clusterIP: 1')).status).toBe(1);
  });

  it('has the same services as the compose file, and nothing else', () => {
    const workloads = objects.filter(({ kind }) => /^(Deployment|StatefulSet)$/.test(kind));
    expect(workloads.map(({ metadata }) => metadata.name).sort()).toEqual(
      Object.values(names).sort(),
    );
    expect(objects.some(({ kind }) => kind === 'Secret')).toBe(false);
    for (const { kind, metadata } of objects)
      expect([kind, metadata.name, metadata.labels?.['app.kubernetes.io/part-of']]).toEqual([
        kind,
        metadata.name,
        'lhp-otel',
      ]);
    // Replicated services have as many replicas, with the names that the other files use.
    for (const [service, name] of Object.entries(names)) {
      if (!service.endsWith('-1')) continue;
      const { kind, spec } = workload(name);
      const pods = Array.from(
        { length: spec.replicas },
        (_, i) => `${name}-${spec.ordinals.start + i}`,
      );
      expect(kind).toBe('StatefulSet');
      expect(pods).toEqual(Object.keys(services).filter((other) => other.startsWith(`${name}-`)));
      for (const pod of pods)
        expect(one(/^Service$/, pod)?.spec.selector).toEqual({
          'app.kubernetes.io/name': name,
          'statefulset.kubernetes.io/pod-name': pod,
        });
    }
  });

  it.each(parts)(
    '$name: image, arguments, user, limits and hardening of the compose file',
    ({ name, service, pod, container }) => {
      const [user, group] = (service.user ?? '').split(':').map(Number);
      const { command = [] } = service;
      const args = typeof command === 'string' ? command.split(' ') : command;
      expect(container.image).toBe(service.image);
      expect(container.command).toEqual(service.entrypoint);
      // Pods find each other by the names of their headless service, even before they are ready.
      const named = (word: string) =>
        word.replace(/^(-memberlist\.join=cortex-\d)(:7946)$/, '$1.cortex$2');
      expect(container.args ?? []).toEqual(args.filter(Boolean).map(named));
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: {
          runAsUser: user,
          runAsGroup: group,
          fsGroup: group,
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: service.read_only,
        capabilities: { drop: service.cap_drop },
      });
      if (service.mem_limit)
        expect(bytes(container.resources.limits.memory)).toBe(bytes(service.mem_limit));
      if (service.stop_grace_period)
        expect(pod.terminationGracePeriodSeconds).toBe(amount(service.stop_grace_period));
      if (workload(name).spec.replicas > 1)
        expect(one(/^PodDisruptionBudget$/, name).spec).toEqual({
          maxUnavailable: 1,
          selector: workload(name).spec.selector,
        });
    },
  );

  it.each(parts)(
    '$name: environment of the compose file, and secrets by name',
    ({ name, service, container }) => {
      const environment = Object.fromEntries(
        (container.env ?? []).map(({ name, value, valueFrom }: Rendered) => [
          name,
          value ?? valueFrom.secretKeyRef ?? valueFrom.fieldRef.fieldPath,
        ]),
      );
      // Empty variables belong to switches, which an overlay turns on together with their
      // variables.
      const set = Object.entries(service.environment ?? {}).filter(([, value]) => value !== '');
      const wanted = set.map(([name, value]) => {
        const secret = /^\$\{(\w+):\?/.exec(value)?.[1];
        return [name, secret ? { name: 'lhp-otel', key: secret } : value];
      });
      // A node has its own name and address, and a bucket, because three machines share no folder.
      const bucket = Object.keys(service.environment ?? {}).filter((variable) =>
        variable.startsWith('CORTEX_S3_'),
      );
      const node = {
        CORTEX_NODE: 'metadata.name',
        CORTEX_ADDRESS: 'status.podIP',
        CORTEX_BUCKET: 's3',
        ...Object.fromEntries(bucket.map((key) => [key, { name: 'lhp-otel-bucket', key }])),
      };
      expect(environment).toEqual({
        ...Object.fromEntries(wanted),
        ...(name === 'cortex' ? node : {}),
      });
    },
  );

  it.each(parts)(
    '$name: the files of the compose file, and a disk where it has one',
    ({ name, service, pod, container }) => {
      const disks: string[] = [];
      for (const volume of service.volumes ?? []) {
        const [host = '', path = ''] = volume.split(':');
        if (host === './deploy/secrets' || host === 'blocks') continue; // a Secret; a bucket
        if (host === 'queue' && !cluster) continue; // a Deployment has no queue
        if (!host.startsWith('.')) {
          expect(container.volumeMounts).toContainEqual({
            name: host.startsWith('queue') ? 'queue' : 'data',
            mountPath: path,
          });
          if (name !== 'watcher') disks.push(path);
          continue;
        }
        const files = statSync(join(projectRoot, host)).isDirectory()
          ? readdirSync(join(projectRoot, host), { recursive: true, encoding: 'utf8' })
              .filter((file) => statSync(join(projectRoot, host, file)).isFile())
              .map((file) => [join(host, file), `${path}/${file}`])
          : [[host, path]];
        // A mount below this path hides its files.
        const hidden = (to: string) =>
          service.volumes?.some((other) => {
            const [, over = ''] = other.split(':');
            return over.length > path.length && to.startsWith(`${over}/`);
          });
        for (const [from = '', to = ''] of files.filter(([, to = '']) => !hidden(to)))
          expect([to, mounted(pod, to)]).toEqual([
            to,
            read((ours as Record<string, string>)[from] ?? from),
          ]);
      }
      for (const path of service.tmpfs ?? [])
        expect(pod.volumes).toContainEqual({
          name: container.volumeMounts.find(({ mountPath }: Rendered) => mountPath === path).name,
          emptyDir: expect.anything(),
        });
      const claimed = (volume: string) =>
        workload(name).spec.volumeClaimTemplates?.some(
          ({ metadata }: Rendered) => metadata.name === volume,
        ) || pod.volumes.some((one: Rendered) => one.name === volume && one.persistentVolumeClaim);
      const mounts = container.volumeMounts as Rendered[];
      expect(
        mounts.filter((mount) => claimed(mount.name)).map(({ mountPath }) => mountPath),
      ).toEqual([...new Set(disks)]);
    },
  );

  it.each(parts)(
    '$name: is probed often while it starts, so that it serves as soon as possible',
    ({ container }) => {
      const { startupProbe: starts, readinessProbe: ready } = container;
      expect(ready.periodSeconds).toBeLessThanOrEqual(10);
      if (!starts) return;
      expect(starts.periodSeconds).toBeLessThanOrEqual(5);
      // And for long enough: until it has started there are no other probes, and afterwards a
      // container that is still reading its log would be killed.
      expect(starts.periodSeconds * starts.failureThreshold).toBeGreaterThanOrEqual(180);
    },
  );

  it('has services that reach their pods, and policies that name existing ports', () => {
    const portsOf = (labels: Rendered) =>
      workload(labels['app.kubernetes.io/name']).spec.template.spec.containers[0]
        .ports as Rendered[];
    const numbers = (labels: Rendered) => portsOf(labels).map(({ containerPort }) => containerPort);
    for (const { spec } of objects.filter(({ kind }) => kind === 'Service'))
      for (const { targetPort } of spec.ports)
        expect(portsOf(spec.selector).map(({ name }) => name)).toContain(targetPort);
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
    expect(policies.map(({ metadata }) => metadata.name).sort()).toEqual(
      Object.values(names).sort(),
    );
    /** Allowed connections, as `nginx → cortex:9009`; `*` is anybody. */
    const [left, entered] = [new Set<string>(), new Set<string>()];
    const each = (
      rules: Rendered[],
      side: 'from' | 'to',
      found: (peer: string, port: number) => void,
    ) => {
      for (const { ports, [side]: peers = [{ podSelector: { matchLabels: {} } }] } of rules)
        for (const { podSelector } of peers)
          for (const { port } of ports)
            found(podSelector.matchLabels['app.kubernetes.io/name'] ?? '*', port);
    };
    for (const { metadata, spec } of policies) {
      expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
      expect(spec.podSelector.matchLabels).toEqual({ 'app.kubernetes.io/name': metadata.name });
      // The server removes an empty list, so the applied object would always differ from the file.
      expect(spec.ingress).not.toEqual([]);
      each(spec.ingress ?? [], 'from', (peer, port) => {
        expect(numbers(spec.podSelector.matchLabels)).toContain(port);
        entered.add(`${peer} → ${metadata.name}:${port}`);
      });
      each(spec.egress, 'to', (peer, port) => left.add(`${metadata.name} → ${peer}:${port}`));
    }
    // Each connection that one side allows out, the other side allows in. Exceptions: clients and
    // people come from anywhere, DNS may be anywhere, and a bucket is outside.
    const anywhere = (way: string) => way.includes('*');
    expect([...left].filter((way) => !anywhere(way)).sort()).toEqual(
      [...entered].filter((way) => !anywhere(way)).sort(),
    );
    expect([...entered].filter(anywhere).sort()).toEqual(
      [`* → ${door}:4318`, '* → grafana:3000'].sort(),
    );
    const out = Object.values(names).map((name) => `${name} → *:53`);
    expect([...left].filter(anywhere).sort()).toEqual(
      [...out, ...(cluster ? ['cortex → *:443'] : [])].sort(),
    );
  });

  it('has the ports that its parts listen on, and services at the addresses that are used', () => {
    const listens = read('otel-collector.yaml');
    for (const { containerPort } of parts[0]?.container.ports ?? [])
      expect(listens).toContain(`:-${containerPort}}`);
    // Every address that a file names: the backend, the data source, nginx's servers, the targets
    // of watcher and Prometheus. (The address in the gateway's configuration is only a default; the
    // environment overrides it.)
    const texts = [
      ...objects.filter(
        ({ kind, metadata }) => kind === 'ConfigMap' && !/^gateway|dashboards/.test(metadata.name),
      ),
      ...parts.map(({ container }) => ({ data: { env: JSON.stringify(container.env ?? []) } })),
    ].flatMap(({ data }) => Object.values(data) as string[]);
    const mine = /\b((?:gateway|cortex)-\d|nginx|prometheus):(\d{4,5})\b/g;
    const asked = new Set(
      texts.flatMap((text) => [...text.matchAll(mine)].map(([address]) => address)),
    );
    expect([...asked].sort()).toEqual(addresses);
    for (const address of asked) {
      const [name = '', port] = address.split(':');
      expect(one(/^Service$/, name)?.spec.ports.map((one: Rendered) => one.port)).toContain(
        Number(port),
      );
      expect(one(/^Service$/, name)?.spec.clusterIP).toBeUndefined();
    }
  });
});

describe('details', () => {
  const [tools, tool, operator] = [kubernetes(), promtool(), prometheusOperator()];
  if (lacking(tools, tool, operator)) return;
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-kubernetes-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const kustomize = join(tools.path, 'kustomize');
  const { objects, one } = manifests(kustomize, join(projectRoot, 'deploy'));

  it('Prometheus finds each gateway, and is otherwise configured as for compose', () => {
    const [ours, theirs] = [
      'deploy/kubernetes/prometheus.yml',
      'deploy/prometheus/prometheus.yml',
    ].map((path) => load(read(path))) as [Rendered, Rendered];
    const [{ dns_sd_configs: found }] = ours.scrape_configs;
    expect(found).toEqual([{ names: ['gateway-metrics'], type: 'A', port: 8888 }]);
    expect(one(/^Service$/, 'gateway-metrics').spec).toMatchObject({
      clusterIP: 'None',
      ports: [{ port: 8888 }],
    });
    const { static_configs: _, ...job } = theirs.scrape_configs[0];
    ours.scrape_configs[0] = { ...theirs.scrape_configs[0] };
    expect(load(read('deploy/kubernetes/prometheus.yml'))).toMatchObject({
      scrape_configs: [job, {}],
    });
    expect(ours).toEqual(theirs);
  });

  it('Prometheus accepts its configuration', () => {
    const file = join(folder, 'prometheus.yml');
    const rules = join(projectRoot, 'deploy', 'prometheus', 'rules.yml');
    writeFileSync(
      file,
      read('deploy/kubernetes/prometheus.yml').replace('/etc/prometheus/rules.yml', rules),
    );
    expect(spawnSync(tool.path, ['check', 'config', file])).toMatchObject({ status: 0 });
  });

  it('the README’s example for the single machine works', () => {
    symlinkSync(projectRoot, join(folder, 'lhp-otel'));
    writeFileSync(join(folder, 'kustomization.yaml'), example('switches/tls.yaml'));
    const patched = manifests(kustomize, folder);
    expect(patched.rendered).toMatchObject({ status: 0, stderr: '' });
    expect(new Set(patched.objects.map(({ metadata }) => metadata.namespace))).toEqual(
      new Set(['lhp-otel']),
    );
    const args = patched.workload('gateway').spec.template.spec.containers[0].args as string[];
    expect(args).toHaveLength(3);
    const switches = objects.find(({ metadata }) => metadata.name.startsWith('gateway-switches-'));
    for (const path of args.slice(1)) {
      const file = path.replace('--config=/etc/otelcol/switches/', '');
      expect(switches.data[file]).toBe(read(join('deploy', 'collector', file)));
    }
  });

  it('the README’s example with kube-prometheus and an Ingress works', () => {
    writeFileSync(join(folder, 'kustomization.yaml'), example('kube-prometheus'));
    const patched = manifests(kustomize, folder);
    expect(patched.rendered).toMatchObject({ status: 0, stderr: '' });
    const schemas = writeSchemas(join(tools.path, 'swagger.json'), folder, KINDS);
    writeCustomSchemas(operator.path, folder);
    const verdict = conform(tools.path, schemas, patched.rendered.stdout);
    expect(verdict).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`Valid: ${patched.objects.length}, Invalid: 0, Errors: 0`),
    });
    const misspelled = patched.rendered.stdout.replace('targetLabel: job', 'target_label: job');
    expect(conform(tools.path, schemas, misspelled).status).toBe(1);

    // The host of the example, and no other path than that of the clients.
    const ingress = patched.one(/^Ingress$/, 'gateway').spec;
    expect(ingress.tls[0].hosts).toEqual([ingress.rules[0].host]);
    expect(ingress.rules[0].host).not.toContain('example.com');
    expect(ingress.rules[0].http.paths).toMatchObject([{ path: '/v1/metrics' }]);

    // Each job that a rule names is one that is scraped, at a port of a service, and the policies
    // let the operator's Prometheus in.
    const rules = patched.one(/^PrometheusRule$/, 'lhp-otel').spec;
    const jobs = [...JSON.stringify(rules).matchAll(/job=\\"([^\\]+)/g)].map(([, job]) => job);
    const monitors = patched.objects.filter(({ kind }) => kind === 'ServiceMonitor');
    expect(monitors.map(({ spec }) => spec.endpoints[0].relabelings[0].replacement).sort()).toEqual(
      [...new Set(jobs)].sort(),
    );
    for (const { spec } of monitors) {
      const [{ port }] = spec.endpoints;
      const scraped = patched.objects.filter(
        ({ kind, spec: service, metadata }) =>
          kind === 'Service' &&
          metadata.labels['app.kubernetes.io/name'] ===
            spec.selector.matchLabels['app.kubernetes.io/name'] &&
          service.ports.some(({ name }: Rendered) => name === port),
      );
      expect(scraped).toHaveLength(1);
      const number = scraped[0].spec.ports.find(({ name }: Rendered) => name === port).port;
      const policy = patched.one(
        /^NetworkPolicy$/,
        spec.selector.matchLabels['app.kubernetes.io/name'],
      );
      expect(policy.spec.ingress.at(-1)).toMatchObject({
        from: [{ namespaceSelector: {}, podSelector: {} }],
        ports: [{ port: number }],
      });
    }
    // The metrics that one of them keeps are those that the rules name.
    const kept = new RegExp(`^(${monitors[1].spec.endpoints[0].metricRelabelings[0].regex})$`);
    const named = [...JSON.stringify(rules).matchAll(/prometheus_tsdb_\w+/g)].map(([name]) => name);
    expect(new Set(named).size).toBe(3);
    expect(named.filter((name) => !kept.test(name))).toEqual([]);
  });

  it('the README’s example for the cluster works', () => {
    writeFileSync(join(folder, 'kustomization.yaml'), example('value: tls.conf'));
    const patched = manifests(kustomize, folder);
    expect(patched.rendered).toMatchObject({ status: 0, stderr: '' });
    expect(
      patched.mounted(patched.workload('nginx').spec.template.spec, '/etc/nginx/lhp/listen.conf'),
    ).toBe(read('deploy/cluster/nginx/tls.conf'));
    expect(patched.workload('gateway')).toMatchObject({ kind: 'StatefulSet' });
    expect(patched.workload('gateway').spec.template.spec.containers[0].args).toEqual([
      expect.any(String),
      '--config=/etc/otelcol/switches/tokens.yaml',
    ]);
  });
});
