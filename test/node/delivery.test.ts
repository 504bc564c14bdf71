// Delivery, whatever the endpoint does: a run is sent exactly as it was written; no run is lost
// without being counted; nothing is sent against a status code, the configuration or a switch; the
// user does not wait; and `status` and `flush` say what is wrong. No test measures time: each
// checks the order of events.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/harness/collector.ts';
import {
  type Answer,
  type Received,
  startBlackHole,
  startOtlpServer,
} from '../../scripts/harness/otlp-server.ts';
import { type Env, idle, processesMentioning, until } from '../../scripts/harness/sandbox.ts';
import { type DeliveryState, readDeliveryState } from '../../src/deliver/delivery-state.ts';
import { recordRun } from '../../src/otlp/encode.ts';
import type { Paths } from '../../src/system/paths.ts';
import {
  generate,
  history,
  kinds,
  leavePlaces,
  type Place,
  PREFIX,
  place,
  reported,
  spooled,
  statusOf,
  tell,
} from '../support/delivery.ts';
import { EVENT } from '../support/event.ts';
import { sampled } from '../support/tags.ts';

const DAY_MS = 24 * 3600 * 1000;

afterAll(leavePlaces);

const deliveryOf = ({ box }: Place): DeliveryState =>
  readDeliveryState({ deliveryState: join(box.stateDir, 'delivery.json') } as Paths);
const bodies = (requests: Received[]) => requests.map(({ body }) => body.toString('utf8'));
const timeOf = (body: string) => Number(/"timeUnixNano":"(\d{13})000000"/.exec(body)?.[1]);

/** What a request counts in `lhp.telemetry.lost_runs`, by reason. */
function lossesIn(body: string | undefined): Record<string, number> {
  const metrics = JSON.parse(body ?? '').resourceMetrics[0].scopeMetrics[0].metrics as {
    name: string;
    sum?: { dataPoints: { asInt: number; attributes: { value: { stringValue: string } }[] }[] };
  }[];
  const points =
    metrics.find(({ name }) => name === 'lhp.telemetry.lost_runs')?.sum?.dataPoints ?? [];
  return Object.fromEntries(
    points.map(({ asInt, attributes }) => [attributes[0]?.value.stringValue ?? '', asInt]),
  );
}

/** A run that waits, as the reporter writes it; returns the name of its file in the spool. */
async function waitingRun(where: Place): Promise<string> {
  const { spoolDir, historyDir } = where.box;
  for (const folder of [spoolDir, historyDir]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const newest = Number(spooled(where).at(-1)?.slice(0, 13) ?? 0);
  const timestamp = Math.max(Date.now(), newest + 1);
  const run = await recordRun(EVENT, { timestamp, startedAt: timestamp - 1_000 });
  writeFileSync(join(spoolDir, `${timestamp}.json`), run, { mode: 0o600 });
  return `${timestamp}.json`;
}
/** The same run, recorded at another time: the points have the time of the file's name. */
const asOf = (request: string, timestamp: number) =>
  request.replace(/"(startTimeUnixNano|timeUnixNano)":"\d+"/g, `"$1":"${timestamp}000000"`);
function moveRun({ box }: Place, name: string, timestamp: number): void {
  const request = readFileSync(join(box.spoolDir, name), 'utf8');
  writeFileSync(join(box.spoolDir, `${timestamp}.json`), asOf(request, timestamp), { mode: 0o600 });
  rmSync(join(box.spoolDir, name));
}
const forgetFailures = ({ box }: Place) =>
  writeFileSync(join(box.stateDir, 'delivery.json'), '{"failures":0}');

describe('an endpoint that fails: the user does not wait, and no run is lost', () => {
  interface Trouble {
    endpoint(where: Place): Promise<string>;
    /** Whether the reporter is still running when the wrapper has ended. */
    lasts: boolean;
    problem: RegExp;
  }
  const answering =
    (answer: Answer) =>
    async ({ server }: Place) => {
      server.answers(answer);
      return server.endpoint;
    };
  const holes: { close(): void }[] = [];
  afterAll(() => {
    for (const hole of holes) hole.close();
  });
  const troubles: Record<string, Trouble> = {
    'the connection is refused': {
      endpoint: async () => `http://127.0.0.1:${await freePort()}`,
      lasts: false,
      problem: /^no connection to the collector \(ECONNREFUSED\)$/,
    },
    'connecting gets no answer': {
      endpoint: async () => {
        const hole = await startBlackHole();
        holes.push(hole);
        return hole.endpoint;
      },
      lasts: true,
      problem: /did not answer in time$/,
    },
    'it never answers': {
      endpoint: answering({ instead: 'silence' }),
      lasts: true,
      problem: /did not answer in time$/,
    },
    'it answers too late': {
      endpoint: answering({ delayMs: 4000 }),
      lasts: true,
      problem: /did not answer in time$/,
    },
    'its answer never ends': {
      endpoint: answering({ instead: 'dribble' }),
      lasts: true,
      problem: /did not answer in time$/,
    },
    'it breaks the connection': {
      endpoint: answering({ instead: 'reset' }),
      lasts: false,
      problem: /\(ECONNRESET\)$/,
    },
  };

  sampled(it.concurrent, 6).each(Object.entries(troubles))(
    '%s',
    async (_, { endpoint, lasts, problem }) => {
      const where = await place();
      const trouble = {
        [`${PREFIX}ENDPOINT`]: await endpoint(where),
        [`${PREFIX}TIMEOUT`]: '2500',
      };
      await generate(where, trouble);
      if (lasts) expect(processesMentioning(where.box.dir)).not.toEqual([]);
      await idle(where.box);
      const [name = '', ...more] = spooled(where);
      expect([name, more]).toEqual([expect.stringMatching(/^\d{13}\.json$/), []]);
      const bytes = readFileSync(join(where.box.spoolDir, name), 'utf8');
      const state = await statusOf(where, trouble);
      expect(state.runs).toMatchObject({ waiting: 1, sent: 0, lost: 0 });
      expect(state.delivery).toMatchObject({
        failures: 1,
        problem: expect.stringMatching(problem),
      });
      const attempts = bodies(where.server.requests);

      where.server.answers({});
      await reported(where);
      expect(spooled(where)).toEqual([]);
      expect(kinds(history(where))).toEqual(['.sent.json', '.sent.json']);
      const delivered = bodies(where.server.requests).slice(attempts.length);
      expect(delivered).toHaveLength(2);
      expect([...new Set([...attempts, delivered[0]])]).toEqual([bytes]);
      const after = deliveryOf(where);
      expect(after).toMatchObject({ failures: 0, lastSuccess: expect.any(String) });
      expect(after.problem).toBeUndefined();
    },
  );

  it.concurrent('delivers a backlog oldest first, each run with the same bytes', async () => {
    const where = await place({ script: [{ status: 500 }] });
    const names: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      await reported(where);
      names.push(...spooled(where).filter((name) => !names.includes(name)));
    }
    for (let run = 0; run < 3; run += 1) names.push(await waitingRun(where));
    forgetFailures(where);
    const kept = names.map((name) => readFileSync(join(where.box.spoolDir, name), 'utf8'));
    expect(bodies(where.server.requests)).toEqual([kept[0], kept[0]]);
    where.server.answers({});
    await reported(where);
    const delivered = bodies(where.server.requests).slice(2);
    expect(delivered.slice(0, 5)).toEqual(kept);
    expect(delivered).toHaveLength(6);
    expect(delivered.map(timeOf)).toEqual([...delivered.map(timeOf)].sort((a, b) => a - b));
    expect(delivered.map((body) => `${timeOf(body)}.sent.json`)).toEqual(history(where));
  });

  it.concurrent('backs off after three failures; flush ignores the back-off', async () => {
    const where = await place({ script: [{ status: 500 }] });
    for (let run = 0; run < 3; run += 1) await reported(where);
    const state = await statusOf(where);
    expect(state.delivery).toMatchObject({ failures: 3, retryAt: expect.any(String) });
    expect((await tell(where, ['status'])).stdout).toMatch(/^next attempt: .*3 failures in a row/m);
    const seen = [where.server.requests.length, where.server.connections()];
    where.server.answers({});
    await reported(where);
    expect([where.server.requests.length, where.server.connections()]).toEqual(seen);
    expect(spooled(where)).toHaveLength(4);
    expect(await tell(where, ['flush'])).toEqual({
      status: 0,
      stdout: '4 delivered, none waiting\n',
      stderr: '',
    });
    expect((await statusOf(where)).delivery.retryAt).toBeUndefined();
  });

  it.concurrent('ignores a retryAt beyond the maximum back-off', async () => {
    const where = await place();
    await waitingRun(where);
    const state = { failures: 4, retryAt: new Date(Date.now() + 30 * DAY_MS).toISOString() };
    writeFileSync(join(where.box.stateDir, 'delivery.json'), JSON.stringify(state));
    await reported(where);
    expect(where.server.requests).toHaveLength(2);
  });

  it.concurrent('a killed reporter loses no run and does not block the next one', async () => {
    const where = await place({ script: [{ instead: 'silence' }, {}] });
    await generate(where);
    await untilRequests(where, 1);
    for (const pid of processesMentioning(where.box.dir)) process.kill(pid, 'SIGKILL');
    await idle(where.box);
    const lock = join(where.box.stateDir, 'deliver.lock');
    expect(existsSync(lock)).toBe(true);
    // In a container whose PID 1 does not reap orphans, the killed process still exists; this one
    // does not.
    writeFileSync(lock, String(spawnSync('true').pid));
    await reported(where);
    expect(kinds(history(where))).toEqual(['.sent.json', '.sent.json']);
    expect(bodies(where.server.requests)[1]).toBe(bodies(where.server.requests)[0]);
  });
});

/** As if its owner had been suspended for hours. */
function outdateLock({ box }: Place): void {
  const hoursAgo = new Date(Date.now() - DAY_MS);
  utimesSync(join(box.stateDir, 'deliver.lock'), hoursAgo, hoursAgo);
}

describe('one sender at a time', () => {
  const lockOf = ({ box }: Place) => join(box.stateDir, 'deliver.lock');

  it.concurrent('a sender that lost its lock stops, and does not remove it', async () => {
    const where = await place();
    await waitingRun(where);
    const replace = async () => writeFileSync(lockOf(where), String(process.pid));
    where.server.answers({ after: replace }, {});
    await reported(where);
    expect([where.server.requests.length, kinds(spooled(where))]).toEqual([1, ['.json']]);
    expect(readFileSync(lockOf(where), 'utf8')).toBe(String(process.pid));
  });

  it.concurrent('a sender refreshes its lock before each post', async () => {
    const where = await place();
    await waitingRun(where);
    let age = Number.NaN;
    const look = async () => {
      age = Date.now() - statSync(lockOf(where)).mtimeMs;
    };
    where.server.answers({ after: async () => outdateLock(where) }, { after: look });
    await reported(where);
    expect(where.server.requests).toHaveLength(2);
    expect(age).toBeLessThan(DAY_MS / 2);
  });

  it.concurrent('a lock from the future is stale: the clock was wrong', async () => {
    const where = await place();
    await waitingRun(where);
    writeFileSync(lockOf(where), String(process.pid));
    const tomorrow = new Date(Date.now() + DAY_MS);
    utimesSync(lockOf(where), tomorrow, tomorrow);
    await reported(where);
    expect(kinds(history(where))).toEqual(['.sent.json', '.sent.json']);
  });
});

const untilRequests = ({ server }: Place, count: number) =>
  until(() => server.requests.length >= count, `${count} requests`);

describe('answers', () => {
  const soon = { 'retry-after': '1' };
  sampled(it.concurrent, 6).each<[string, Answer]>([
    ['429 with Retry-After in seconds', { status: 429, headers: soon }],
    ['503 with Retry-After in seconds', { status: 503, headers: soon }],
    ['503 with Retry-After: 0', { status: 503, headers: { 'retry-after': '0' } }],
    [
      '503 with Retry-After as a date',
      { status: 503, headers: { 'retry-after': new Date(0).toUTCString() } },
    ],
    ['502 without', { status: 502 }],
    ['504 without', { status: 504 }],
  ])('%s: repeated within the timeout, with the same bytes', async (_, answer) => {
    const where = await place({ script: [answer, {}] });
    await reported(where);
    const [first, second, ...more] = bodies(where.server.requests);
    expect(more).toEqual([]);
    expect(second).toBe(first);
    expect(kinds(history(where))).toEqual(['.sent.json']);
    expect(deliveryOf(where).failures).toBe(0);
  });

  it.concurrent('Retry-After beyond the timeout: the run waits for a later delivery', async () => {
    const where = await place({ script: [{ status: 429, headers: { 'retry-after': '3600' } }] });
    await reported(where);
    expect(where.server.requests).toHaveLength(1);
    expect(kinds(spooled(where))).toEqual(['.json']);
    expect(deliveryOf(where).problem).toMatch(/overloaded/);
  });

  it.concurrent.each([400, 413])('%i: the run is lost, and counted once', async (status) => {
    const where = await place({ script: [{ status }, {}] });
    await reported(where);
    expect([spooled(where), kinds(history(where))]).toEqual([[], ['.lost-rejected.json']]);
    const refused = await statusOf(where);
    expect(refused.runs).toMatchObject({ waiting: 0, lost: 1 });
    expect(refused.delivery.problem).toBe(`the collector refused a run (HTTP ${status})`);
    await reported(where);
    await reported(where);
    expect(bodies(where.server.requests).map(lossesIn)).toEqual([{}, { rejected: 1 }, {}]);
    expect((await statusOf(where)).runs).toMatchObject({ waiting: 0, sent: 2, lost: 1 });
  });

  // Prometheus 3.16 can answer 400 to a run that it already has
  // (docs/adr/0007-acknowledged-is-stored.md).
  it.concurrent.each<[string, Answer, string]>([
    ['a connection that broke', { instead: 'reset' }, '.sent.json'],
    ['500', { status: 500 }, '.sent.json'],
    ['403, which is an answer', { status: 403 }, '.lost-rejected.json'],
  ])('400 after %s', async (_, first, kind) => {
    const where = await place({ script: [first, { status: 400 }] });
    await reported(where);
    await tell(where, ['flush']);
    expect([spooled(where), kinds(history(where))]).toEqual([[], [kind]]);
  });

  it.concurrent('400 after a refused connection: the run is lost', async () => {
    const where = await place({ script: [{ status: 400 }] });
    await generate(where, { [`${PREFIX}ENDPOINT`]: `http://127.0.0.1:${await freePort()}` });
    await idle(where.box);
    expect(kinds(spooled(where))).toEqual(['.json']);
    await tell(where, ['flush']);
    expect(kinds(history(where))).toEqual(['.lost-rejected.json']);
  });

  it.concurrent('400 to a run that another sender stored at the same time: no loss', async () => {
    const where = await place();
    const settled = () =>
      until(() => !spooled(where).includes(name), 'the slower sender to settle the run');
    where.server.answers(
      { status: 400, after: () => untilRequests(where, 2) },
      { after: () => settled() },
      {},
    );
    await generate(where);
    await untilRequests(where, 1);
    const [name = ''] = spooled(where);
    outdateLock(where);
    await reported(where);
    expect([spooled(where), kinds(history(where))]).toEqual([[], ['.sent.json', '.sent.json']]);
  });

  it.concurrent('400 after a broken connection, with a run in between: no loss', async () => {
    const where = await place({ script: [{ instead: 'reset' }, {}, { status: 400 }] });
    await reported(where, { [`${PREFIX}TIMEOUT`]: '500' });
    const [name = ''] = spooled(where);
    const earlier = Number(name.slice(0, 13)) - 60_000; // a clock was set back
    const request = readFileSync(join(where.box.spoolDir, name), 'utf8');
    writeFileSync(join(where.box.spoolDir, `${earlier}.json`), asOf(request, earlier));
    await tell(where, ['flush']);
    expect(where.server.requests).toHaveLength(3);
    expect([spooled(where), kinds(history(where))]).toEqual([[], ['.sent.json', '.sent.json']]);
  });

  it.concurrent('400 after a broken and then a refused connection: no loss', async () => {
    // While nobody listens, no server of another test may get this port, and with it the run.
    const where = await place({ port: await freePort(), script: [{ instead: 'reset' }] });
    // Attempts after about 0, 1 and 2.5 s, so that the last one comes when nobody listens.
    await generate(where, { [`${PREFIX}TIMEOUT`]: '4000' });
    await untilRequests(where, 1);
    await where.server.close();
    await idle(where.box);
    expect(deliveryOf(where).problem).toMatch(/ECONNREFUSED/);
    where.server = await startOtlpServer({ port: where.server.port, script: [{ status: 400 }] });
    await tell(where, ['flush']);
    expect([spooled(where), kinds(history(where))]).toEqual([[], ['.sent.json']]);
  });

  it.concurrent('a refused run that counted a loss: the next run counts both', async () => {
    const where = await place({ script: [{ status: 400 }, { status: 413 }, {}] });
    for (let run = 0; run < 4; run += 1) await reported(where);
    expect(bodies(where.server.requests).map(lossesIn)).toEqual([
      {},
      { rejected: 1 },
      { rejected: 2 },
      {},
    ]);
  });

  it.concurrent('one refused run of a backlog does not stop the others', async () => {
    const where = await place({ script: [{ status: 400 }, {}] });
    await waitingRun(where);
    await waitingRun(where);
    await reported(where);
    expect(kinds(history(where))).toEqual(['.lost-rejected.json', '.sent.json', '.sent.json']);
    expect((await statusOf(where)).delivery).toMatchObject({ failures: 0 });
  });

  // The connection may also be reset before that answer is read: test/gateway/switches.test.ts,
  // with the real collector.
  sampled(it.concurrent, 2).each([
    'Client sent an HTTP request to an HTTPS server.\n',
    '<center>The plain HTTP request was sent to HTTPS port</center>',
  ])('400 of a server for TLS to plain http: the run waits, and status says why', async (body) => {
    const where = await place({
      script: [{ status: 400, body, headers: { 'content-type': 'text/html' } }, { status: 400 }],
    });
    await reported(where);
    expect(kinds(spooled(where))).toEqual(['.json']);
    expect(deliveryOf(where).problem).toBe(
      'the collector speaks TLS (HTTP 400): the endpoint must begin with https',
    );
    await tell(where, ['flush']);
    expect([spooled(where), kinds(history(where))]).toEqual([[], ['.lost-rejected.json']]);
  });

  sampled(it.concurrent, 16).each([
    [401, /credentials \(HTTP 401\): check headers$/],
    [403, /credentials \(HTTP 403\): check headers$/],
    [404, /path \(HTTP 404\): check the endpoint$/],
    [405, /HTTP 405$/],
    [500, /HTTP 500$/],
    [501, /HTTP 501$/],
    [302, /HTTP 302$/],
    [307, /HTTP 307$/],
    [308, /HTTP 308$/],
  ])('%i: the run waits, status says why, no redirect is followed', async (status, problem) => {
    const elsewhere = await startOtlpServer();
    const where = await place({
      script: [{ status, headers: { location: `${elsewhere.endpoint}/v1/metrics` } }],
    });
    await reported(where);
    await elsewhere.close();
    expect(elsewhere.connections()).toBe(0);
    expect(where.server.requests).toHaveLength(1);
    expect(kinds(spooled(where))).toEqual(['.json']);
    expect(deliveryOf(where).problem).toMatch(problem);
    expect((await tell(where, ['status'])).stdout).toMatch(/^last problem: .*HTTP/m);
    expect(await tell(where, ['flush'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/still waiting/),
    });
    where.server.answers({});
    expect(await tell(where, ['flush'])).toEqual({
      status: 0,
      stdout: '1 delivered, none waiting\n',
      stderr: '',
    });
  });

  sampled(it.concurrent, 6).each([
    ['empty', ''],
    ['the empty object', '{}'],
    ['a large one', `{"partialSuccess":{"errorMessage":"${'y'.repeat(60_000)}"}}`],
    [
      'a partial success without rejected points',
      '{"partialSuccess":{"errorMessage":"be careful"}}',
    ],
  ])('200 with a body that is %s: delivered', async (_, body) => {
    const where = await place({ script: [{ body }] });
    await reported(where);
    expect(kinds(history(where))).toEqual(['.sent.json']);
    expect(deliveryOf(where)).toEqual({ failures: 0, lastSuccess: expect.any(String) });
  });

  it.concurrent('partial success: delivered, and status counts the rejected points', async () => {
    const body = '{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":"duplicate"}}';
    const where = await place({ script: [{ body }, { body }, {}] });
    for (let run = 0; run < 3; run += 1) await reported(where);
    expect(where.server.requests).toHaveLength(3);
    expect(kinds(history(where))).toEqual(['.sent.json', '.sent.json', '.sent.json']);
    expect(deliveryOf(where).rejectedPoints).toBe(4);
    expect((await tell(where, ['status'])).stdout).toMatch(/^rejected: +4 data points/m);
  });
});

describe('files in the spool', () => {
  const at = Date.now() - 60_000;
  const whole = (where: Place) =>
    readFileSync(join(where.box.spoolDir, spooled(where)[0] ?? ''), 'utf8');
  const foreign: Record<string, (where: Place, path: string) => void> = {
    corrupt: (_, path) => writeFileSync(path, 'canary {]'),
    truncated: (where, path) => writeFileSync(path, whole(where).slice(0, -20)),
    empty: (_, path) => writeFileSync(path, ''),
    binary: (_, path) => writeFileSync(path, Buffer.from([0, 255, 254, 1])),
    'too large': (_, path) => writeFileSync(path, JSON.stringify({ canary: 'x'.repeat(70_000) })),
    'JSON of another program': (_, path) => writeFileSync(path, '{"canary":"token"}'),
    'a folder': (_, path) => mkdirSync(path),
    'a link to a file of the user': (where, path) => {
      writeFileSync(join(where.project, 'secrets.json'), '{"canary":"token"}');
      symlinkSync(join(where.project, 'secrets.json'), path);
    },
  };

  sampled(it.concurrent, 12).each(Object.entries(foreign))(
    '%s: not posted, counted as lost, and no obstacle to other runs',
    async (_, make) => {
      const where = await place();
      await waitingRun(where);
      make(where, join(where.box.spoolDir, `${at}.json`));
      await reported(where);
      await reported(where);
      expect(spooled(where)).toEqual([]);
      expect(kinds(history(where))).toEqual([
        '.lost-unreadable.in.json',
        '.sent.json',
        '.sent.json',
        '.sent.json',
      ]);
      const posted = bodies(where.server.requests);
      expect(posted.join('')).not.toContain('canary');
      expect(posted.map(lossesIn)).toEqual([{}, {}, { unreadable: 1 }]);
      // The commands that read the history succeed.
      for (const args of [['show'], ['show', '--format', 'otlp'], ['status', '--json'], ['flush']])
        expect(await tell(where, args)).toMatchObject({ status: 0, stderr: '' });
    },
  );

  it.concurrent('a run from a clock that was ahead waits; flush says why', async () => {
    const where = await place();
    const name = await waitingRun(where);
    const ahead = `${Date.now() + 3_600_000}.json`;
    moveRun(where, name, Number.parseInt(ahead, 10));
    await reported(where);
    expect([spooled(where), kinds(history(where))]).toEqual([[ahead], ['.sent.json']]);
    expect(await tell(where, ['flush'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/1 .*clock/),
    });
    moveRun(where, ahead, Date.now());
    expect(await tell(where, ['flush'])).toMatchObject({ status: 0 });
    expect(kinds(history(where))).toEqual(['.sent.json', '.sent.json']);
  });

  it.concurrent('files with other names are not touched', async () => {
    const where = await place();
    await waitingRun(where);
    const names = ['notes.json', '.hidden', '123.json', `${at}.json.bak`, `${at}-1.json`];
    for (const name of names) writeFileSync(join(where.box.spoolDir, name), '{"canary":1}');
    await reported(where);
    expect(spooled(where)).toEqual([...names].sort());
    expect(bodies(where.server.requests).join('')).not.toContain('canary');
  });

  it.concurrent('older than seven days: lost, and counted once', async () => {
    const where = await place();
    const name = await waitingRun(where);
    const old = Date.now() - 7 * DAY_MS - 60_000;
    renameSync(join(where.box.spoolDir, name), join(where.box.spoolDir, `${old}.json`));
    await reported(where);
    await reported(where);
    expect(history(where)[0]).toMatch(new RegExp(`^${old}\\.lost-expired\\.in-\\d+\\.json$`));
    expect(bodies(where.server.requests).map(lossesIn)).toEqual([{}, { expired: 1 }]);
  });

  const young = Date.now() - DAY_MS;
  sampled(it.concurrent, 6).each<[string, Env]>([
    ['while the collector fails', {}],
    ['while the configuration is wrong', { [`${PREFIX}COMPRESSION`]: 'zip' }],
    ['while the back-off holds', {}],
  ])('more than five thousand, %s: the oldest are given up', async (title, more) => {
    const where = await place({ script: [{ status: 500 }] });
    await waitingRun(where);
    const pieces = asOf(whole(where), young).split(String(young));
    for (let index = 0; index < 5_010; index += 1) {
      const path = join(where.box.spoolDir, `${young + index}.json`);
      writeFileSync(path, pieces.join(String(young + index)));
      // The servers of the tests beside this one answer in this process, too.
      if (index % 50 === 0) await setImmediate();
    }
    if (title.includes('back-off')) {
      const state = { failures: 3, retryAt: new Date(Date.now() + 600_000).toISOString() };
      writeFileSync(join(where.box.stateDir, 'delivery.json'), JSON.stringify(state));
    }
    await reported(where, more);
    expect(spooled(where)).toHaveLength(5_000);
    expect(history(where)).toEqual(
      Array.from({ length: 12 }, (_, index) => `${young + index}.lost-spool_full.json`),
    );
  });

  it.concurrent('are readable by the user only', async () => {
    const where = await place();
    await reported(where, { [`${PREFIX}ENDPOINT`]: `http://127.0.0.1:${await freePort()}` });
    await reported(where, { [`${PREFIX}ENDPOINT`]: 'ftp://127.0.0.1' });
    const modes = (folder: string): string[] =>
      readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);
        return [
          (statSync(path).mode & 0o777).toString(8),
          ...(entry.isDirectory() ? modes(path) : []),
        ];
      });
    expect([...new Set(modes(where.box.stateDir))].sort()).toEqual(['600', '700']);
  });
});
