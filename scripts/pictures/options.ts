// options.ts: the command line of `npm run screenshots`.
import { parseArgs } from 'node:util';

/** What the pictures can show. */
const SITUATIONS = {
  month: 'a month with three releases of lhp; everything works',
  year: '400 days with one version of lhp',
  empty: 'a backend without a single run',
  down: 'the month, but the gateway has not answered for 40 minutes',
} as const;
export type Situation = keyof typeof SITUATIONS;

export const DASHBOARDS = ['usage', 'performance', 'projects', 'health'] as const;
export type DashboardName = (typeof DASHBOARDS)[number];

const THEMES = ['dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

const PARTS = ['view', 'dashboards'] as const;

export interface DashboardOptions {
  dashboards: readonly DashboardName[];
  situation: Situation;
  themes: readonly Theme[];
  /** Grafana's way to write a time: `now-30d`; undefined leaves the dashboard's own. */
  from: string | undefined;
  to: string | undefined;
  /** Values of the dashboards' variables, as they are shown; several for one name are a choice. */
  variables: ReadonlyMap<string, readonly string[]>;
  /** CSS pixels. */
  width: number;
  /** Folder for the pictures; undefined for docs/images. */
  out: string | undefined;
  /** Also writes what the panels show, as JSON. */
  summary: boolean;
}

export interface Options {
  view: boolean;
  /** Undefined: no pictures of dashboards. */
  dashboards: DashboardOptions | undefined;
}

export const USAGE = `Usage: npm run screenshots [-- PART [options]]

  view                       the local page
  dashboards [NAME...]       the dashboards: ${DASHBOARDS.join(', ')}
  Without PART, both.

Options of dashboards, to look at something else than the pictures in docs/images; they need --out:
${Object.entries(SITUATIONS)
  .map(([name, text]) => `  --data ${name.padEnd(20)}${text}`)
  .join('\n')}
  --from, --to TIME          the time range, e.g. --from now-1d; else the dashboard's own
  --var NAME=VALUE           the value of a variable, as it is shown; again for several values
  --theme dark | light       only this theme
  --width PIXELS             width of the page, 400 to 4000; else 1600
  --out FOLDER               where to write the pictures
  --summary                  also write what each panel shows, as JSON
`;

/** @throws Error that names the wrong value and the legal ones. */
export function parseOptions(args: readonly string[]): Options {
  const [part, ...rest] = args;
  if (part === undefined) return { view: true, dashboards: dashboardOptions([]) };
  if (part === 'view' && rest.length === 0) return { view: true, dashboards: undefined };
  if (part === 'dashboards') return { view: false, dashboards: dashboardOptions(rest) };
  if (part === 'view') throw new Error(`view takes no options, but got ${rest.join(' ')}`);
  throw new Error(`there is no part ${part}; the parts are ${PARTS.join(' and ')}\n\n${USAGE}`);
}

function dashboardOptions(args: readonly string[]): DashboardOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      theme: { type: 'string' },
      var: { type: 'string', multiple: true },
      width: { type: 'string' },
      out: { type: 'string' },
      summary: { type: 'boolean', default: false },
    },
  });
  const { out, summary, ...others } = values;
  const given = Object.keys(others);
  if (out === undefined && (summary || given.length > 0))
    throw new Error(
      `--${given[0] ?? 'summary'} needs --out FOLDER: docs/images has the usual pictures only`,
    );
  const { data = 'month', theme, width = '1600' } = values;
  const pixels = Number(width);
  if (!Number.isInteger(pixels) || pixels < 400 || pixels > 4_000)
    throw new Error(`--width is ${width}; it must be a whole number from 400 to 4000`);
  return {
    dashboards:
      positionals.length > 0 ? positionals.map(oneOf('dashboard', DASHBOARDS)) : DASHBOARDS,
    situation: oneOf('--data', Object.keys(SITUATIONS) as Situation[])(data),
    themes: theme === undefined ? THEMES : [oneOf('--theme', THEMES)(theme)],
    from: values.from && time('--from', values.from),
    to: values.to && time('--to', values.to),
    variables: chosen(values.var ?? []),
    width: pixels,
    out,
    summary,
  };
}

const oneOf =
  <T extends string>(what: string, legal: readonly T[]) =>
  (value: string): T => {
    const found = legal.find((one) => one === value);
    if (found !== undefined) return found;
    throw new Error(`${what} is ${value}; it must be one of ${legal.join(', ')}`);
  };

function time(option: string, value: string): string {
  if (/^now(-\d+[smhdwMy])?$/.test(value)) return value;
  throw new Error(`${option} is ${value}; it must be now, or now-6h, now-30d, now-400d, …`);
}

function chosen(given: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const variables = new Map<string, string[]>();
  for (const one of given) {
    const at = one.indexOf('=');
    const [name, value] = [one.slice(0, at), one.slice(at + 1)];
    if (at < 1 || value === '') throw new Error(`--var is ${one}; it must be NAME=VALUE`);
    variables.set(name, [...(variables.get(name) ?? []), value]);
  }
  return variables;
}
