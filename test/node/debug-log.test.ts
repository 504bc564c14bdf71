// The debug log of the background processes, which the telemetry page calls "logged at debug
// level". It is small and private, `status` names it, `purge` removes it, and it contains no paths
// of projects, names or headers.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/harness/collector.ts';
import { lhpOtel, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import {
  type Env,
  idle,
  projectRoot,
  type Sandbox,
  sandbox,
} from '../../scripts/harness/sandbox.ts';
import type { Status } from '../../src/status.ts';
import { debugLog } from '../../src/system/debug-log.ts';
import { resolvePaths } from '../../src/system/paths.ts';

const GENERATE = ['run', '--', 'lhp', 'generate', '--env', 'dev_jane'];
const DEBUG = { LHP_OTEL_LOG: 'debug' };
const PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';

const boxes: Sandbox[] = [];
afterAll(async () => {
  for (const box of boxes) {
    await idle(box);
    box.dispose();
  }
});

function place() {
  const box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
  boxes.push(box);
  const project = join(box.dir, 'secret-project');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: secret-name\n');
  const log = join(box.stateDir, 'debug.log');
  const ask = async (args: string[], env: Env = {}) => {
    const told = await lhpOtel(box, args, { cwd: project, env });
    await idle(box);
    return told;
  };
  const text = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  return { box, project, log, ask, text };
}

describe('the debug log', () => {
  it.concurrent('does not exist without LHP_OTEL_LOG=debug', async () => {
    const { ask, log } = place();
    await ask(GENERATE);
    expect(existsSync(log)).toBe(false);
    expect((JSON.parse((await ask(['status', '--json'])).stdout) as Status).log).toBeNull();
  });

  it.concurrent('says what happened to a run, and status names the file', async () => {
    const { ask, text, log } = place();
    await ask(GENERATE, DEBUG);
    expect(text()).toMatch(
      /^\S+Z \d+ reporter: started\n\S+Z \d+ \d{13}: local\n\S+Z \d+ reporter: done\n$/,
    );
    expect(statSync(log).mode & 0o777).toBe(0o600);
    expect((await ask(['status'])).stdout).toMatch(new RegExp(`\ndebug log: +${log}\n`));
  });

  it.concurrent('says why counts are missing, and only there', async () => {
    const { ask, text, project } = place();
    const server = await startOtlpServer();
    const generate = () => ask(GENERATE, { [`${PREFIX}ENDPOINT`]: server.endpoint, ...DEBUG });
    await generate();
    expect(text()).not.toContain('counts are missing');
    writeFileSync(join(project, 'lhp.yaml'), 'name: secret-name\ninclude: secret-pattern\n');
    await generate();
    const [line, ...more] = text().match(/^.*counts are missing.*$/gm) ?? [];
    expect(line).toMatch(/^\S+Z \d+ counts are missing: patterns in lhp\.yaml$/);
    expect(more).toEqual([]);
    expect(text()).not.toContain('secret');
    const sent = server.requests.map(({ head, body }) => head + body.toString());
    expect(sent).toHaveLength(2);
    expect(sent.join('\n')).not.toMatch(/missing|patterns/);
    await server.close();
  });

  it.concurrent('contains the errors of a delivery, and no header, path or name', async () => {
    const { ask, text, project } = place();
    const server = await startOtlpServer({ script: [{ status: 401, body: 'canary-answer' }] });
    const headers = { [`${PREFIX}HEADERS`]: 'authorization=Bearer%20canary-token', ...DEBUG };
    await ask(GENERATE, { [`${PREFIX}ENDPOINT`]: server.endpoint, ...headers });
    expect(text()).toMatch(/: later \(.*credentials \(HTTP 401\)/);
    const port = await freePort();
    await ask(GENERATE, {
      [`${PREFIX}ENDPOINT`]: `http://127.0.0.1:${port}`,
      [`${PREFIX}TIMEOUT`]: '300',
      ...headers,
    });
    expect(text()).toMatch(/ECONNREFUSED/);
    for (const secret of ['canary', project, 'secret', 'jane'])
      expect(text()).not.toContain(secret);
    await server.close();
  });

  it.concurrent('contains the error of a reporter that failed', async () => {
    const { ask, text, box } = place();
    const server = await startOtlpServer();
    mkdirSync(box.stateDir, { recursive: true, mode: 0o700 });
    writeFileSync(join(box.stateDir, 'attempts'), 'in the way');
    await ask(GENERATE, { ...DEBUG, [`${PREFIX}ENDPOINT`]: server.endpoint });
    expect(text().split('\n').at(-2)).toMatch(/reporter: failed \(E[A-Z]+\)$/);
    await server.close();
  });

  it.concurrent('contains the messages of the shell hook’s process', async () => {
    const { box, project, text } = place();
    const words = [
      join(projectRoot, 'dist', 'hook-entry.cjs'),
      '1',
      '2',
      'none',
      'lhp',
      'generate',
    ];
    const env = { ...box.env, ...DEBUG } as NodeJS.ProcessEnv;
    await once(spawn(process.execPath, words, { cwd: project, env, stdio: 'ignore' }), 'close');
    await idle(box);
    expect(text()).toMatch(/was started to record this run on this machine/);
    expect(text()).toMatch(/reporter: done/);
  });

  it.concurrent.each<[string, Env]>([
    ['an opt-out', { DO_NOT_TRACK: '1' }],
    ['another command', { WORDS: 'list' }],
  ])('with %s nothing is written', async (_, { WORDS, ...env }) => {
    const { ask, box } = place();
    await ask(WORDS ? ['run', '--', 'lhp', 'list'] : GENERATE, { ...DEBUG, ...env });
    expect(existsSync(box.stateDir)).toBe(false);
  });

  it.concurrent.each([
    ['purge', '--yes'],
    ['purge', '--all', '--yes'],
  ])('%s %s %s removes it', async (...args) => {
    const { ask, log, box } = place();
    await ask(GENERATE, DEBUG);
    expect(existsSync(log)).toBe(true);
    expect(await ask(args.filter(Boolean))).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(log)).toBe(false);
    if (args.includes('--all')) expect(existsSync(box.stateDir)).toBe(false);
  });

  it('is bounded: it loses its older half, by whole lines, and lines are cut', () => {
    const { box, log } = place();
    const host = {
      env: { ...box.env, ...DEBUG },
      platform: process.platform,
      home: box.home,
      cwd: '/',
      systemConfigDir: '/etc',
      now: Date.now,
    };
    const say = debugLog(host, resolvePaths(host));
    for (let i = 0; i < 2_000; i += 1) say(`line ${i} ${'x'.repeat(1_000)}`);
    const text = readFileSync(log, 'utf8');
    expect(text.length).toBeLessThanOrEqual(64 * 1024);
    expect(text).toMatch(/line 1999 /);
    for (const line of text.split('\n').slice(0, -1))
      expect(line).toMatch(/^\d{4}-\S+Z \d+ line \d+ x{200,290}$/);
  });

  it('follows no link, and contains no control character', () => {
    const { box, log } = place();
    const victim = join(box.dir, 'victim');
    writeFileSync(victim, 'precious');
    mkdirSync(box.stateDir, { recursive: true, mode: 0o700 });
    symlinkSync(victim, log);
    const host = {
      env: { ...box.env, ...DEBUG },
      platform: process.platform,
      home: box.home,
      cwd: '/',
      systemConfigDir: '/etc',
      now: Date.now,
    };
    const say = debugLog(host, resolvePaths(host));
    say('\u001b[2J');
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    rmSync(log);
    say('\u001b[2J\nforged');
    expect(readFileSync(log, 'utf8')).toMatch(/ \\u\{1b\}\[2J\\u\{a\}forged\n$/);
  });
});
