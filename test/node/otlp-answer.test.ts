// A 200 counts as stored only with a collector's answer. After the answer of a proxy, a login
// portal or a broken server the run is kept, and the commands say why. No answer makes Node print a
// warning.
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  lhpOtel,
  type OtlpServer,
  startOtlpServer,
} from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import { readAnswer } from '../../src/deliver/otlp-answer.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import type { Status } from '../../src/status.ts';
import { sampled } from '../support/tags.ts';

const PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';
const PAGE = '<!DOCTYPE html><title>canary: please log in</title>';
const boxes: Sandbox[] = [];
const servers: (OtlpServer | Server)[] = [];
afterAll(async () => {
  for (const server of servers) server.close();
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

const read = (text: string, sent = 8) => readAnswer(Buffer.from(text), sent)?.rejectedPoints;

describe('the body of a 200', () => {
  it.each([
    ['', 0],
    ['{}', 0],
    [' {} \n', 0],
    ['{"partialSuccess":{}}', 0],
    ['{"partialSuccess":null}', 0],
    ['{"partialSuccess":{"errorMessage":"be careful"}}', 0],
    ['{"partialSuccess":{"rejectedDataPoints":"2","errorMessage":""}}', 2],
    ['{"partialSuccess":{"rejectedDataPoints":3},"later":"members"}', 3],
    ['{"partialSuccess":{"rejectedDataPoints":null,"errorMessage":null}}', 0],
    ['{"partialSuccess":{"rejectedDataPoints":-5}}', 0],
    ['{"partialSuccess":{"rejectedDataPoints":"-9223372036854775808"}}', 0],
    ['{"partialSuccess":{"rejectedDataPoints":"9223372036854775807"}}', 8],
    ['{"partialSuccess":{"rejectedDataPoints":1e300}}', 8],
  ])('%s: a collector’s answer, with %i rejected points', (text, rejected) =>
    expect(read(text)).toBe(rejected),
  );
  it.each([
    ...[PAGE, '\n<html>', 'OK', '"OK"', '1', '[]', '[{}]', 'null', 'true', '{', '\ufeff{}x', ' '],
    ...['{"error":"please log in"}', '{"captive":true}', '{"partial_success":{}}'],
    ...['{"partialSuccess":[]}', '{"partialSuccess":1}', '{"partialSuccess":"2"}'],
    '{"partialSuccess":{"rejectedDataPoints":{"toString":1}}}',
    '{"partialSuccess":{"rejectedDataPoints":{"valueOf":"1"}}}',
    '{"partialSuccess":{"rejectedDataPoints":[2]}}',
    '{"partialSuccess":{"rejectedDataPoints":true}}',
    '{"partialSuccess":{"rejectedDataPoints":1.5}}',
    '{"partialSuccess":{"rejectedDataPoints":"0x10"}}',
    '{"partialSuccess":{"rejectedDataPoints":"99999999999999999999"}}',
    '{"partialSuccess":{"errorMessage":{"toString":1}}}',
  ])('%s: not a collector’s answer', (text) => expect(read(text)).toBeUndefined());
  it('more than 64 KiB: not a collector’s answer', () =>
    expect(read(`{"partialSuccess":{"errorMessage":"${'x'.repeat(70_000)}"}}`)).toBeUndefined());
  it('bytes that are not UTF-8: not a collector’s answer', () =>
    expect(readAnswer(Buffer.from([0x7b, 0xff, 0x7d]), 8)).toBeUndefined());
});

/** A wrapped generate, then `flush`, `doctor` and `status` against the same endpoint. */
async function delivered(endpoint: string, more: Env = {}) {
  const path = [join(projectRoot, 'test', 'fixtures', 'bin')];
  const box = sandbox({ path, env: { DO: ':' } });
  boxes.push(box);
  const cwd = join(box.dir, 'project');
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'lhp.yaml'), 'name: answers\n');
  const env = { [`${PREFIX}ENDPOINT`]: endpoint, [`${PREFIX}TIMEOUT`]: '3000', ...more };
  const tell = (...args: string[]) => lhpOtel(box, args, { cwd, env });
  const ran = await tell('run', '--', 'lhp', 'generate', '--env', 'dev');
  await idle(box);
  const flushed = await tell('flush');
  const doctor = await tell('doctor', '--json');
  const status = await tell('status', '--json');
  const said = [ran, flushed, doctor, status].map(({ stdout, stderr }) => stdout + stderr).join('');
  expect(said).not.toMatch(/canary|Warning/);
  expect(ran).toEqual({ status: 0, stdout: '', stderr: '' });
  return {
    waiting: readdirSync(box.spoolDir).length,
    flushed,
    request: (JSON.parse(doctor.stdout) as Diagnosis).probes.find(({ name }) => name === 'request'),
    status: JSON.parse(status.stdout) as Status,
  };
}
async function serve(...script: [Answer, ...Answer[]]) {
  const server = await startOtlpServer({ script });
  servers.push(server);
  return server;
}

describe('an answer that is not a collector’s', () => {
  sampled(it.concurrent, 6).each<[string, Answer]>([
    ['a login page', { body: PAGE, headers: { 'content-type': 'text/html' } }],
    ['a page with the content type of JSON', { body: PAGE }],
    ['a login portal’s JSON', { body: '{"captive":true}' }],
    ['a page with status 400', { status: 400, body: PAGE }],
    ['a large page', { body: PAGE + ' '.repeat(5_000_000) }],
    [
      'an object in place of a number',
      { body: '{"partialSuccess":{"rejectedDataPoints":{"toString":1}}}' },
    ],
  ])('%s: the run waits, and each command says why', async (_, answer) => {
    const server = await serve(answer);
    const { waiting, flushed, request, status } = await delivered(server.endpoint);
    const said = /answer.* is not a collector's/;
    expect(waiting).toBe(1);
    expect(status.runs).toMatchObject({ waiting: 1, sent: 0, lost: 0 });
    expect(status.delivery.problem).toMatch(said);
    expect(flushed).toMatchObject({ status: 1, stderr: expect.stringMatching(said) });
    expect(request).toMatchObject({ result: 'failure', detail: expect.stringMatching(said) });
  });

  it.concurrent('an answer that breaks off: the run waits', async () => {
    const cut = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"partial'),
      );
    });
    servers.push(cut);
    await once(cut.listen(0, '127.0.0.1'), 'listening');
    const { port } = cut.address() as { port: number };
    const { waiting, status } = await delivered(`http://127.0.0.1:${port}`);
    expect(waiting).toBe(1);
    expect(status.delivery.problem).toMatch(/broke off/);
  });
});

describe('Retry-After', () => {
  sampled(it.concurrent, 16).each([
    '0',
    '-1',
    '-99999999999',
    '0x10',
    '',
    'soon',
    '1e9',
    '99999999999999999999',
    'NaN',
  ])('"%s": Node does not warn, and few attempts are made', async (after) => {
    const server = await serve({ status: 503, headers: { 'retry-after': after } });
    const { waiting, flushed } = await delivered(server.endpoint);
    expect([waiting, flushed.status]).toEqual([1, 1]);
    expect(flushed.stderr).toMatch(/^lhp-otel: [^\n]*overloaded[^\n]*\n$/);
    // The reporter, flush and doctor: each makes at most 6 attempts within its timeout.
    expect(server.requests.length).toBeLessThanOrEqual(3 * 6);
  });
});
