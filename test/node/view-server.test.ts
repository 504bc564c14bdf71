// The server of the local page, without a browser: which requests it accepts, that the request of a
// run is its file byte for byte, what it never sends, how it starts and how it ends.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT, hourly, writeHistory } from '../../scripts/harness/history.ts';
import { secondUser } from '../../scripts/harness/needs.ts';
import {
  cli,
  idle,
  processesMentioning,
  projectRoot,
  type Sandbox,
  sandbox,
  until,
} from '../../scripts/harness/sandbox.ts';
import { ask, startView, type View } from '../../scripts/harness/view.ts';
import { systemHost } from '../../src/system/host.ts';
import { type Data, unpack } from '../../src/view/api.ts';
import { writeRedirect } from '../../src/view/redirect.ts';
import { startServer } from '../../src/view/server.ts';
import { lacking } from '../support/lacking.ts';

const SECRET = 'canary-header-value';
let box: Sandbox;
let project: string;
let view: View;

beforeAll(async () => {
  box = sandbox({ env: { LHP_OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${SECRET}` } });
  project = join(box.dir, 'canary-folder');
  mkdirSync(project);
  writeFileSync(join(project, 'lhp.yaml'), 'name: canary_project\n');
  mkdirSync(join(box.home, '.config', 'lhp-otel'), { recursive: true });
  writeFileSync(
    join(box.home, '.config', 'lhp-otel', 'config.json'),
    JSON.stringify({
      endpoint: 'https://collector.example.com:4318',
      certificate: join(box.home, 'canary.pem'),
    }),
  );
  const runs = hourly([{}, {}, {}, {}]);
  const outcomes = ['sent', 'local', 'lost', 'waiting'] as const;
  await writeHistory(
    box.stateDir,
    runs.map((run, index) => ({ ...run, outcome: outcomes[index] ?? 'local', reason: 'expired' })),
  );
  view = await startView({ cwd: project, env: box.env });
});
afterAll(async () => {
  await view.stop();
  box.dispose();
});

const path = (name: string) => `/${view.token}/${name}`;
const data = async (its = view) => {
  const { runs, state } = JSON.parse(
    (await ask(its.port, `/${its.token}/data`)).body.toString(),
  ) as Data;
  return { runs: unpack(runs), state };
};

describe('which requests are accepted', () => {
  it('those to the printed address: on loopback, with a token of 256 bits', async () => {
    expect(view.origin).toBe(`http://127.0.0.1:${view.port}`);
    expect(Buffer.from(view.token, 'base64url')).toHaveLength(32);
    expect((await ask(view.port, path(''))).status).toBe(200);
    const sockets = readFileSync('/proc/net/tcp', 'utf8') + readFileSync('/proc/net/tcp6', 'utf8');
    const port = view.port.toString(16).toUpperCase().padStart(4, '0');
    const listening = sockets
      .split('\n')
      .filter((line) => new RegExp(`^ *\\d+: [0-9A-F]+:${port} \\S+ 0A `).test(line));
    expect(listening.map((line) => line.trim().split(/[\s:]+/)[1])).toEqual(['0100007F']);
  });

  it('none without the whole token, and the response does not say what is wrong', async () => {
    const { token, port } = view;
    const wrong = [
      ...[
        '/',
        '/data',
        '/favicon.ico',
        '//',
        `/${token.slice(0, -1)}/`,
        `/${token}x/`,
        `/x${token}/`,
      ],
      ...[
        `/${token.toLowerCase()}/`,
        `/${token.slice(1)}/data`,
        `/x/${token}/`,
        `/?${token}`,
        `/%2e%2e/${token}/`,
      ],
    ];
    const answers = await Promise.all(wrong.map((asked) => ask(port, asked)));
    const [first] = answers;
    for (const [index, { status, headers, body }] of answers.entries()) {
      expect(status, wrong[index]).toBe(403);
      expect(body.toString()).toBe(first?.body.toString());
      expect({ ...headers, date: '' }).toEqual({ ...first?.headers, date: '' });
    }
  });

  it.each([
    ...[
      'evil.example:PORT',
      'evil.example',
      '127.0.0.1',
      'localhost',
      '127.0.0.1:1',
      '127.0.0.1:PORT.evil.example',
    ],
    ...[
      'localhost.evil.example:PORT',
      '[::1]:PORT',
      '0.0.0.0:PORT',
      '127.0.0.2:PORT',
      '127.1:PORT',
      'user@127.0.0.1:PORT',
    ],
    ...['2130706433:PORT', '127.0.0.1:0PORT'],
  ])('none with the Host header "%s"', async (name) => {
    const headers = { Host: name.replace('PORT', String(view.port)) };
    const { status, body } = await ask(view.port, path('data'), { headers });
    expect([status, body.toString()]).toEqual([403, (await ask(view.port, '/')).body.toString()]);
  });

  it('none without a Host header, with two of them, or for another server', async () => {
    const host = `Host: 127.0.0.1:${view.port}`;
    const heads = [
      [`GET ${path('data')} HTTP/1.1`],
      [`GET ${path('data')} HTTP/1.0`],
      [`GET ${path('data')} HTTP/1.1`, 'Host:'],
      [`GET ${path('data')} HTTP/1.1`, host, 'Host: evil.example'],
      [`GET ${path('data')} HTTP/1.1`, 'Host: evil.example', host],
      [`GET http://evil.example${path('data')} HTTP/1.1`, host],
      [`CONNECT evil.example:443 HTTP/1.1`, host],
    ];
    for (const head of heads) {
      const answer = await raw(`${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n`);
      expect(answer, head.join()).not.toContain(EVENT.machine_id);
      expect(answer).toMatch(/^(HTTP\/1\.1 40[03] |$)/);
    }
    expect(
      await raw(`GET ${path('data')} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`),
    ).toContain(EVENT.machine_id);
  });

  it('those with the Host header localhost', async () =>
    expect(
      (await ask(view.port, path(''), { headers: { Host: `localhost:${view.port}` } })).status,
    ).toBe(200));
});

/** The response to these bytes. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(view.port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

it('every response forbids foreign scripts, frames, sniffing, caching and referrers', async () => {
  const answers = await Promise.all([
    ask(view.port, path('')),
    ask(view.port, path('data')),
    ask(view.port, path('page.js')),
    ask(view.port, '/'),
    ask(view.port, path('nothing')),
    ask(view.port, path('data'), { method: 'PUT' }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 403, 404, 405]);
  for (const { headers } of answers) {
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    });
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ]),
    );
    expect(policy.filter((part) => /unsafe|http|\*|data:|blob:/.test(part))).toEqual([]);
  }
});

it('accepts GET only, except for the purge', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])
    expect((await ask(view.port, path('data'), { method })).status, method).toBe(405);
  expect((await ask(view.port, path('purge'))).status).toBe(405);
});

it('sends the file of a run byte for byte, and no other file', async () => {
  const files = [box.spoolDir, box.historyDir].flatMap((folder) =>
    readdirSync(folder).map((name) => join(folder, name)),
  );
  expect(files).toHaveLength(4);
  for (const file of files) {
    const [timestamp] = file.split('/').at(-1)?.split('.') ?? [];
    const { body, headers } = await ask(view.port, path(`otlp/${timestamp}`));
    expect(body.equals(readFileSync(file))).toBe(true);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  }
  const others = [
    'otlp/1000000000000',
    'otlp/',
    'otlp/..%2f..%2fmachine-id',
    'otlp/1767571200000/..',
    '../data',
    '..%2fcli.cjs',
    'page.html/',
    'page.html?x',
  ];
  for (const name of others) expect((await ask(view.port, path(name))).status, name).toBe(404);
});

it('sends runs, consent and delivery; no header value, path or name of a project', async () => {
  const { runs, state } = await data();
  expect(runs.map(({ outcome, reason }) => [outcome, reason])).toEqual([
    ['sent', undefined],
    ['local', undefined],
    ['lost', 'expired'],
    ['waiting', undefined],
  ]);
  expect(runs[0]?.event).toEqual(EVENT);
  const name = createHash('sha256').update('canary_project').digest('hex');
  expect(state).toMatchObject({
    mode: 'send',
    // The name of the folder is shown to the user; no run contains it.
    project: { id: name, folder: 'canary-folder' },
    endpoint: 'https://collector.example.com:4318/v1/metrics',
    endpointSource: 'your config.json',
    headers: ['authorization'],
  });
  expect(state.problems).toEqual([expect.stringContaining('~/canary.pem')]);
  expect(state.layers.map(({ decided }) => decided)).not.toContain(true);
  const text = JSON.stringify(state);
  for (const canary of [SECRET, 'canary_project', `${box.dir}/`, box.home, '/canary-folder'])
    expect(text).not.toContain(canary);
});

it('a purge must come from our own page, in JSON, and be confirmed', async () => {
  const headers = {
    Origin: view.origin,
    'Content-Type': 'application/json',
    'Sec-Fetch-Site': 'same-origin',
  };
  const body = '{"confirm":"purge"}';
  const post = async (given: Record<string, string>, sent = body) =>
    (await ask(view.port, path('purge'), { method: 'POST', headers: given, body: sent })).status;
  const { Origin: _, ...originless } = headers;
  expect(await post(originless)).toBe(403);
  const wrong: Record<string, string>[] = [
    { Origin: 'null' },
    { Origin: 'https://evil.example' },
    { Origin: `http://localhost:${view.port}` },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    { Host: `localhost:${view.port}` },
  ];
  for (const part of wrong)
    expect(await post({ ...headers, ...part }), JSON.stringify(part)).toBe(403);
  for (const sent of ['', '{}', '{"confirm":true}', 'x'.repeat(5_000)])
    expect(await post(headers, sent)).toBe(400);
  expect((await ask(view.port, '/x/purge', { method: 'POST', headers, body })).status).toBe(403);
  expect((await data()).runs).toHaveLength(4);
});

describe('start and end', () => {
  it('shows runs that were recorded meanwhile, also if telemetry is off', async () => {
    const off = sandbox({ env: { DO_NOT_TRACK: '1' } });
    const [run] = hourly([{}]);
    if (run) await writeHistory(off.stateDir, [run]);
    const its = await startView({ cwd: off.dir, env: off.env });
    const told = () => data(its);
    expect(await told()).toMatchObject({
      runs: [{ event: EVENT }],
      state: { mode: 'off', project: null },
    });
    expect(
      (await told()).state.layers.filter(({ decided }) => decided).map(({ name }) => name),
    ).toEqual(['DO_NOT_TRACK']);
    await writeHistory(off.stateDir, hourly([{}], 1_700_000_000_000));
    expect((await told()).runs).toHaveLength(2);
    await its.stop();
    off.dispose();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends it with 0, also while the page is open, and it leaves no file behind',
    async (signal) => {
      const empty = sandbox();
      const its = await startView({ cwd: empty.dir, env: empty.env });
      const open = connect(its.port, '127.0.0.1').on('error', () => {});
      await until(() => open.readyState === 'open', 'a connection');
      expect(await its.stop(signal)).toBe(0);
      expect(its.stderr()).toBe('');
      expect(readdirSync(empty.dir, { recursive: true })).toEqual(['home']);
      expect(processesMentioning(empty.dir)).toEqual([]);
      empty.dispose();
    },
  );

  it('uses the given port; a port that is in use or invalid is an error', async () => {
    const run = (port: string) => box.run(['view', '--no-open', '--port', port]);
    const busy = run(String(view.port));
    expect([busy.status, busy.stderr]).toEqual([
      1,
      `lhp-otel: port ${view.port} is in use; give another port from 1 to 65535, or none to use ` +
        'a free one\n',
    ]);
    for (const port of ['0', '65536', '-1', '8o80', '1.5', '1e3', '']) {
      const { status, stderr } = run(port);
      expect(status, port).toBe(2);
      expect(stderr).toContain(`--port takes a port from 1 to 65535, not '${port}'`);
    }
    const free = await startView({ cwd: box.dir, env: box.env });
    await free.stop();
    const again = await startView({ cwd: box.dir, env: box.env }, [
      '--no-open',
      '--port',
      String(free.port),
    ]);
    expect(again.port).toBe(free.port);
    await again.stop();
  });

  /** A user whose xdg-open writes its arguments to a file. */
  function withOpener(afterwards = '') {
    const user = sandbox();
    const bin = join(user.dir, 'bin');
    const opened = join(user.dir, 'opened');
    mkdirSync(bin);
    const note = `printf '%s\\n' "$#" "$@" >'${opened}.part'; mv '${opened}.part' '${opened}'`;
    writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\n${note}\n${afterwards}\n`);
    chmodSync(join(bin, 'xdg-open'), 0o755);
    return { user, opened, env: { ...user.env, PATH: [bin, user.env.PATH].join(delimiter) } };
  }

  /** The one-time address in the file for the browser. */
  const addressIn = (file: string) =>
    /url=(\S+)"/.exec(readFileSync(fileURLToPath(file), 'utf8'))?.[1] ?? '';

  it('opens the browser with a private file that redirects to a one-time address', async () => {
    const { user, opened, env } = withOpener();
    const its = await startView({ cwd: user.dir, env: { ...env, DISPLAY: ':0' } }, []);
    await until(() => existsSync(opened), 'the browser to be opened');
    const [count, file = ''] = readFileSync(opened, 'utf8').split('\n');
    expect(count).toBe('1');
    expect(file).toMatch(/^file:\/\/\/.*\/lhp-otel-view-\w+\/open\.html$/);
    const path = fileURLToPath(file);
    expect([dirname(path), path].map((each) => statSync(each).mode & 0o777)).toEqual([
      0o700, 0o600,
    ]);
    const address = addressIn(file);
    expect(`${file} ${readFileSync(path, 'utf8')}`).not.toContain(its.token);
    const once = new URL(address).pathname;
    expect(file).not.toContain(once.slice(1));
    expect((await ask(its.port, once, { headers: { Host: 'evil.example' } })).status).toBe(403);
    expect((await ask(its.port, once, { method: 'HEAD' })).status).toBe(403);
    const answer = await ask(its.port, once);
    expect([answer.status, answer.headers.location]).toEqual([303, `/${its.token}/`]);
    expect((await ask(its.port, once)).status).toBe(403);
    await until(() => !existsSync(dirname(path)), 'the file to be removed once it was used');
    await its.stop();
    user.dispose();
  });

  it('removes that file when it ends, and prefers XDG_RUNTIME_DIR', async () => {
    const { user, opened, env } = withOpener();
    const runtime = join(user.dir, 'runtime');
    mkdirSync(runtime, { mode: 0o700 });
    const its = await startView(
      { cwd: user.dir, env: { ...env, DISPLAY: ':0', XDG_RUNTIME_DIR: runtime } },
      [],
    );
    await until(() => existsSync(opened), 'the browser to be opened');
    expect(readdirSync(runtime)).toHaveLength(1);
    expect(readFileSync(opened, 'utf8')).toContain(`file://${runtime}/`);
    await its.stop();
    expect(readdirSync(runtime)).toEqual([]);
    user.dispose();
  });

  it('writes no file to a folder that other users can write to', () => {
    const user = sandbox();
    const open = join(user.dir, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const redirect = writeRedirect('http://127.0.0.1:1/x', { env: { XDG_RUNTIME_DIR: open } });
    expect(redirect?.url).not.toContain(open);
    expect(readdirSync(open)).toEqual([]);
    redirect?.remove();
    user.dispose();
  });

  it('the one-time address expires', async () => {
    const user = sandbox();
    const server = await startServer(
      { ...systemHost(), env: user.env },
      0,
      join(projectRoot, 'dist', 'view'),
      50,
    );
    const { port, pathname } = new URL(server.urlOnce);
    expect(await server.used).toBe(false);
    expect((await ask(Number(port), pathname)).status).toBe(403);
    expect((await ask(Number(port), new URL(server.url).pathname)).status).toBe(200);
    server.close();
    user.dispose();
  });

  describe('another user of the machine', () => {
    if (lacking(secondUser())) return;
    it('cannot open the page with what is in command lines', async () => {
      const { uid, gid } = secondUser();
      const { user, opened, env } = withOpener('read _ <"$HOME/hold"');
      chmodSync(user.dir, 0o755);
      spawnSync('mkfifo', [join(user.home, 'hold')]);
      const its = await startView({ cwd: user.dir, env: { ...env, DISPLAY: ':0' } }, []);
      await until(() => existsSync(opened), 'the browser to be opened');
      const file = readFileSync(opened, 'utf8').split('\n')[1] ?? '';
      // The opener keeps running with its arguments until it is told to end.
      const path = fileURLToPath(file);
      const script = `
        for each in /proc/[0-9]*/cmdline; do tr '\\0' '\\n' <"$each"; done 2>/dev/null; echo
        cat '${path}' && echo READ
        ls '${dirname(path)}' && echo LISTED`;
      const spy = spawnSync('sh', ['-c', script], {
        uid,
        gid,
        encoding: 'utf8',
        env: { PATH: '/usr/bin:/bin' },
      });
      expect(spy.stdout).toContain(file);
      expect(spy.stdout).not.toMatch(/^READ$|^LISTED$/m);
      expect(spy.stdout).not.toContain(its.token);
      const words = [...new Set(spy.stdout.match(/[\w-]{20,}/g))];
      const addresses =
        spy.stdout.match(new RegExp(`http://127\\.0\\.0\\.1:${its.port}/\\S*`, 'g')) ?? [];
      for (const secret of [
        ...words,
        ...addresses.map((address) => new URL(address).pathname.slice(1)),
      ])
        expect((await ask(its.port, `/${secret}`)).status).toBe(403);
      // The address still works for the user.
      expect((await ask(its.port, new URL(addressIn(file)).pathname)).status).toBe(303);
      writeFileSync(join(user.home, 'hold'), '\n');
      await its.stop();
      user.dispose();
    });
  });

  it('opens no browser without a display, with --no-open, or without an opener', async () => {
    const { user, opened, env } = withOpener();
    const cases: [Sandbox['env'], string[]][] = [
      [env, []],
      [{ ...env, DISPLAY: ':0' }, ['--no-open']],
      [{ ...env, DISPLAY: ':0', PATH: join(user.dir, 'nothing') }, []],
    ];
    for (const [its, args] of cases) {
      const started = await startView({ cwd: user.dir, env: its }, args);
      expect((await ask(started.port, `/${started.token}/`)).status).toBe(200);
      expect(await started.stop()).toBe(0);
      expect(started.stderr()).toBe('');
    }
    await idle(user);
    expect(existsSync(opened)).toBe(false);
    user.dispose();
  });

  it('its help has an example, and unknown options are rejected', () => {
    const help = spawnSync(process.execPath, [cli, 'view', '--help'], { encoding: 'utf8' });
    expect(help.stdout).toContain('lhp-otel view --port 8000 --no-open');
    expect(box.run(['view', '--public']).status).toBe(2);
  });
});
