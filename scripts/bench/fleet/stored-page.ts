// stored-page.ts: the measured backends as tables: what each fleet's dashboards cost, the slowest
// panels before and after a change, and each panel by itself.
import { agreement } from '../../fleet/agreement.ts';
import type { Asking, PanelTime, Stored } from '../../fleet/measured.ts';
import { n, table, time } from './markdown.ts';

const NAMES = { prometheus: 'Prometheus', victoriametrics: 'VictoriaMetrics' } as const;
const VERSIONS = { now: 'these', before: 'before' } as const;

const seconds = (ms: number) => time(ms / 1_000);
const slowest = <T extends { ms: number }>(all: readonly T[]): T | undefined =>
  [...all].sort((a, b) => b.ms - a.ms)[0];
const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);

/** One row for each backend, fleet, checkout and number of cores. */
function storedTable(stored: readonly Stored[]): string {
  const head = [
    ...['machines', 'days', 'backend', 'runs', 'series', 'exact', 'filled in, CPU a run'],
    ...['disk a run', 'memory filled, asked', 'dashboards', 'cores', 'slowest panel'],
    ...['all panels, one by one; CPU', 'slowest dashboard at once'],
  ];
  return table(head, stored.flatMap(rowsOf));
}

const rowsOf = (one: Stored): string[][] => one.askings.map((asking) => rowOf(one, asking));

function rowOf(one: Stored, { version, cores, panels, dashboards }: Asking): string[] {
  const panel = slowest(panels);
  const dashboard = slowest(dashboards);
  const { fill } = one;
  return [
    ...[n(one.machines), String(one.days), NAMES[one.backend], n(one.runs), n(one.series)],
    one.wrong === undefined ? `yes, ${one.right} of ${one.asked}` : `NO: ${one.wrong}`,
    `${time(fill.seconds)}, ${n((fill.cpuSeconds / one.runs) * 1_000)} ms`,
    `${n(one.diskBytes / one.runs)} B`,
    `${n(fill.peakMiB)}, ${n(one.askedMiB)} MiB`,
    ...[VERSIONS[version], String(cores)],
    panel === undefined ? '' : `${seconds(panel.ms)} (${panel.title})${failure(panel)}`,
    `${seconds(sum(panels.map(({ ms }) => ms)))}; ` +
      seconds(sum(panels.map(({ cpuMs }) => cpuMs))),
    dashboard === undefined ? '' : `${seconds(dashboard.ms)} (${dashboard.dashboard})`,
  ];
}

/** Each panel of one fleet: time on each backend, with the most cores, and whether both agree. */
function panelTable(stored: readonly Stored[], version: Asking['version']): string {
  const asked = stored.map((one) => ({ one, panels: panelsOf(one, version) }));
  const [first] = asked;
  const rows = (first?.panels ?? []).map((panel) => {
    const same = asked.map(({ panels }) => panels.find((other) => isSame(panel, other)));
    const times = same.map((found) =>
      found === undefined ? '–' : `${n(found.ms)} (${n(found.cpuMs)})${failure(found)}`,
    );
    const [a, b] = same;
    const isAnswered = a !== undefined && b !== undefined && !a.failed && !b.failed;
    const agree = isAnswered ? [agreement(a.answers, b.answers)] : [];
    return [panel.dashboard, panel.title, ...times, ...agree];
  });
  const both = asked.length > 1;
  return table(
    [
      ...['dashboard', 'panel'],
      ...asked.map(({ one }) => `${NAMES[one.backend]}, ms (CPU)`),
      ...(both ? ['answers'] : []),
    ],
    rows.map((row) => (both && row.length === 2 + asked.length ? [...row, '–'] : row)),
  );
}

const failure = ({ failed }: Pick<PanelTime, 'failed'>) =>
  failed === undefined ? '' : `, fails: ${failed.replace(/\s+/g, ' ').slice(-80)}`;

const isSame = (a: PanelTime, b: PanelTime) => a.dashboard === b.dashboard && a.title === b.title;

function panelsOf({ askings }: Stored, version: Asking['version']): PanelTime[] {
  const own = askings.filter((one) => one.version === version);
  const most = Math.max(...own.map(({ cores }) => cores));
  return own.find(({ cores }) => cores === most)?.panels ?? [];
}

/** A table of the fleets, and one of the panels of each, of these checkouts. */
export function storedPage(
  stored: readonly Stored[],
  versions: readonly Asking['version'][] = ['before', 'now'],
): string {
  const fleets = [...Map.groupBy(stored, ({ machines, days }) => `${machines} ${days}`).values()];
  const parts = fleets.flatMap((fleet) =>
    versions
      .filter((version) => fleet.some((one) => panelsOf(one, version).length > 0))
      .map((version) => {
        const [{ machines, days }] = fleet as [Stored, ...Stored[]];
        const whose = version === 'before' ? ', dashboards before the change' : '';
        const title = `**Each panel, ${n(machines)} machines, ${days} days${whose}**`;
        return `${title}\n\n${panelTable(fleet, version)}`;
      }),
  );
  return [storedTable(stored), ...parts].join('\n\n');
}
