// Output: text from files and arguments cannot control the terminal, in any command; output that
// cannot be written is a failure; and all output goes through the functions of print.ts and log.ts,
// so this is true for every new command.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT, hourly, runAt, writeHistory } from '../../scripts/harness/history.ts';
import { program } from '../../scripts/harness/needs.ts';
import { cli, projectRoot, type Sandbox, sandbox } from '../../scripts/harness/sandbox.ts';
import { runLines } from '../../src/history/show-text.ts';
import { printable } from '../../src/system/log.ts';
import { jsonText } from '../../src/system/print.ts';
import { lacking } from '../support/lacking.ts';
import { openTerminal } from '../support/pty.ts';
import { sampled } from '../support/tags.ts';

/**
 * Title of the window, colour, clear, C1 CSI, right-to-left, isolate, line separator, lines of
 * their own, tag, zero width, DEL.
 */
const HOSTILE =
  '\x1b]0;owned\x07\x1b[31m\x1b[2J\x9b31m\u202egnp\u2066\u2028\r\nlhp-otel: all is ' +
  'well\u{e0041}\u200b\x7f';
/** Characters that no line of output may contain. */
const ACTING = /[^\n\P{Cc}]|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/u;

describe('no other file writes to stdout or stderr', () => {
  const src = join(projectRoot, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith('view/page/'),
  );
  const streams =
    /\b(stdout|stderr|stream|terminal|tty|output)\w*\s*(\?\.|\.)\s*(write|end|pipe)\b|\.pipe\(/;
  const descriptors =
    /writeSync\(\s*[12]\b|writeFileSync\(\s*[12]\b|createWriteStream|\/dev\/(tty|std|fd)/;
  const globals =
    /console\s*(\?\.|\.)|output:\s*process\.|process\._rawDebug|emitWarning|outputError/;
  const ways = new RegExp([streams, descriptors, globals].map(({ source }) => source).join('|'));
  it.each(files)('%s', (name) => {
    const found = readFileSync(join(src, name), 'utf8')
      .split('\n')
      .filter((line) => ways.test(line) && !/^\s*(\/\/|\*|\/\*\*)/.test(line));
    const known = { 'system/log.ts': 1, 'system/print.ts': 3 }[name] ?? 0;
    expect(found, found.join('\n')).toHaveLength(known);
  });
  it('the pattern finds each way to write', () => {
    for (const line of [
      'process.stdout.write(text)',
      'stderr?.write(text)',
      'console.error(text)',
      'writeSync(2, text)',
      "openSync('/dev/tty')",
      'createInterface({ output: process.stdout })',
      'child.stdout.pipe(other)',
      'stream.write(text)',
    ])
      expect(line).toMatch(ways);
  });
});

describe('untrusted text', () => {
  let box: Sandbox;
  let project: string;
  const boxes: Sandbox[] = [];
  afterAll(() => {
    for (const each of boxes) each.dispose();
  });
  beforeAll(async () => {
    box = await place();
    project = join(box.dir, HOSTILE.replaceAll('\0', ''));
    mkdirSync(project);
    writeFileSync(join(project, 'lhp.yaml'), `name: ${JSON.stringify(HOSTILE)}\n`);
  });

  async function place(): Promise<Sandbox> {
    const its = sandbox({ env: { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' } });
    boxes.push(its);
    const waiting = runAt(Date.now() - 60_000, { environment: 'prod' });
    const old = Date.now() - 90_000_000;
    const runs = [
      ...hourly([{}, {}, {}, {}], old - 14_400_000),
      ...hourly(Array(4).fill({ lhp_version: '0.9.4' }), old),
    ];
    await writeHistory(its.stateDir, [...runs, { ...waiting, outcome: 'waiting' }]);
    // Words in a recorded run.
    const [file = ''] = readdirSync(its.historyDir);
    const tampered = readFileSync(join(its.historyDir, file), 'utf8')
      .replaceAll('"dev"', JSON.stringify(HOSTILE))
      .replaceAll('"0.9.3"', JSON.stringify(HOSTILE))
      .replaceAll(`"${EVENT.machine_id}"`, `"\u202e\x9b\u{e0041}"`);
    writeFileSync(join(its.historyDir, `${Date.now() - 1000}.local.json`), tampered);
    // Names of files.
    for (const folder of [its.stateDir, its.spoolDir, its.historyDir])
      writeFileSync(join(folder, `x${HOSTILE}`), '');
    const config = join(its.home, '.config', 'lhp-otel');
    mkdirSync(config, { recursive: true });
    writeFileSync(join(config, HOSTILE), '');
    // Keys and values of files.
    writeFileSync(
      join(config, 'config.json'),
      JSON.stringify({ [HOSTILE]: 1, headers: { [HOSTILE]: 'x' } }),
    );
    const problem = `the collector said ${HOSTILE}`;
    const retryAt = new Date(Date.now() + 3_600_000).toISOString();
    writeFileSync(
      join(its.stateDir, 'delivery.json'),
      JSON.stringify({ failures: 3, problem, lastFailure: HOSTILE, lastSuccess: HOSTILE, retryAt }),
    );
    return its;
  }

  const COMMANDS = [
    ['status'],
    ['status', '--json'],
    ['doctor'],
    ['doctor', '--json'],
    ['show', '--last', '3'],
    ['show', '--last', '1', '--format', 'otlp'],
    ['stats'],
    ['stats', '--json'],
    ['flush'],
    ['show', '--preview', HOSTILE],
    ['hook', HOSTILE],
    ['run', '--', 'lhp', '-v', 'generate', '--env', HOSTILE],
    ['purge', '--all', '--yes'],
  ];

  sampled(it, 6).each(COMMANDS)('%s %s prints it as text', (...words) => {
    const ran = box.run(words, { cwd: project });
    expect(`${ran.stdout}${ran.stderr}`).not.toMatch(ACTING);
    expect(`${ran.stdout}${ran.stderr}`).not.toMatch(/^lhp-otel: all is well/m);
    expect(`${ran.stdout}${ran.stderr}`).not.toBe('');
  });

  it('JSON keeps the value', async () => {
    const other = await place();
    const status = JSON.parse(other.run(['status', '--json'], { cwd: project }).stdout);
    expect(status.project).toBe(project);
    expect(status.delivery.problem).toContain(HOSTILE);
    // A file that is not a recorded run is skipped.
    expect(JSON.parse(other.run(['show', '--last', '1']).stdout)).toMatchObject({
      environment: 'prod',
    });
  });

  it.each([undefined, 2])(
    'JSON of any value contains no control character and parses to it (indented by %s)',
    (indent) => {
      const value = {
        [HOSTILE]: HOSTILE,
        '': ['\ud800', '\u{1d11e}', 'ä€\u00a0', '\\u202e', '\\\u202e', 1, null],
      };
      expect(jsonText(value, indent)).not.toMatch(ACTING);
      expect(JSON.parse(jsonText(value, indent))).toEqual(value);
    },
  );

  it('a recorded word is text in the lines of show', () => {
    const run = runAt(0, { environment: HOSTILE, lhp_version: HOSTILE, project_id: HOSTILE });
    const lines = runLines(run, run.event, { id: HOSTILE, folder: HOSTILE }, 80).map((line) =>
      (typeof line === 'string' ? [line] : line).map((part) =>
        printable(typeof part === 'string' ? part : part.text),
      ),
    );
    expect(lines.flat().join('\n')).not.toMatch(ACTING);
    expect(JSON.parse(lines.slice(1).flat().join('\n'))).toEqual(run.event);
  });

  describe('on a terminal', () => {
    if (lacking(program('python3'))) return;
    it.each([
      ['status'],
      ['doctor'],
      ['show'],
      ['show', '--format', 'otlp'],
      ['stats'],
      ['purge', '--all'],
    ])('%s %s prints no escape sequence but our own', async (...words) => {
      const its = await place();
      const env = { ...its.env, LC_ALL: 'C.UTF-8' } as NodeJS.ProcessEnv;
      const terminal = openTerminal([process.execPath, cli, ...words], { cwd: project, env });
      if (words[0] === 'purge') {
        await terminal.expect('Go on? [y/N] ');
        terminal.type('n\r');
      }
      await terminal.ended();
      const text = Buffer.from(terminal.shown(), 'latin1')
        .toString('utf8')
        .replaceAll('\r\n', '\n');
      // Our own: bold, red, green and their ends; and what readline prints before its question.
      const own = ['1m', '22m', '31m', '32m', '39m', '1G', '0J'].map((code) => `\x1b[${code}`);
      const [before = ''] = text.split('Go on?');
      expect(own.reduce((rest, code) => rest.replaceAll(code, ''), before)).not.toMatch(ACTING);
      expect(stripVTControlCharacters(before)).not.toMatch(/^lhp-otel: all is well/m);
    });
  });
});

describe('at 80 columns', () => {
  if (lacking(program('python3'))) return;
  // An endpoint with a warning that is longer than a line: a header, and a port that any user can
  // listen on.
  const endpoint = { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:59999' };
  const box = sandbox({ env: { ...endpoint, LHP_OTEL_EXPORTER_OTLP_HEADERS: 'a=b' } });
  afterAll(() => box.dispose());
  it.each([
    ['status', 15],
    ['doctor', 24],
  ])('%s breaks lines between words, and indents what follows', async (word, column) => {
    const open = { cwd: box.dir, env: box.env as NodeJS.ProcessEnv };
    const terminal = openTerminal([process.execPath, cli, word], open);
    await terminal.ended();
    const shown = terminal.shown().trimEnd().split('\r\n');
    // Without the notice, which the first command on a terminal prints.
    const lines = shown.filter((line) => !line.startsWith('lhp-otel: '));
    expect(lines.filter((line) => line.length > 80 && line.slice(column).includes(' '))).toEqual(
      [],
    );
    const broken = lines.filter((line) => line.startsWith(' '.repeat(column)));
    expect(broken.length).toBeGreaterThan(0);
    const joined = lines.join('\n').replaceAll(`\n${' '.repeat(column)}`, ' ');
    const times = (text: string) => text.replace(/\d+ MiB left/, '');
    expect(times(joined)).toBe(times(box.run([word]).stdout.trimEnd()));
  });
});

describe('output that cannot be written', () => {
  const box = sandbox({ env: { LHP_OTEL_EXPORTER_OTLP_ENDPOINT: undefined } });
  afterAll(() => box.dispose());
  beforeAll(() =>
    writeHistory(box.stateDir, hourly(Array(40).fill({}), Date.now() - 50 * 3_600_000)),
  );
  const to = (redirection: string, words: string[]) =>
    spawnSync('sh', ['-c', `"$@" ${redirection}`, 'sh', process.execPath, cli, ...words], {
      cwd: box.dir,
      env: box.env as NodeJS.ProcessEnv,
      encoding: 'utf8',
    });
  const PRINTING = [
    ['show'],
    ['show', '--format', 'otlp'],
    ['stats'],
    ['stats', '--json'],
    ['completion', 'bash'],
    ['completion', 'zsh'],
    ['hook', 'bash'],
    ['help'],
    ['show', '--help'],
    ['status', '--help'],
    ['--version'],
  ];
  const ANSWERING = [['status'], ['status', '--json'], ['doctor'], ['flush'], ['on']];
  sampled(it, 8).each([...PRINTING, ...ANSWERING])(
    '%s %s to a full disk is a failure that says why',
    (...words) => {
      expect(to('>/dev/full', words)).toMatchObject({
        status: 1,
        stderr: 'lhp-otel: the output could not be written: no space left on device (ENOSPC)\n',
      });
    },
  );
  it('off still switches off', () => {
    const off = sandbox();
    const words = ['-c', '"$@" off >/dev/full', 'sh', process.execPath, cli];
    expect(spawnSync('sh', words, { env: off.env as NodeJS.ProcessEnv }).status).toBe(1);
    expect(off.run(['status']).stdout).toContain('lhp-otel off');
    off.dispose();
  });
  it('view ends if its address cannot be printed', () =>
    expect(to('>/dev/full', ['view', '--no-open']).stderr).toContain(
      'no space left on device (ENOSPC)',
    ));
  sampled(it, 8).each(PRINTING)(
    '%s %s to a closed descriptor is a failure that says so',
    (...words) => {
      expect(to('>&-', words)).toMatchObject({
        status: 1,
        stderr: 'lhp-otel: stdout is closed: the output cannot be written\n',
      });
    },
  );
  sampled(it, 8).each([...PRINTING, ...ANSWERING])(
    '%s %s to /dev/null is no failure',
    (...words) => {
      expect(to('>/dev/null', words)).toMatchObject({ status: 0, stderr: '' });
    },
  );
  it.each([['show', '--last', '40', '--format', 'otlp'], ['stats', '--json'], ['help']])(
    '%s %s to a closed pipe is no failure',
    (...words) => {
      const ran = spawnSync(
        'bash',
        ['-c', `"$@" | head -c 1; exit \${PIPESTATUS[0]}`, 'bash', process.execPath, cli, ...words],
        {
          env: box.env as NodeJS.ProcessEnv,
          encoding: 'utf8',
        },
      );
      expect(ran).toMatchObject({ status: 0, stderr: '' });
    },
  );
});
