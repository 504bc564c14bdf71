// Tests that the dashboards show the right numbers. The query of every panel runs against a real
// Prometheus, a real cluster of Cortex and, in its own dialect, a real VictoriaMetrics. Each has
// received the same known runs through the real gateway. The answers must be those that this test
// computes from the runs, and the same from each backend.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboards } from '../../deploy/generate/dashboards/dashboards.ts';
import { DIALECTS, type Dialect } from '../../deploy/generate/dashboards/dialects.ts';
import { series, VARIABLES } from '../../deploy/generate/dashboards/queries.ts';
import type { PanelSpec } from '../../deploy/generate/dashboards/spec.ts';
import { type Asker, asker } from '../../scripts/harness/asker.ts';
import { clusterServers } from '../../scripts/harness/cluster.ts';
import { freePort } from '../../scripts/harness/collector.ts';
import {
  collector,
  cortex,
  type Need,
  program,
  prometheus,
  victoriaMetrics,
} from '../../scripts/harness/needs.ts';
import { HOUR, post } from '../../scripts/harness/runs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { gatewayServer, prometheusServer } from '../../scripts/harness/stack.ts';
import { victoriaMetricsStack } from '../../scripts/harness/victoriametrics.ts';
import {
  type GenerateEvent,
  INSTRUMENTS,
  LOST_RUNS,
  slotName,
} from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { lacking } from '../support/lacking.ts';
import {
  ANSWERS,
  type Answer,
  BUCKET,
  BY_PROJECT,
  HOURS,
  lost,
  now,
  runs,
  WIDE_BUCKET,
} from '../support/panels.ts';
import { extended } from '../support/tags.ts';

const panelsOf = (dialect: Dialect) =>
  dashboards(dialect).flatMap(({ uid, panels: specs }) => specs.map((spec) => ({ uid, spec })));
const isAnswered = ({ uid, spec }: { uid: string; spec: PanelSpec }) =>
  uid !== 'lhp-health' || spec.title in ANSWERS;
const titled = (dialect: Dialect) =>
  panelsOf(dialect)
    .filter(isAnswered)
    .map(({ uid, spec }) => [`${uid}: ${spec.title}`, spec] as const);

describe.each(DIALECTS)('every panel for $name', (dialect) => {
  const panels = panelsOf(dialect);

  it('says which question it answers, and has a unique title', () => {
    for (const { spec } of panels) expect(spec.question).toMatch(/\?/);
    expect(new Set(panels.map(({ uid, spec }) => `${uid} ${spec.title}`)).size).toBe(panels.length);
  });

  it('is in the committed JSON, with its description, its queries and a unique id', () => {
    for (const { uid, panels: specs } of dashboards(dialect)) {
      const file = join(projectRoot, dialect.folder, `${uid.replace('lhp-', '')}.json`);
      const { panels: made, templating } = JSON.parse(readFileSync(file, 'utf8')) as {
        panels: { id: number; title: string; description: string; targets: { expr: string }[] }[];
        templating: { list: { name: string }[] };
      };
      expect(made.map(({ title }) => title)).toEqual(specs.map(({ title }) => title));
      expect(made.map(({ description }) => description)).toEqual(
        specs.map(({ question }) => question),
      );
      expect(made.flatMap(({ targets }) => targets.map(({ expr }) => expr))).toEqual(
        specs.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
      );
      expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
      expect(templating.list.map(({ name }) => name)).toEqual([
        'datasource',
        ...Object.keys(VARIABLES),
      ]);
    }
  });

  it('shows, together with the others, every metric of the contract', () => {
    const queries = panels.flatMap(({ spec }) => spec.queries.map(({ expr }) => expr)).join('\n');
    for (const { name } of [...INSTRUMENTS, LOST_RUNS])
      expect(queries).toMatch(new RegExp(`${series(name)}(_sum|_bucket)?{`));
  });
});

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

interface Stack extends Asker {
  /** The URL for clients. */
  url: string;
  gateways: number;
  stop(): Promise<void>;
}

async function single(): Promise<Stack> {
  const own = await freePort();
  const backend = await prometheusServer(prometheus().path, { scrape: own, everySecond: true });
  await backend.start();
  const otlp = `${backend.url}/api/v1/otlp`;
  const gateway = await gatewayServer(collector().path, otlp, {
    LHP_OTEL_METRICS_PORT: String(own),
  });
  await gateway.start();
  const stop = () => gateway.stop().then(backend.stop);
  return { ...backend, url: gateway.url, gateways: 1, stop };
}

async function replicated(): Promise<Stack> {
  const programs = { nginx: program('nginx'), collector: collector(), cortex: cortex() };
  const cluster = await clusterServers(programs, { watcher: prometheus() });
  await cluster.start();
  // Like Grafana, through nginx, which asks any node.
  return {
    ...asker(() => `${cluster.inside}/prometheus`),
    url: cluster.nginx.url,
    gateways: 3,
    stop: cluster.stop,
  };
}

async function victoria(): Promise<Stack> {
  const { backend, gateway, stop } = await victoriaMetricsStack();
  return { ...backend, url: gateway.url, gateways: 1, stop };
}

interface Candidate {
  name: string;
  dialect: Dialect;
  start: () => Promise<Stack>;
  needs: Need[];
  /** The width of a bucket as a factor. Quantiles cannot be more exact than this. */
  bucket: number;
}

const [promql, metricsql] = DIALECTS as [Dialect, Dialect];
const STACKS: Candidate[] = [
  {
    name: 'one machine with Prometheus',
    dialect: promql,
    start: single,
    needs: [collector(), prometheus()],
    bucket: BUCKET,
  },
  {
    name: 'the cluster of Cortex',
    dialect: promql,
    start: replicated,
    needs: [collector(), prometheus(), cortex(), program('nginx')],
    bucket: BUCKET,
  },
  {
    name: 'VictoriaMetrics',
    dialect: metricsql,
    start: victoria,
    needs: [collector(), victoriaMetrics()],
    bucket: WIDE_BUCKET,
  },
];
/** Panel → the answer of each stack. */
const answers = new Map<string, Answer[]>();
let stored: string[] | undefined;

const asksAll = ({ dialect, start, needs, bucket }: Candidate) => {
  if (lacking(...needs)) return;
  let stack: Stack;
  const end = now / 1_000 + 1;
  const answered = titled(dialect);
  const health = panelsOf(dialect).filter((one) => !isAnswered(one));

  beforeAll(async () => {
    stack = await start();
  });
  afterAll(() => stack?.stop());

  const all = '.*';
  const filled = (
    expr: string,
    range: string,
    chosen: Partial<Record<keyof typeof VARIABLES, string>> = {},
  ) =>
    expr
      .replaceAll('$__range', range)
      .replaceAll('$__interval', range)
      .replaceAll('$__rate_interval', '10s')
      .replace(
        /\$(environment|version|ci)/g,
        (_, name: keyof typeof VARIABLES) => chosen[name] ?? all,
      );

  async function ask(spec: PanelSpec, range = `${HOURS}h`, at = end, chosen = {}): Promise<Answer> {
    const answer: Answer = {};
    for (const { expr, legend } of spec.queries)
      for (const { metric, value } of await stack.query(filled(expr, range, chosen), at)) {
        const name = (legend ?? spec.title).replace(
          /\{\{(\w+)\}\}/g,
          (_, key: string) => metric[key] ?? '',
        );
        answer[name] = Number(value?.[1]);
      }
    return answer;
  }

  const send = (body: Uint8Array) => post(stack.url, body);

  // These tests must run first, while the database is empty.
  it.each(answered)('%s, without data', async (_, spec) => {
    const empty = await ask(spec);
    for (const value of Object.values(empty)) expect(value).toBe(0);
    // Without runs a count is zero, and a share, a quantile or a list has no data.
    expect(Object.keys(empty).length > 0).toBe(
      spec.queries.some(({ expr }) => expr.endsWith('or vector(0)')),
    );
  });

  it('accepts the runs', async () => {
    for (const [i, { at, event }] of runs.entries())
      expect(
        await send(
          await recordRun(event, {
            timestamp: at,
            startedAt: at - 1_000,
            // Also those of clients before November 2026, which drew one of 256.
            slot: slotName((i * 37) % 256),
            ...(i === 0 ? { lost } : {}),
          }),
        ),
      ).toBe('200');
  });

  it.each(answered)('%s', async (title, spec) => {
    const known = ANSWERS[spec.title];
    if (known === undefined) throw new Error(`no known answer for ${spec.title}`);
    const given = await ask(spec);
    answers.set(title, [...(answers.get(title) ?? []), given]);
    const values = (answer: Answer) =>
      Object.fromEntries(
        Object.values(answer)
          .sort((a, b) => a - b)
          .map((value, i) => [i, value]),
      );
    const estimated = spec.queries.some(({ expr }) => expr.includes('histogram_quantile'));
    const [a, b] = BY_PROJECT.test(spec.title) ? [values(given), values(known)] : [given, known];
    expectNear(a, b, estimated ? bucket ** 2 : 1 + 1e-9);
  });

  it('stores each series with the same names and labels as Prometheus', async () => {
    const found = await stack.query(`last_over_time({__name__=~"lhp_.*"}[${HOURS}h])`, end);
    const labels = found.flatMap(({ metric }) => {
      // VictoriaMetrics stores a histogram as count, sum and buckets, and has no target_info, so no
      // label `job` either.
      if (/_(sum|bucket)$/.test(metric.__name__ ?? '')) return [];
      const rest = Object.entries(metric).filter(([label]) => label !== 'job');
      return JSON.stringify(rest.sort()).replace('_count"', '"');
    });
    expect(labels.length).toBeGreaterThan(100);
    stored ??= labels.sort();
    expect(labels.sort()).toEqual(stored);
  });

  it('selects by version, environment and CI', async () => {
    const [[, spec]] = answered as [(typeof answered)[number]];
    const chosen = { version: '0.9.3', environment: 'dev|test', ci: 'false' };
    const known = runs.filter(
      ({ event }) => event.lhp_version === '0.9.3' && event.environment !== 'prod' && !event.is_ci,
    ).length;
    expect(await ask(spec, `${HOURS}h`, end, chosen)).toEqual({ Runs: known });
  });

  it('counts each run in exactly one bar: an hour includes its end, not its start', async () => {
    const spec = answered
      .map(([, one]) => one)
      .find(({ title }) => title === 'Runs over time') as PanelSpec;
    const expr = filled(spec.queries[0]?.expr ?? '', '1h');
    const ends = Array.from(
      { length: 2 * HOURS },
      (_, hour) => (runs[60]?.at as number) + (hour - HOURS) * HOUR,
    );
    const known = ends.map(
      (last) => runs.filter(({ at }) => at > last - HOUR && at <= last).length,
    );
    const [start, last] = [ends[0] as number, ends.at(-1) as number];
    expect(
      await stack.range(expr, { start: start / 1_000, end: last / 1_000, step: 3_600 }),
    ).toEqual(known);
    expect(known.reduce((sum, count) => sum + count, 0)).toBe(runs.length);
  });

  it('has data in the panels about gateway and backend while both work', async () => {
    const at = Date.now() + HOUR;
    const event = runs[0]?.event as GenerateEvent;
    const given = new Map<string, Answer>();
    const complete = () =>
      given.get('Gateways up')?.['Gateways up'] === stack.gateways &&
      health.every(({ spec }) => Object.keys(given.get(spec.title) ?? {}).length > 0) &&
      (given.get('Points dropped by reason')?.['filter/time'] ?? 0) > 0;
    const deadline = Date.now() + 30_000;
    while (!complete() && Date.now() < deadline) {
      await send(await recordRun(event, { timestamp: at, startedAt: at - 1_000 }));
      await send(await recordRun(event, { timestamp: Date.now(), startedAt: Date.now() - 1_000 }));
      for (const { spec } of health)
        given.set(spec.title, await ask(spec, '6h', Date.now() / 1_000));
    }
    const dropped = given.get('Points dropped by reason') ?? {};
    expect(dropped['filter/time']).toBeGreaterThan(0);
    expect(dropped['filter/id']).toBe(0);
    for (const [title, answer] of given) {
      expect([title, Object.keys(answer).length > 0]).toEqual([title, true]);
      for (const value of Object.values(answer))
        expect([title, Number.isFinite(value)]).toEqual([title, true]);
    }
    expect(given.get('Gateways up')).toEqual({ 'Gateways up': stack.gateways });
    expect(given.get('Requests waiting at the gateway')?.capacity).toBe(stack.gateways * 1_000);
  });
};
describe.each(STACKS.slice(0, 1))('the queries, asked of $name', asksAll);

describe.each(STACKS)('the queries, asked of $name, to compare', extended, asksAll);
describe('all stacks', extended, () => {
  if (lacking(...STACKS.flatMap(({ needs }) => needs))) return;

  it.each(titled(promql))('%s: the same answer', (title, { queries }) => {
    const estimated = queries.some(({ expr }) => expr.includes('histogram_quantile'));
    const [one, ...others] = (answers.get(title) ?? []).slice(-STACKS.length) as [
      Answer,
      ...Answer[],
    ];
    expect(others.length).toBe(STACKS.length - 1);
    for (const [i, other] of others.entries())
      expectNear(
        other,
        one,
        estimated && STACKS[i + 1]?.bucket === WIDE_BUCKET ? WIDE_BUCKET : 1 + 1e-9,
      );
  });
});
