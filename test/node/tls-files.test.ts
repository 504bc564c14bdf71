// The three PEM files of a delivery. If one cannot be used, `status`, `doctor` and `flush` say what
// is wrong with it, in the same words; the reporter keeps the run and notes the problem.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../scripts/harness/certificates.ts';
import { program, secondUser } from '../../scripts/harness/needs.ts';
import { lhpOtel, startOtlpServer } from '../../scripts/harness/otlp-server.ts';
import { type Env, idle, projectRoot, sandbox } from '../../scripts/harness/sandbox.ts';
import { loadConfig } from '../../src/config/config.ts';
import { pemBlocks, tlsFilesOf } from '../../src/config/tls-files.ts';
import { deliver } from '../../src/deliver/deliver.ts';
import { readDeliveryState } from '../../src/deliver/delivery-state.ts';
import type { Status } from '../../src/status.ts';
import { type Host, systemHost } from '../../src/system/host.ts';
import { resolvePaths } from '../../src/system/paths.ts';
import { lacking } from '../support/lacking.ts';

const PREFIX = 'LHP_OTEL_EXPORTER_OTLP_';
const openssl = program('openssl');
const box = sandbox({ path: [join(projectRoot, 'test', 'fixtures', 'bin')], env: { DO: ':' } });
afterAll(async () => {
  await idle(box);
  box.dispose();
});
const file = (name: string) => join(box.dir, name);
const project = file('project');
mkdirSync(project);
writeFileSync(join(project, 'lhp.yaml'), 'name: files\n');

describe('a file that cannot be used', () => {
  if (lacking(openssl)) return;
  makeCertificates(openssl.path, box.dir);
  const tool = (command: string, ...args: string[]) =>
    expect(spawnSync(command, args, { cwd: box.dir }).status).toBe(0);
  const pem = (name: string) => readFileSync(file(name), 'utf8');
  writeFileSync(file('empty.pem'), '\n');
  writeFileSync(file('prose.pem'), 'no certificate');
  writeFileSync(
    file('damaged.pem'),
    `${pem('ca.crt')}${pem('other.crt').replace(/\n.{20}/, '\n!')}`,
  );
  writeFileSync(file('large.pem'), 'x'.repeat(5 * 1024 * 1024));
  mkdirSync(file('folder.pem'));
  tool('mkfifo', 'fifo.pem');
  tool(openssl.path, 'x509', '-in', 'ca.crt', '-outform', 'DER', '-out', 'der.pem');
  tool(
    openssl.path,
    'ec',
    '-in',
    'client.key',
    '-aes256',
    '-passout',
    'pass:canary',
    '-out',
    'locked.pem',
  );
  const pkcs8 = [
    'pkcs8',
    '-topk8',
    '-in',
    'client.key',
    '-passout',
    'pass:canary',
    '-out',
    'locked8.pem',
  ];
  tool(openssl.path, ...pkcs8);

  const where: Host = { ...systemHost(), cwd: project, home: box.home };
  /** What is wrong with these files. */
  const problems = (certificate?: unknown, clientCertificate?: unknown, clientKey?: unknown) => {
    const found: string[] = [];
    const called = (value: unknown, name: string) =>
      value === undefined ? undefined : { value, called: name };
    const files = tlsFilesOf(
      {
        certificate: called(certificate, 'CA'),
        clientCertificate: called(clientCertificate, 'CERT'),
        clientKey: called(clientKey, 'KEY'),
      },
      where,
      found,
    );
    return { files, found };
  };

  it.each<[string, RegExp]>([
    ['nowhere.pem', /not there/],
    ['folder.pem', /not a regular file/],
    ['fifo.pem', /not a regular file/],
    ['empty.pem', /empty/],
    ['prose.pem', /holds no (certificate|private key)/],
    ['der.pem', /holds no (certificate|private key)/],
    ['large.pem', /larger than 4 MiB/],
  ])('%s, as each of the three', (name, why) => {
    const path = file(name);
    const { found } = problems(path, path, path);
    expect(found.map((text) => text.split(' ')[0])).toEqual(['CA', 'CERT', 'KEY']);
    for (const text of found) {
      expect(text).toMatch(why);
      expect(text).toMatch(/it must be a PEM file with/);
      expect(text).toContain(path);
    }
  });
  it.each<[string, unknown[], RegExp[]]>([
    ['a damaged certificate in a bundle', ['damaged.pem'], [/^CA .*certificate 2 of 2 is damaged/]],
    ['a key in place of a certificate', ['client.key'], [/^CA .*holds no certificate/]],
    [
      'a certificate in place of a key',
      [undefined, 'client.crt', 'client.crt'],
      [/^KEY .*holds no private key/],
    ],
    ['a key with a passphrase', [undefined, 'client.crt', 'locked.pem'], [/^KEY .*passphrase/]],
    [
      'a key with a passphrase, in PKCS #8',
      [undefined, 'client.crt', 'locked8.pem'],
      [/^KEY .*passphrase/],
    ],
    [
      'the key of another certificate',
      [undefined, 'client.crt', 'server.key'],
      [/^KEY is not the key of the certificate in /],
    ],
    [
      'a client certificate without a key',
      [undefined, 'client.crt'],
      [/^CERT is set without the key/],
    ],
    [
      'a key without a client certificate',
      [undefined, undefined, 'client.key'],
      [/^KEY is set without a client certificate/],
    ],
    ['all three', ['ca.crt', 'client.crt', 'client.key'], []],
  ])('%s', (_, names, expected) => {
    const paths = names.map((name) => (name === undefined ? undefined : file(name as string)));
    const { found } = problems(...paths);
    expect(found).toEqual(expected.map((text) => expect.stringMatching(text)));
    expect(found.join()).not.toContain('canary');
  });
  it('a relative path is refused, with the absolute path in the message', () => {
    expect(problems('ca.pem').found).toEqual([
      expect.stringContaining(`absolute one is ${JSON.stringify(join(project, 'ca.pem'))}`),
    ]);
    expect(problems('~/ca.pem').found).toEqual([
      expect.stringContaining(JSON.stringify(join(box.home, 'ca.pem'))),
    ]);
  });
  it('a file is read again when it has changed', () => {
    copyFileSync(file('ca.crt'), file('changing.pem'));
    expect(problems(file('changing.pem')).found).toEqual([]);
    writeFileSync(file('changing.pem'), 'gone');
    expect(problems(file('changing.pem')).found).toHaveLength(1);
  });
  it('many BEGIN lines without an END are read in linear time', () => {
    expect(pemBlocks('-----BEGIN CERTIFICATE-----\n'.repeat(140_000))).toEqual([]);
  });

  const tell = (args: string[], env: Env) => lhpOtel(box, args, { cwd: project, env });
  it.each<[string, string, RegExp]>([
    ['CERTIFICATE', 'ca.crt', /a relative path/],
    ['CERTIFICATE', 'folder.pem', /not a regular file/],
    ['CERTIFICATE', 'fifo.pem', /not a regular file/],
    ['CLIENT_CERTIFICATE', 'prose.pem', /holds no certificate/],
    ['CLIENT_KEY', 'empty.pem', /empty/],
  ])(
    '%s=%s: the same words in status, doctor and flush, and the reporter notes a problem',
    async (name, path, why) => {
      const server = await startOtlpServer();
      const value = path === 'ca.crt' ? '../ca.crt' : file(path);
      const env = { [`${PREFIX}ENDPOINT`]: server.endpoint, [PREFIX + name]: value };
      const ran = await tell(['run', '--', 'lhp', 'generate', '--env', 'dev'], env);
      expect(ran).toEqual({ status: 0, stdout: '', stderr: '' });
      await idle(box);
      const status = await tell(['status', '--json'], env);
      const told = [status, await tell(['doctor'], env), await tell(['flush'], env)];
      for (const { status: code, stdout, stderr } of told) {
        expect(code).toBe(1);
        expect(stdout + stderr).toMatch(why);
      }
      expect((JSON.parse(status.stdout) as Status).delivery.problem).toBe(
        'the configuration is wrong',
      );
      expect(server.connections()).toBe(0);
      expect(readdirSync(box.spoolDir).length).toBeGreaterThan(0);
      await server.close();
    },
  );
});

it('a file that is deleted between the check and the delivery: the problem is noted', async () => {
  const server = await startOtlpServer();
  const env = { ...box.env, [`${PREFIX}ENDPOINT`]: server.endpoint.replace('http:', 'https:') };
  const host: Host = { ...systemHost(), env, cwd: project, home: box.home };
  const paths = resolvePaths(host);
  const config = { ...loadConfig(host, paths), certificate: file('gone.pem') };
  mkdirSync(paths.spool, { recursive: true, mode: 0o700 });
  writeFileSync(join(paths.spool, `${Date.now() - 1000}.json`), '{}', { mode: 0o600 });
  expect(await deliver(paths, config, { env, force: true, consented: () => true })).toBe(0);
  expect(readDeliveryState(paths).problem).toBe(
    'TLS cannot be set up with the configured files (ENOENT)',
  );
  expect(server.connections()).toBe(0);
  await server.close();
});

describe('a file that this user may not read', () => {
  const user = secondUser();
  if (lacking(user)) return;
  it('is a problem', () => {
    const path = file('private.pem');
    writeFileSync(path, 'x');
    chmodSync(path, 0o600);
    chmodSync(box.dir, 0o755);
    const module = JSON.stringify(join(projectRoot, 'src', 'config', 'tls-files.ts'));
    const setting = JSON.stringify({ value: path, called: 'CA' });
    const script = `import { tlsFilesOf } from ${module};
    const problems = [];
    tlsFilesOf({ certificate: ${setting} }, { cwd: '/' }, problems);
    console.log(problems.join());`;
    const other = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      uid: user.uid,
      gid: user.gid,
      encoding: 'utf8',
    });
    expect(other.stdout).toMatch(/not readable for you/);
  });
});
