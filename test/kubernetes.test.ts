// Proves that the manifests are Kubernetes' (kustomize renders them, kubeconform knows each field), and that they are the compose file over
// again: images, arguments, environment, users, ports and mounted files are compared with docker-compose.yml, to the byte.
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
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
import { composeServices, type Service } from './support/compose.ts';
import { kubernetes, lacking, promtool } from './support/needs.ts';
import { projectRoot } from './support/sandbox.ts';
import { writeSchemas } from './support/schemas.ts';

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
] as const;
/** Service of docker-compose.yml → what it is called here. */
const PARTS = { collector: 'gateway', prometheus: 'prometheus', grafana: 'grafana' };
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

describe('the manifests', () => {
  const [tools, tool] = [kubernetes(), promtool()];
  if (lacking(tools, tool)) return;
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-kubernetes-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const rendered = spawnSync(join(tools.path, 'kustomize'), ['build', projectRoot], { encoding: 'utf8' });
  const objects = loadAll(rendered.stdout) as Rendered[];
  const one = (kind: RegExp, name: string) =>
    objects.find((object) => kind.test(object.kind) && object.metadata.name === name);
  const workload = (name: string) => one(/^(Deployment|StatefulSet)$/, name).spec.template.spec;
  const services = composeServices('docker-compose.yml');
  const parts = Object.entries(PARTS).map(([service, name]) => ({
    name,
    service: services[service] as Service,
    pod: workload(name),
    container: workload(name).containers[0],
  }));

  /** The file that a container sees at this path: name of it in a ConfigMap, and its text. */
  function mounted(pod: Rendered, path: string): string | undefined {
    for (const { mountPath, name, subPath } of pod.containers[0].volumeMounts) {
      if (path !== mountPath && !path.startsWith(`${mountPath}/`)) continue;
      const { configMap } = pod.volumes.find((volume: Rendered) => volume.name === name) ?? {};
      if (configMap) return one(/^ConfigMap$/, configMap.name).data[subPath ?? path.slice(mountPath.length + 1)];
    }
    return undefined;
  }

  it('are rendered without a flag, and each field is one that Kubernetes knows', () => {
    expect(rendered).toMatchObject({ status: 0, stderr: '' });
    const schemas = writeSchemas(join(tools.path, 'swagger.json'), folder, KINDS);
    const checked = (input: string) =>
      spawnSync(join(tools.path, 'kubeconform'), ['-strict', '-summary', '-schema-location', schemas], {
        input,
        encoding: 'utf8',
      });
    expect(checked(rendered.stdout)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`Valid: ${objects.length}, Invalid: 0, Errors: 0, Skipped: 0`),
    });
    // It sees what is wrong: a field with a slip in it, a number where a word belongs.
    expect(checked(rendered.stdout.replace('readOnlyRootFilesystem', 'readOnlyRootFileSystem')).status).toBe(1);
    expect(checked(rendered.stdout.replace('clusterIP: None', 'clusterIP: 1')).status).toBe(1);
  });

  it.each(parts)('$name: image, arguments, user and hardening of the compose file', ({ service, pod, container }) => {
    const [user, group] = (service.user ?? '').split(':').map(Number);
    const { command = [] } = service;
    const args = typeof command === 'string' ? command.split(' ') : command;
    expect(container.image).toBe(service.image);
    expect(container.args ?? []).toEqual(args.filter(Boolean));
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        runAsUser: user,
        runAsGroup: group,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: service.read_only,
      capabilities: { drop: service.cap_drop },
    });
  });

  it.each(parts)('$name: environment of the compose file, and secrets by name', ({ service, container }) => {
    const environment = Object.fromEntries(
      (container.env ?? []).map(({ name, value, valueFrom }: Rendered) => [name, value ?? valueFrom.secretKeyRef]),
    );
    // What is empty there belongs to a switch, which an overlay turns on with its variables.
    const set = Object.entries(service.environment ?? {}).filter(([, value]) => value !== '');
    const wanted = set.map(([name, value]) => {
      const secret = /^\$\{(\w+):\?/.exec(value)?.[1];
      return [name, secret ? { name: 'lhp-otel', key: secret } : value];
    });
    expect(environment).toEqual(Object.fromEntries(wanted));
    expect(objects.some(({ kind }) => kind === 'Secret')).toBe(false);
  });

  it.each(parts)('$name: the files of the compose file, and a disk where it has one', ({ service, pod, container }) => {
    for (const volume of service.volumes ?? []) {
      const [host = '', path = ''] = volume.split(':');
      if (host === './secrets' || host === 'queue') continue; // a Secret by name; the queue is a switch
      if (!host.startsWith('.')) {
        expect(container.volumeMounts).toContainEqual({ name: 'data', mountPath: path });
        continue;
      }
      const files = statSync(join(projectRoot, host)).isDirectory()
        ? readdirSync(join(projectRoot, host), { recursive: true, encoding: 'utf8' })
            .filter((file) => statSync(join(projectRoot, host, file)).isFile())
            .map((file) => [join(host, file), `${path}/${file}`])
        : [[host, path]];
      for (const [from = '', to = ''] of files)
        expect([to, mounted(pod, to)]).toEqual([
          to,
          read(from.endsWith('prometheus/prometheus.yml') ? 'kubernetes/prometheus.yml' : from),
        ]);
    }
  });

  it('reads the gateways by their addresses, and is else the Prometheus of the compose file', () => {
    const [ours, theirs] = ['kubernetes/prometheus.yml', 'prometheus/prometheus.yml'].map((path) =>
      load(read(path)),
    ) as [Rendered, Rendered];
    const [{ dns_sd_configs: found }] = ours.scrape_configs;
    expect(found).toEqual([{ names: ['gateway-metrics'], type: 'A', port: 8888 }]);
    expect(one(/^Service$/, 'gateway-metrics').spec).toMatchObject({ clusterIP: 'None', ports: [{ port: 8888 }] });
    const { static_configs: _, ...job } = theirs.scrape_configs[0];
    ours.scrape_configs[0] = { ...theirs.scrape_configs[0] };
    expect(load(read('kubernetes/prometheus.yml'))).toMatchObject({ scrape_configs: [job, {}] });
    expect(ours).toEqual(theirs);
  });

  it('has a configuration that Prometheus takes', () => {
    const file = join(folder, 'prometheus.yml');
    const rules = join(projectRoot, 'prometheus', 'rules.yml');
    writeFileSync(file, read('kubernetes/prometheus.yml').replace('/etc/prometheus/rules.yml', rules));
    expect(spawnSync(tool.path, ['check', 'config', file])).toMatchObject({ status: 0 });
  });

  it('lets each service reach its pods, and each policy name a port that is there', () => {
    const portsOf = (labels: Rendered) => workload(labels['app.kubernetes.io/name']).containers[0].ports as Rendered[];
    const numbers = (labels: Rendered) => portsOf(labels).map(({ containerPort }) => containerPort);
    for (const { spec } of objects.filter(({ kind }) => kind === 'Service'))
      for (const { targetPort } of spec.ports)
        expect(portsOf(spec.selector).map(({ name }) => name)).toContain(targetPort);
    const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
    expect(policies.map(({ metadata }) => metadata.name).sort()).toEqual(Object.values(PARTS).sort());
    for (const { spec } of policies) {
      expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
      for (const { ports } of spec.ingress)
        for (const { port } of ports) expect(numbers(spec.podSelector.matchLabels)).toContain(port);
      for (const { to, ports } of spec.egress) {
        // Names may be asked of anybody, else a pod is named and a port of its own.
        if (to === undefined) expect(new Set(ports.map(({ port }: Rendered) => port))).toEqual(new Set([53]));
        for (const { podSelector } of to ?? [])
          for (const { port } of ports) expect(numbers(podSelector.matchLabels)).toContain(port);
      }
    }
  });

  it('has the ports that the gateway listens on and the backend is asked at', () => {
    const listens = read('otel-collector.yaml');
    for (const { containerPort } of workload('gateway').containers[0].ports)
      expect(listens).toContain(`:-${containerPort}}`);
    const backend = services.collector?.environment?.LHP_OTEL_BACKEND ?? '';
    expect(one(/^Service$/, new URL(backend).hostname).spec.ports).toMatchObject([
      { port: Number(new URL(backend).port) },
    ]);
  });

  it('can be patched as the README shows', () => {
    const own = join(folder, 'own');
    mkdirSync(own);
    symlinkSync(projectRoot, join(own, 'lhp-otel'));
    const example = /```yaml\n([\s\S]+?)```/.exec(read('kubernetes/README.md'))?.[1] ?? '';
    writeFileSync(join(own, 'kustomization.yaml'), example);
    const patched = spawnSync(join(tools.path, 'kustomize'), ['build', own], { encoding: 'utf8' });
    expect(patched).toMatchObject({ status: 0, stderr: '' });
    const all = loadAll(patched.stdout) as Rendered[];
    expect(new Set(all.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['lhp-otel']));
    const gateway = all.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'gateway');
    const args = gateway.spec.template.spec.containers[0].args as string[];
    expect(args).toHaveLength(3);
    const switches = objects.find(({ metadata }) => metadata.name.startsWith('gateway-switches-'));
    for (const path of args.slice(1)) {
      const file = path.replace('--config=/etc/otelcol/switches/', '');
      expect(switches.data[file]).toBe(read(join('collector', file)));
    }
  });
});
