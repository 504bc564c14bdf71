// questions.ts: how long the dashboards take to answer. Each query of each panel about runs is
// asked as Grafana asks it, one after the other, for a range that ends now; a panel takes as long
// as its queries together.

import { runDashboards } from '../../../deploy/generate/dashboards/dashboards.ts';
import { DIALECTS } from '../../../deploy/generate/dashboards/dialects.ts';
import type { PanelSpec } from '../../../deploy/generate/dashboards/spec.ts';
import { DAY, HOUR, MONTH, RETENTION } from '../../fleet/assumptions.ts';
import type { Latency } from '../../fleet/measured.ts';

/**
 * Grafana asks for no more points than a panel is wide, and the dashboards for no less than an hour
 * each.
 */
const POINTS = 800;

export async function latency(url: string, end: number): Promise<Latency> {
  const panels = DIALECTS.filter(({ name }) => name === 'prometheus')
    .flatMap(runDashboards)
    .flatMap((one) => one.panels);
  const times: number[] = [];
  for (const panel of panels) times.push(await asked(url, panel, MONTH, end));
  const longest = times.indexOf(Math.max(...times));
  const slowest = panels[longest] as PanelSpec;
  return {
    slowest: slowest.title,
    monthMs: times[longest] as number,
    allDaysMs: await asked(url, slowest, RETENTION, end),
    panelsMs: times.reduce((a, b) => a + b, 0),
  };
}

/** Once, as whoever opens a dashboard. */
async function asked(
  url: string,
  { queries }: PanelSpec,
  days: number,
  end: number,
): Promise<number> {
  const started = performance.now();
  for (const { expr } of queries) await ask(url, expr, days, end);
  return performance.now() - started;
}

async function ask(url: string, expr: string, days: number, end: number): Promise<void> {
  const step = Math.max(HOUR, Math.ceil((days * DAY) / POINTS / HOUR) * HOUR) / 1_000;
  const overTime = expr.includes('$__interval');
  const body = new URLSearchParams({
    query: expr
      .replaceAll('$__range', `${days}d`)
      .replaceAll('$__interval', `${step}s`)
      .replace(/\$(environment|version|ci)/g, '.*'),
    ...(overTime
      ? { start: String(end - (days * DAY) / 1_000), end: String(end), step: String(step) }
      : { time: String(end) }),
  });
  const answer = await fetch(`${url}/api/v1/query${overTime ? '_range' : ''}`, {
    method: 'POST',
    body,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${expr}: ${answer.status} ${text}`);
}
