// ci.ts: npm run bench -- ci. Shows how many runs are lost when CI jobs of one identity record at
// the same time, because two runs with one series and one millisecond are one run to a backend, and
// how many series it costs to lose fewer. First by simulation, then through the real collector and
// Prometheus, with the requests that the client's own code makes.
import { exampleEvent, slotName } from '../../src/contract/contract.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import { MONTH, RETENTION } from '../fleet/assumptions.ts';
import {
  BEFORE,
  BURSTS,
  type Burst,
  DESIGNS,
  type Design,
  distinct,
  lostShare,
  NOT_NUMBERED,
  NUMBERED,
  runsOf,
  WITHOUT,
} from '../fleet/bursts.ts';
import { fleetOf } from '../fleet/delivery.ts';
import { tally } from '../fleet/tally.ts';
import { DAY, deliver, digest, HOUR, sumOf } from '../harness/runs.ts';
import { gatewayServer, type Prometheus, prometheusServer } from '../harness/stack.ts';
import { ensureCollector, ensurePrometheus } from '../setup/install.mjs';
import { table } from './measure.ts';

const MACHINES = 1_000;
const SEED = 1;
/** Of each kind of burst, so many runs go through the real servers. */
const REAL_RUNS = 2_000;
const REAL_DESIGNS = [BEFORE, WITHOUT, NUMBERED, NOT_NUMBERED];

export async function ci(): Promise<void> {
  simulated();
  series();
  const backend = await prometheusServer(await ensurePrometheus());
  await backend.start();
  const gateway = await gatewayServer(await ensureCollector(), `${backend.url}/api/v1/otlp`);
  await gateway.start();
  await real(backend, gateway.url);
  await gateway.stop();
  await backend.stop();
}

const heads = (burst: Burst) => `${burst.name}${burst.realistic ? '' : ' *'}`;

function simulated(): void {
  table(
    'lost of 10,000 runs of one identity, simulated (* more than a fleet is expected to have)',
    ['design', ...BURSTS.map(heads)],
    DESIGNS.map((design) => [
      design.name,
      ...BURSTS.map((burst) => (lostShare(burst, design) * 10_000).toFixed(2)),
    ]),
  );
}

/** Series of a fleet of people and CI images, by the load model. */
function series(): void {
  const seriesIn = (days: number, slots?: number) => {
    const fleet = { machines: MACHINES, seed: SEED, from: 0, days, ...(slots && { slots }) };
    return tally(fleet, fleetOf(fleet));
  };
  const before = [MONTH, RETENTION].map((days) => seriesIn(days, BEFORE.slots).series);
  table(
    `series of ${MACHINES} machines in ${MONTH} days and in ${RETENTION}`,
    ['slots', 'series', 'fewer', 'of CI', 'series', 'fewer', 'of CI'],
    [256, 16, 8, 4, 1, undefined].map((slots) => [
      slots === undefined ? 'as the client draws them' : String(slots),
      ...[MONTH, RETENTION].flatMap((days, i) => {
        const counted = seriesIn(days, slots);
        const share = (part: number) => `${(100 * part).toFixed(1)} %`;
        return [
          counted.series.toLocaleString('en'),
          share(1 - counted.series / (before[i] as number)),
          share(counted.ciSeries / counted.series),
        ];
      }),
    ]),
  );
}

async function real(backend: Prometheus, url: string): Promise<void> {
  // A whole second, because the digits of a millisecond count.
  const from = Math.floor((Date.now() - DAY) / 1_000) * 1_000;
  const rows: string[][] = [];
  for (const [i, design] of REAL_DESIGNS.entries()) {
    const cells: string[] = [];
    let refused = 0;
    for (const [j, burst] of BURSTS.entries()) {
      const environment = `d${i}-b${j}`;
      const { bodies, known } = await requests(burst, design, from, environment);
      const answers = await deliver(bodies, () => url, { again: true });
      const counted = await backend.value(
        sumOf(`lhp_generate_runs_total{deployment_environment_name="${environment}"}`),
        (from + DAY + HOUR) / 1_000,
      );
      cells.push(`${bodies.length - (counted ?? 0)} (${bodies.length - known})`);
      refused += answers.get('400') ?? 0;
    }
    rows.push([design.name, ...cells, String(refused)]);
  }
  table(
    `lost of ${REAL_RUNS} runs through the collector and Prometheus (and simulated)`,
    ['design', ...BURSTS.map(heads), 'refused'],
    rows,
  );
}

/** Each burst is of a project of its own, so that they do not meet. */
async function requests(burst: Burst, design: Design, from: number, environment: string) {
  const times = Array.from({ length: Math.ceil(REAL_RUNS / burst.jobs) }, (_, time) => time);
  const bursts = times.map((time) => runsOf(burst, design, from, time));
  const bodies = await Promise.all(
    bursts.flatMap((runs, time) =>
      runs.map(({ slot, at, startedAt }, i) =>
        recordRun(
          {
            ...exampleEvent(),
            ...{ is_ci: true, environment, project_id: digest(`project ${time}`) },
            generation_time_seconds: 2 + i / 1_000,
          },
          { timestamp: at, startedAt, slot: slotName(slot) },
        ),
      ),
    ),
  );
  return { bodies, known: bursts.reduce((sum, runs) => sum + distinct(runs), 0) };
}
