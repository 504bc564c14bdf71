// main.tsx: the page of the pictures: a dashboard on Grafana's grid of 24 columns, with its title,
// its variables and its links. Our own approximations are the bars at the top, the headers of rows
// and the annotations; tooltips and menus are not drawn. screenshots.ts starts it in Chromium.
import {
  createTheme,
  dateTime,
  EventBusSrv,
  rangeUtil,
  ThemeContext,
  type TimeRange,
} from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles, PanelContextProvider } from '@grafana/ui';
import type { CSSProperties } from 'react';
import { createRoot } from 'react-dom/client';
import { answersFor, marksOf } from './frames.ts';
import type { DashboardJson, PageData, PanelJson, PanelSummary } from './json.ts';
import { Panel } from './panel.tsx';
import { interpolate, textsOf, valuesOf } from './queries.ts';

declare global {
  interface Window {
    /** For the program that takes the picture: what the panels show, once all are complete. */
    summaries?: PanelSummary[];
    /** An error that no panel shows. */
    failure?: string;
  }
}

const data: PageData = await (await fetch('data')).json();
const theme = createTheme({ colors: { mode: data.theme } });
const { colors } = theme;

/** Grafana's grid, in pixels. */
const COLUMNS = 24;
const ROW = 30;
const GAP = 8;
const PADDING = 16;
/** Left and right of a panel's content, together. */
const INSIDE = 18;
const column = (window.innerWidth - 2 * PADDING - GAP * (COLUMNS - 1)) / COLUMNS;
const across = (columns: number) => column * columns + GAP * (columns - 1);
const down = (rows: number) => ROW * rows + GAP * (rows - 1);

function Header({ dashboard, range }: { dashboard: DashboardJson; range: TimeRange }) {
  const pill: CSSProperties = {
    border: `1px solid ${colors.border.medium}`,
    borderRadius: 2,
    padding: '0 8px',
    height: 32,
    lineHeight: '30px',
    display: 'inline-flex',
    gap: 6,
    background: theme.components.input.background,
  };
  const label: CSSProperties = {
    ...pill,
    borderRight: 0,
    background: colors.background.primary,
    fontSize: 12,
    fontWeight: 500,
  };
  const line: CSSProperties = { display: 'flex', alignItems: 'center', padding: `0 ${PADDING}px` };
  const variables = (dashboard.templating?.list ?? []).filter(({ hide }) => hide !== 2);
  const switches = (dashboard.annotations?.list ?? []).filter(
    ({ hide, expr, target }) => !hide && (expr ?? target?.expr),
  );
  return (
    <>
      <div
        style={{
          ...line,
          height: 40,
          borderBottom: `1px solid ${colors.border.weak}`,
          background: colors.background.primary,
        }}
      >
        <span style={{ color: colors.text.secondary }}>Dashboards ›&nbsp;</span>
        {dashboard.title}
      </div>
      <div style={{ ...line, flexWrap: 'wrap', gap: 12, paddingTop: 16, paddingBottom: 8 }}>
        {variables.map((one) => (
          <span key={one.name} style={{ display: 'inline-flex' }}>
            {one.hide !== 1 && <span style={label}>{one.label || one.name}</span>}
            <span style={pill}>
              {data.variables[one.name]?.text} <span>⌄</span>
            </span>
          </span>
        ))}
        {switches.map(({ name }) => (
          <span key={name} style={{ fontSize: 12 }}>
            {name} ◉
          </span>
        ))}
        {(dashboard.links ?? []).map(({ title }) => (
          <span key={title} style={pill}>
            {title} ↗
          </span>
        ))}
        <span style={{ flex: 1 }} />
        <span style={pill}>
          {rangeUtil.describeTimeRange(range.raw)} <span>⌄</span>
        </span>
      </div>
    </>
  );
}

function RowTitle({ row }: { row: PanelJson }) {
  const count = row.panels?.length ?? 0;
  const closed = row.collapsed ? ` (${count} ${count === 1 ? 'panel' : 'panels'})` : '';
  return (
    <div style={{ height: ROW, lineHeight: `${ROW}px`, fontSize: 18, fontWeight: 500 }}>
      {row.collapsed ? '›' : '⌄'} {interpolate(row.title ?? '', textsOf(data.variables))}
      <span style={{ fontSize: 12, color: colors.text.secondary }}>{closed}</span>
    </div>
  );
}

async function main() {
  // Grafana's components are translated; without this they show the keys of their texts.
  await initPluginTranslations('pictures');
  const { dashboard, from, to } = data;
  const parsed = rangeUtil.convertRawToRange({ from, to });
  const range = { from: dateTime(parsed.from), to: dateTime(parsed.to), raw: { from, to } };
  const [values, texts] = [valuesOf(data.variables), textsOf(data.variables)];
  const marks = await marksOf(dashboard.annotations?.list ?? [], range, values);
  const panels = dashboard.panels.flatMap((one) =>
    one.type === 'row' && !one.collapsed ? [one, ...(one.panels ?? [])] : [one],
  );
  const ask = answersFor(panels, range, values, ({ gridPos: { w } }) => across(w) - INSIDE);
  const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  const expected = panels.filter(({ type }) => type !== 'row').length;
  const summaries = new Map<number, PanelSummary>();
  const done = (id: number, summary: PanelSummary) => {
    summaries.set(id, summary);
    if (summaries.size === expected)
      window.summaries = panels.flatMap((one) => summaries.get(one.id) ?? []);
  };
  document.body.style.background = colors.background.canvas;
  createRoot(document.body.appendChild(document.createElement('div'))).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={{ eventsScope: 'global', eventBus: new EventBusSrv() } as never}>
        <Header dashboard={dashboard} range={range} />
        <div style={{ position: 'relative', height: down(bottom) + PADDING }}>
          {panels.map((one) => (
            <div
              key={one.id}
              style={{
                position: 'absolute',
                left: PADDING + one.gridPos.x * (column + GAP),
                top: one.gridPos.y * (ROW + GAP),
              }}
            >
              {one.type === 'row' ? (
                <RowTitle row={one} />
              ) : (
                <Panel
                  panel={one}
                  width={across(one.gridPos.w)}
                  height={down(one.gridPos.h)}
                  range={range}
                  ask={() => ask(one)}
                  texts={texts}
                  marks={marks}
                  onDone={(summary) => done(one.id, summary)}
                />
              )}
            </div>
          ))}
        </div>
      </PanelContextProvider>
    </ThemeContext.Provider>,
  );
}

main().catch((error: Error) => {
  window.failure = error.stack ?? error.message;
});
