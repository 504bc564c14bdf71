// ask.ts: measures how long a backend takes to answer the panels of dashboards (panels.ts), each
// alone and all panels of a dashboard together.
import type { Answer, DashboardTime, PanelTime } from '../../fleet/measured.ts';
import type { Panel, Request, View } from '../../fleet/panels.ts';
import { cpu, quantile } from '../measure.ts';

/** Connections of a browser to one server (HTTP/1.1). */
const CONNECTIONS = 6;

/** The server that answers: base URL, and the process of which processor time is counted. */
export interface Asked {
  url: string;
  pids: readonly number[];
  headers?: Record<string, string>;
}

/** Each panel alone; the requests of a panel at once, as Grafana sends them. */
export async function timePanels(
  asked: Asked,
  panels: readonly Panel[],
  view: View,
  times: number,
): Promise<PanelTime[]> {
  const all: PanelTime[] = [];
  for (const { dashboard, title, requests } of panels) {
    const one = await timed(asked, requests(view), times);
    all.push({ dashboard, title, ...one });
  }
  return all;
}

/** All panels of each dashboard at once, on the connections of a browser. */
export async function timeDashboards(
  asked: Asked,
  panels: readonly Panel[],
  view: View,
  times: number,
): Promise<DashboardTime[]> {
  const all: DashboardTime[] = [];
  for (const [dashboard, own] of Map.groupBy(panels, (one) => one.dashboard)) {
    const requests = own.flatMap((one) => one.requests(view));
    const { answers: _, ...time } = await timed(asked, requests, times);
    all.push({ dashboard, ...time });
  }
  return all;
}

async function timed(asked: Asked, requests: readonly Request[], times: number) {
  const used = () => asked.pids.reduce((sum, pid) => sum + cpu(pid), 0);
  const [ms, cpuMs]: [number[], number[]] = [[], []];
  let answers: Answer[] = [];
  let failed: string | undefined;
  for (let i = 0; i < times; i += 1) {
    const [started, before] = [performance.now(), used()];
    const settled = await atOnce(requests, (one) =>
      ask(asked, one).catch((error) => error as Error),
    );
    answers = settled.map((one) => (one instanceof Error ? new Map() : one));
    failed ??= settled.find((one) => one instanceof Error)?.message;
    ms.push(performance.now() - started);
    cpuMs.push((used() - before) * 1_000);
  }
  const time = { ms: quantile(ms, 0.5), cpuMs: quantile(cpuMs, 0.5), answers };
  return failed === undefined ? time : { ...time, failed };
}

async function atOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONNECTIONS, items.length) }, worker));
  return results;
}

interface Result {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
}

async function ask({ url, headers = {} }: Asked, { path, body }: Request): Promise<Answer> {
  const parameters = new URLSearchParams(body);
  const answer = path.endsWith('/values')
    ? await fetch(`${url}${path}?${parameters}`, { headers })
    : await fetch(url + path, { method: 'POST', body: parameters, headers });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${body.query ?? path}: ${answer.status} ${text}`);
  const { data } = JSON.parse(text) as { data: string[] | { result: Result[] } };
  if (Array.isArray(data)) return new Map([['', [...data].sort()]]);
  return new Map(
    data.result.map(({ metric, value, values }) => {
      const { __name__, ...labels } = metric;
      const points = values ?? (value === undefined ? [] : [value]);
      return [JSON.stringify(Object.entries(labels).sort()), points.map(([, one]) => one)];
    }),
  );
}
