// Proves that the dashboards tell the truth: every panel's query runs against the real Prometheus, fed through the real
// gateway with runs of known numbers, and returns the answer that is counted here from the same runs.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DASHBOARDS, type PanelSpec, series, VARIABLES } from '../scripts/grafana/panels.ts';
import { type GenerateEvent, INSTRUMENTS, LOST_RUNS } from '../src/contract.ts';
import { recordRun } from '../src/record.ts';
import { freePort } from './support/collector.ts';
import { collector, lacking, prometheus } from './support/needs.ts';
import { projectRoot } from './support/sandbox.ts';
import { type Gateway, gatewayServer, type Prometheus, prometheusServer } from './support/stack.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const HOUR = 3_600_000;
const HOURS = 6;
const BUCKET = 2 ** (1 / 256); // schema 8

const now = Date.now();
const pick = <T>(list: readonly T[], i: number) => list[i % list.length] as T;
/** 120 runs; project p has its own size, version 0.9.3 is slower. */
const runs: { at: number; event: GenerateEvent }[] = Array.from({ length: 120 }, (_, i) => {
  const project = i % 4;
  const flowgroups = pick([10, 100, 500, 3_000], project) + (i % 3);
  const version = pick(['0.9.3', '0.9.2', '0.8.7'], i % 7);
  return {
    at: now - 60_000 - Math.floor((i / 120) * (HOURS - 1) * HOUR) - i,
    event: {
      event: 'lhp_generate',
      project_id: digest(`p${project}`),
      machine_id: digest(`m${i % 8}`),
      is_ci: i % 5 === 0,
      flowgroups_count: flowgroups,
      templates_count: project + 1,
      flowgroups_using_templates: Math.floor(flowgroups / 2),
      pipelines_count: 2 * project + 1,
      files_generated: flowgroups + 1,
      environment: pick(['dev', 'test', 'prod'], i % 11),
      dry_run: i % 10 === 0,
      bundle_enabled: i % 2 === 0,
      lhp_version: version,
      python_version: pick(['3.11', '3.12'], i),
      generation_time_seconds: flowgroups / 100 + (version === '0.9.3' ? 4 : 1) + (i % 13) / 10,
    },
  };
});
const lost = new Map([
  ['expired', 3],
  ['rejected', 2],
] as const);

type Answer = Record<string, number>;
type Group = (event: GenerateEvent) => string;

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
function grouped(key: Group, count: (events: GenerateEvent[]) => number): Answer {
  const groups = Map.groupBy(
    runs.map(({ event }) => event),
    key,
  );
  return Object.fromEntries([...groups].map(([name, events]) => [name, count(events)]));
}
const mean = (field: 'generation_time_seconds' | 'flowgroups_count') => (events: GenerateEvent[]) =>
  sum(events.map((event) => event[field] as number)) / events.length;
const quantile = (q: number, numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(q * numbers.length)] ?? 0;
const all = (field: keyof GenerateEvent) => runs.map(({ event }) => event[field] as number);
const three = (numbers: number[]): Answer => ({
  p50: quantile(0.5, [...numbers]),
  p95: quantile(0.95, [...numbers]),
  p99: quantile(0.99, [...numbers]),
});
const shareOf = (flag: Group): number => runs.filter(({ event }) => flag(event) === 'true').length / runs.length;
const one = (title: string, value: number): Answer => ({ [title]: value });
const versions: Group = (event) => event.lhp_version;
const seconds = (event: GenerateEvent) => event.generation_time_seconds;
const sizes = ['below 50 flowgroups', '50 to 200', '200 to 1,000', '1,000 and more'];
const bySize = (q: number): Answer =>
  Object.fromEntries(
    sizes.map((size, p) => [
      size,
      quantile(
        q,
        runs.filter(({ event }) => event.project_id === digest(`p${p}`)).map(({ event }) => seconds(event)),
      ),
    ]),
  );

/** Ids are hashed again by the gateway, so panels by project are compared by their values. */
const BY_PROJECT = /^(Slowest|Largest) projects/;

const ANSWERS: Record<string, Answer> = {
  Runs: one('Runs', 120),
  'Active projects': one('Active projects', 4),
  'Active machines': one('Active machines', 8),
  'Share of runs in CI': one(
    'Share of runs in CI',
    shareOf((event) => String(event.is_ci)),
  ),
  'Share of dry runs': one(
    'Share of dry runs',
    shareOf((event) => String(event.dry_run)),
  ),
  'Share of runs with a bundle': one(
    'Share of runs with a bundle',
    shareOf((event) => String(event.bundle_enabled)),
  ),
  'Runs over time': { runs: 120 },
  'Active projects and machines over time': { projects: 4, machines: 8 },
  'Runs by lhp version': grouped(versions, (events) => events.length),
  'Runs by Python version': grouped(
    (event) => event.python_version,
    (events) => events.length,
  ),
  'Machines by lhp version': grouped(versions, (events) => new Set(events.map((event) => event.machine_id)).size),
  'Runs by environment': grouped(
    (event) => event.environment,
    (events) => events.length,
  ),
  'CI against local': grouped(
    (event) => `CI ${event.is_ci}`,
    (events) => events.length,
  ),
  Duration: three(all('generation_time_seconds')),
  'Duration over time': three(all('generation_time_seconds')),
  'Files a second': one('Files a second', sum(all('files_generated')) / sum(all('generation_time_seconds'))),
  'p95 by lhp version': grouped(versions, (events) => quantile(0.95, events.map(seconds))),
  'Mean duration of a version against all others': grouped(versions, (events) => {
    const others = runs.map(({ event }) => event).filter((event) => event.lhp_version !== events[0]?.lhp_version);
    return mean('generation_time_seconds')(events) / mean('generation_time_seconds')(others);
  }),
  'p50 by size of the project': bySize(0.5),
  'p95 by size of the project': bySize(0.95),
  'Slowest projects: mean duration': grouped((event) => event.project_id, mean('generation_time_seconds')),
  'Slowest projects: flowgroups a run': grouped((event) => event.project_id, mean('flowgroups_count')),
  'Largest projects: flowgroups a run': grouped((event) => event.project_id, mean('flowgroups_count')),
  Flowgroups: three(all('flowgroups_count')),
  'Flowgroups of a run over time': three(all('flowgroups_count')),
  'Flowgroups using templates': three(all('flowgroups_using_templates')),
  Templates: three(all('templates_count')),
  Pipelines: three(all('pipelines_count')),
  'Files written': three(all('files_generated')),
  'Share of flowgroups that use a template': one(
    'Share of flowgroups that use a template',
    sum(all('flowgroups_using_templates')) / sum(all('flowgroups_count')),
  ),
  'Projects by size': Object.fromEntries(sizes.map((size) => [size, 1])),
  'Lost runs by reason': { expired: 3, rejected: 2 },
};

const panels = DASHBOARDS.flatMap(({ uid, panels: specs }) => specs.map((spec) => ({ uid, spec })));
const health = panels.filter(({ uid, spec }) => uid === 'lhp-health' && !(spec.title in ANSWERS));
const answered = panels.filter((one) => !health.includes(one));

describe('every panel', () => {
  it('says which question it answers, and has a title of its own', () => {
    for (const { spec } of panels) expect(spec.question).toMatch(/\?/);
    expect(new Set(panels.map(({ uid, spec }) => `${uid} ${spec.title}`)).size).toBe(panels.length);
  });

  it('is in the committed JSON, with its description, its queries and an id of its own', () => {
    for (const { uid, panels: specs } of DASHBOARDS) {
      const file = join(projectRoot, 'grafana', 'dashboards', `${uid.replace('lhp-', '')}.json`);
      const { panels: made, templating } = JSON.parse(readFileSync(file, 'utf8')) as {
        panels: { id: number; title: string; description: string; targets: { expr: string }[] }[];
        templating: { list: { name: string }[] };
      };
      expect(made.map(({ title }) => title)).toEqual(specs.map(({ title }) => title));
      expect(made.map(({ description }) => description)).toEqual(specs.map(({ question }) => question));
      expect(made.flatMap(({ targets }) => targets.map(({ expr }) => expr))).toEqual(
        specs.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
      );
      expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
      expect(templating.list.map(({ name }) => name)).toEqual(['datasource', ...Object.keys(VARIABLES)]);
    }
  });

  it('together they show every metric of the contract', () => {
    const queries = panels.flatMap(({ spec }) => spec.queries.map(({ expr }) => expr)).join('\n');
    for (const { name } of [...INSTRUMENTS, LOST_RUNS]) expect(queries).toContain(`${series(name)}{`);
  });
});

describe('the queries', () => {
  const needs = [collector(), prometheus()] as const;
  if (lacking(...needs)) return;
  let backend: Prometheus;
  let gateway: Gateway;
  const end = now / 1_000 + 1;

  beforeAll(async () => {
    const own = await freePort();
    backend = await prometheusServer(needs[1].path, { scrape: own, everySecond: true });
    await backend.start();
    gateway = await gatewayServer(needs[0].path, `${backend.url}/api/v1/otlp`, { LHP_OTEL_METRICS_PORT: String(own) });
    await gateway.start();
  });
  afterAll(async () => {
    await gateway?.stop();
    await backend?.stop();
  });

  const all = '.*';
  const filled = (expr: string, range: string, chosen: Partial<Record<keyof typeof VARIABLES, string>> = {}) =>
    expr
      .replaceAll('$__range', range)
      .replaceAll('$__interval', range)
      .replaceAll('$__rate_interval', '10s')
      .replace(/\$(environment|version|ci)/g, (_, name: keyof typeof VARIABLES) => chosen[name] ?? all);

  async function ask(spec: PanelSpec, range = `${HOURS}h`, at = end, chosen = {}): Promise<Answer> {
    const answer: Answer = {};
    for (const { expr, legend } of spec.queries)
      for (const { metric, value } of await backend.query(filled(expr, range, chosen), at)) {
        const name = (legend ?? spec.title).replace(/\{\{(\w+)\}\}/g, (_, key: string) => metric[key] ?? '');
        answer[name] = Number(value?.[1]);
      }
    return answer;
  }

  function expectNear(given: Answer, known: Answer, factor: number) {
    expect(Object.keys(given).sort()).toEqual(Object.keys(known).sort());
    for (const [name, value] of Object.entries(known)) {
      const ratio = value === 0 ? 1 + (given[name] ?? 0) : (given[name] ?? Number.NaN) / value;
      expect([name, ratio > 1 / factor && ratio < factor, given[name], value]).toEqual([
        name,
        true,
        given[name],
        value,
      ]);
    }
  }

  const send = async (body: Uint8Array) => {
    const headers = { 'content-type': 'application/json' };
    return (
      await fetch(`${gateway.url}/v1/metrics`, { method: 'POST', body: body as Uint8Array<ArrayBuffer>, headers })
    ).status;
  };

  // These come first: the database is empty.
  it.each(answered.map(({ uid, spec }) => [`${uid}: ${spec.title}`, spec] as const))(
    '%s, without data',
    async (_, spec) => {
      const empty = await ask(spec);
      for (const value of Object.values(empty)) expect(value).toBe(0);
      // A count of nothing is zero; a share, a quantile or a list of nothing is no data.
      expect(Object.keys(empty).length > 0).toBe(spec.queries.some(({ expr }) => expr.endsWith('or vector(0)')));
    },
  );

  it('takes the runs', async () => {
    for (const [i, { at, event }] of runs.entries())
      expect(
        await send(await recordRun(event, { timestamp: at, startedAt: at - 1_000, ...(i === 0 ? { lost } : {}) })),
      ).toBe(200);
  });

  it.each(answered.map(({ uid, spec }) => [`${uid}: ${spec.title}`, spec] as const))('%s', async (_, spec) => {
    const known = ANSWERS[spec.title];
    if (known === undefined) throw new Error(`no known answer for ${spec.title}`);
    const given = await ask(spec);
    const values = (answer: Answer) =>
      Object.fromEntries(
        Object.values(answer)
          .sort((a, b) => a - b)
          .map((value, i) => [i, value]),
      );
    const estimated = spec.queries.some(({ expr }) => expr.includes('histogram_quantile'));
    const [a, b] = BY_PROJECT.test(spec.title) ? [values(given), values(known)] : [given, known];
    expectNear(a, b, estimated ? BUCKET ** 2 : 1 + 1e-9);
  });

  it('a choice of version, environment and CI holds for each', async () => {
    const [spec] = answered.map((one) => one.spec);
    const chosen = { version: '0.9.3', environment: 'dev|test', ci: 'false' };
    const known = runs.filter(
      ({ event }) => event.lhp_version === '0.9.3' && event.environment !== 'prod' && !event.is_ci,
    ).length;
    expect(await ask(spec as PanelSpec, `${HOURS}h`, end, chosen)).toEqual({ Runs: known });
  });

  it('bars over time tile: their sum is the total', async () => {
    const spec = answered.map((one) => one.spec).find(({ title }) => title === 'Runs over time') as PanelSpec;
    let total = 0;
    for (let hour = 0; hour < HOURS; hour += 1) total += (await ask(spec, '1h', end - hour * 3_600)).runs ?? 0;
    expect(total).toBe(runs.length);
  });

  it('of the gateway and the backend have answers when both are at work', async () => {
    const at = Date.now() + HOUR;
    const event = runs[0]?.event as GenerateEvent;
    const given = new Map<string, Answer>();
    const complete = () =>
      health.every(({ spec }) => Object.keys(given.get(spec.title) ?? {}).length > 0) &&
      (given.get('Points dropped by reason')?.['filter/time'] ?? 0) > 0;
    const deadline = Date.now() + 30_000;
    while (!complete() && Date.now() < deadline) {
      await send(await recordRun(event, { timestamp: at, startedAt: at - 1_000 }));
      await send(await recordRun(event, { timestamp: Date.now(), startedAt: Date.now() - 1_000 }));
      for (const { spec } of health) given.set(spec.title, await ask(spec, '6h', Date.now() / 1_000));
    }
    const dropped = given.get('Points dropped by reason') ?? {};
    expect(dropped['filter/time']).toBeGreaterThan(0);
    expect(dropped['filter/id']).toBe(0);
    for (const [title, answer] of given) {
      expect([title, Object.keys(answer).length > 0]).toEqual([title, true]);
      for (const value of Object.values(answer)) expect([title, Number.isFinite(value)]).toEqual([title, true]);
    }
    expect(given.get('Gateways up')).toEqual({ 'Gateways up': 1 });
    expect(given.get('Requests waiting at the gateway')?.capacity).toBe(1_000);
  });
});
