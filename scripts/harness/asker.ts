// asker.ts: asks a backend that has the query API of Prometheus.

export interface Asker {
  /** An instant query at a time (seconds; now when left out): the samples, in no order. */
  query(expression: string, time?: number): Promise<Sample[]>;
  /** The single value of an instant query; undefined when there is none. */
  value(expression: string, time?: number): Promise<number | undefined>;
  /** A query over time: its series, in no order. */
  series(expression: string, over: Steps): Promise<Series[]>;
  /** The values of a query over time that has one series. */
  range(expression: string, over: Steps): Promise<number[]>;
}

/** In seconds. */
interface Steps {
  start: number;
  end: number;
  step: number;
}

interface Series {
  metric: Record<string, string>;
  values: [seconds: number, value: string][];
}

interface Sample {
  metric: Record<string, string>;
  value?: [number, string];
  histogram?: [number, { count: string; sum: string }];
}

/** Asks the backend whose query API is below this URL. */
export function asker(url: () => string, headers: Record<string, string> = {}): Asker {
  const ask = async <Result>(path: string, query: string, more: Record<string, number>) => {
    const given = Object.entries(more).map(([name, value]) => [name, String(value)]);
    const body = new URLSearchParams({ query, ...Object.fromEntries(given) });
    const answer = await fetch(`${url()}/api/v1/${path}`, { method: 'POST', body, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${query}: ${answer.status} ${text}`);
    return (JSON.parse(text) as { data: { resultType: string; result: Result[] } }).data;
  };
  const query = async (expression: string, time?: number) => {
    const { resultType, result } = await ask<Sample>(
      'query',
      expression,
      time === undefined ? {} : { time },
    );
    return resultType === 'vector' ? result : [];
  };
  const series = async (expression: string, { start, end, step }: Steps) =>
    (await ask<Series>('query_range', expression, { start, end, step })).result;
  return {
    query,
    series,
    value: async (expression, time) => {
      const samples = await query(expression, time);
      if (samples.length > 1) throw new Error(`${expression} has ${samples.length} values`);
      const value = samples[0]?.value?.[1];
      return value === undefined ? undefined : Number(value);
    },
    range: async (expression, over) => {
      const result = await series(expression, over);
      if (result.length > 1) throw new Error(`${expression} has ${result.length} series`);
      return (result[0]?.values ?? []).map(([, value]) => Number(value));
    },
  };
}
