// main.ts: the local page. It fetches the recorded runs once, and draws those that the filters
// select. It sends no request to any other host, and stores nothing.
import { type Essentials, essentials, select } from '../../history/summary.ts';
import type { Run } from '../../spool/run.ts';
import { type Data, unpack } from '../api.ts';
import { drawBreakdown } from './breakdown.ts';
import { startCharts } from './charts.ts';
import { drawConsentAndDelivery } from './consent-and-delivery.ts';
import { byId } from './dom.ts';
import { startYourData } from './export-and-purge.ts';
import { request } from './fetch.ts';
import { selectionInWords, startFilters } from './filters.ts';
import { drawOverview } from './overview.ts';
import { setProject } from './projects.ts';
import { startRunDialog } from './run-dialog.ts';
import { startRunList } from './run-list.ts';
import { startTheme } from './theme.ts';

let all: Run[] = [];
let whole: Essentials = essentials(all);
const filters = startFilters(draw);
const runList = startRunList(startRunDialog());
const yourData = startYourData(load);
/** Created with the first run, because a chart measures the width of its place. */
let charts: ReturnType<typeof startCharts> | undefined;
let endpoint: string | null = null;
startTheme(() => charts?.redraw());
await load();

async function load(): Promise<void> {
  const response = await request('data');
  if (!response) return;
  const { runs, state }: Data = await response.json();
  all = unpack(runs);
  whole = essentials(all);
  endpoint = state.endpoint;
  byId('version').textContent = state.version;
  drawOverview(all, whole, state);
  drawConsentAndDelivery(all, state);
  setProject(state.project);
  filters.offer(whole, state.project?.id);
  draw();
}

function draw(): void {
  const shown = select(all, filters.selection());
  const part = shown.length === all.length ? whole : essentials(shown);
  byId('selection').textContent = selectionInWords(whole, part);
  byId('nothing').hidden = shown.length > 0;
  byId('something').hidden = shown.length === 0;
  yourData.draw(all, shown, endpoint);
  if (shown.length === 0) return;
  charts ??= startCharts();
  charts.draw(shown, part);
  performance.mark('charts drawn');
  drawBreakdown(part);
  runList.draw(shown);
  performance.mark('usable');
}
