// drive.ts: the last days of a simulated fleet → the real gateway and the real Prometheus, started
// from docker-compose.yml, as fast as they take them, in the order in which they would arrive. What
// is stored is compared with what was simulated; what it cost is measured.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DAY } from '../../fleet/assumptions.ts';
import type { Bodies } from '../../fleet/bodies.ts';
import { type Arrival, fleetOf, inOrder } from '../../fleet/delivery.ts';
import type { Fleet } from '../../fleet/machine.ts';
import type { Blocks, Driven } from '../../fleet/measured.ts';
import { POINT_SERIES, tally } from '../../fleet/tally.ts';
import { post } from '../../harness/runs.ts';
import { gatewayServer, type Prometheus, prometheusServer } from '../../harness/stack.ts';
import { cpu, peak, size } from '../measure.ts';
import { deliveriesOf, send } from './send.ts';
import { exactness, truth } from './truth.ts';

/** As old as a run can be when it arrives. */
const LOOK_BACK_DAYS = 9;
const BLOCKS_WITHIN_MS = 120_000;
/** The name of a block; others are being made, or no blocks. */
const ULID = /^[0-9A-Z]{26}$/;
const LOOK_EVERY_MS = 500;

export interface Programs {
  collector: string;
  prometheus: string;
}

/** Drives what arrives in the last days of the fleet's. */
export async function drive(
  programs: Programs,
  fleet: Fleet,
  days: number,
  body: Bodies,
): Promise<Driven> {
  const since = fleet.from + (fleet.days - days) * DAY;
  const parts = [...fleetOf(fleet)].map((one) => ({
    ...one,
    arrivals: one.arrivals.filter(({ at }) => at >= since),
  }));
  const arrivals = inOrder(parts);
  const backend = await prometheusServer(programs.prometheus, { past: true });
  await backend.start();
  const gateway = await gatewayServer(programs.collector, `${backend.url}/api/v1/otlp`);
  await gateway.start();
  const head = watchHead(backend);
  const before = [cpu(gateway.pid()), cpu(backend.pid())] as const;
  const started = performance.now();
  const deliveries = deliveriesOf(arrivals);
  await send(deliveries, ({ run }) => body(run), {
    url: gateway.url,
    connections: 'new',
    senders: 64,
  });
  const seconds = (performance.now() - started) / 1_000;
  const costs = {
    ...{ gatewayCpu: cpu(gateway.pid()) - before[0], backendCpu: cpu(backend.pid()) - before[1] },
    ...{
      gatewayMiB: peak(gateway.pid()),
      backendMiB: peak(backend.pid()),
      headSeries: await head.stop(),
    },
  };
  const { series } = tally(fleet, parts);
  const end = (fleet.from + fleet.days * DAY) / 1_000 + 60;
  const runs = arrivals.map(({ run }) => run);
  const questions = truth({ runs, series, days: LOOK_BACK_DAYS }, 'prometheus');
  const answers = await exactness(backend, questions, end);
  const blocks = await asBlocks(
    backend,
    end,
    await body({ ...(arrivals.at(-1) as Arrival).run, at: Date.now() }),
  );
  await gateway.stop();
  await backend.stop();
  return {
    ...{
      machines: fleet.machines,
      days,
      runs: arrivals.length,
      connections: deliveries.length,
      seconds,
    },
    ...answers,
    ...costs,
    ...{ series, blocks },
  };
}

/** Looks at the number of series in memory all the time. */
function watchHead(backend: Prometheus) {
  let [highest, going] = [0, true];
  const look = async () => {
    const text = await (await fetch(`${backend.url}/metrics`)).text();
    highest = Math.max(highest, Number(/^prometheus_tsdb_head_series (\S+)$/m.exec(text)?.[1]));
  };
  const watching = (async () => {
    while (going) {
      await look();
      await sleep(LOOK_EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      going = false;
      await watching;
      await look();
      return highest;
    },
  };
}

/**
 * What is on disk when it has all become blocks. A snapshot alone has not: it leaves out what came
 * late and is still in memory. Prometheus makes blocks of that when its newest sample is hours
 * ahead of its oldest, so one more run is sent, of now.
 */
async function asBlocks(backend: Prometheus, end: number, last: Uint8Array): Promise<Blocks> {
  const samples = await backend.value(
    `${POINT_SERIES} * sum(count_over_time(lhp_generate_runs_total[450d])) + ` +
      'sum(count_over_time(target_info[450d]))',
    end,
  );
  if (samples === undefined) throw new Error('nothing is stored');
  const answer = await post(`${backend.url}/api/v1/otlp`, last);
  if (answer !== '200') throw new Error(`the last run was answered ${answer}`);
  for (
    const deadline = Date.now() + BLOCKS_WITHIN_MS;
    Date.now() < deadline;
    await sleep(LOOK_EVERY_MS)
  ) {
    const blocks = blocksOf(join(backend.folder, 'prometheus'));
    if (blocks?.samples === samples) return blocks;
  }
  throw new Error(`not all in blocks after ${BLOCKS_WITHIN_MS / 1_000} s`);
}

/** Undefined while blocks come and go. */
function blocksOf(folder: string): Blocks | undefined {
  const total: Blocks = { chunkBytes: 0, indexBytes: 0, series: 0, samples: 0 };
  try {
    for (const block of readdirSync(folder).filter((name) => ULID.test(name))) {
      const { stats } = JSON.parse(readFileSync(join(folder, block, 'meta.json'), 'utf8')) as {
        stats: { numSeries: number; numSamples: number };
      };
      total.chunkBytes += size(join(folder, block, 'chunks'));
      total.indexBytes += size(join(folder, block, 'index'));
      total.series += stats.numSeries;
      total.samples += stats.numSamples;
    }
    return total;
  } catch (error) {
    // merged into another meanwhile
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
