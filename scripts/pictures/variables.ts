// variables.ts: resolves the variables of a dashboard, as Grafana does when it opens: the values
// come from the backend, pass the variable's regular expression, and the chosen ones become a part
// of each query.
import type { Chosen, DashboardJson, VariableJson } from './page/json.ts';

/** Seconds since the epoch. */
export interface Range {
  start: number;
  end: number;
}

export type Labels = (selector: string, label: string, range: Range) => Promise<string[]>;

/** Asks Prometheus for the values of a label. */
export const labelsOf =
  (url: string): Labels =>
  async (selector, label, { start, end }) => {
    const asked = new URLSearchParams({
      'match[]': selector,
      start: String(start),
      end: String(end),
    });
    const answer = await fetch(`${url}/api/v1/label/${label}/values?${asked}`);
    if (!answer.ok) throw new Error(`the values of ${label}: ${await answer.text()}`);
    return ((await answer.json()) as { data: string[] }).data;
  };

/** All values of a variable: text and value. */
async function valuesOf(
  { name, type, query, regex = '', options = [] }: VariableJson,
  range: Range,
  labels: Labels,
): Promise<Chosen[]> {
  if (type === 'custom')
    return options
      .map(({ text, value }) => ({ text: String(text), value: String(value) }))
      .filter(({ value }) => value !== '$__all');
  const expression = typeof query === 'string' ? query : (query as { query?: string })?.query;
  const [, selector, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(expression ?? '') ?? [];
  if (selector === undefined || label === undefined)
    throw new Error(`the variable ${name} has a query that pictures do not support: ${expression}`);
  const pattern = regexOf(regex);
  // A variable's query selects by no other variable here.
  const found = await labels(selector, label, range);
  return found.flatMap((value): Chosen[] => {
    if (pattern === undefined) return [{ text: value, value }];
    const groups = pattern.exec(value);
    if (groups === null) return [];
    const named = groups.groups ?? {};
    const first = groups[1] ?? groups[0];
    return [{ text: named.text ?? first, value: named.value ?? first }];
  });
}

/** Grafana's form `/pattern/flags`, or a pattern alone. */
function regexOf(text: string): RegExp | undefined {
  if (text === '') return undefined;
  const [, pattern = text, flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  return new RegExp(pattern, flags.replace('g', ''));
}

/** As Grafana's data source for Prometheus writes a choice of values into a query. */
export function asRegex(values: readonly string[]): string {
  const escaped = values.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\\\$&'));
  return escaped.length === 1 ? (escaped[0] as string) : `(${escaped.join('|')})`;
}

/**
 * The value of each variable: what was asked for, or all. Names that the dashboard does not have
 * are ignored, as Grafana ignores them in a link.
 *
 * @throws Error that names the legal values.
 */
export async function resolve(
  { templating }: DashboardJson,
  asked: ReadonlyMap<string, readonly string[]>,
  range: Range,
  labels: Labels,
): Promise<Record<string, Chosen>> {
  const resolved: Record<string, Chosen> = {};
  for (const variable of templating?.list ?? []) {
    const { name, type, allValue } = variable;
    const wanted = asked.get(name);
    if (type === 'datasource') resolved[name] = { text: 'Prometheus', value: 'prometheus' };
    else if (wanted === undefined) resolved[name] = { text: 'All', value: allValue ?? '.*' };
    else {
      const legal = await valuesOf(variable, range, labels);
      const found = wanted.map((one) => {
        const same = legal.find(({ text, value }) => text === one || value === one);
        if (same !== undefined) return same;
        throw new Error(
          `--var ${name} is ${one}; it must be one of ${legal.map(({ text }) => text).join(', ')}`,
        );
      });
      resolved[name] = {
        text: found.map(({ text }) => text).join(' + '),
        value: asRegex(found.map(({ value }) => value)),
      };
    }
  }
  return resolved;
}

/** @throws Error when no dashboard has a variable of this name. */
export function checkNames(
  dashboards: readonly DashboardJson[],
  asked: ReadonlyMap<string, readonly string[]>,
): void {
  const names = dashboards.flatMap(({ templating }) =>
    (templating?.list ?? []).filter(({ type }) => type !== 'datasource').map(({ name }) => name),
  );
  for (const name of asked.keys())
    if (!names.includes(name))
      throw new Error(
        `--var: there is no variable ${name}; the variables are ${[...new Set(names)].join(', ')}`,
      );
}
