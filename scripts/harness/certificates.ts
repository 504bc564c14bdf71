// certificates.ts: makes keys and certificates for a test with the real openssl, in the test's own
// folder. The file names are those that the switches in deploy/collector read.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const TWO_DAYS = ['-days', '2'];
/** Name → what it is for (an extension), and how long it is valid. */
type Wanted = Record<string, [extension: string, life: string[]]>;
const SERVER_AND_CLIENT: Wanted = {
  server: ['subjectAltName=IP:127.0.0.1', TWO_DAYS],
  client: ['extendedKeyUsage=clientAuth', TWO_DAYS],
};

/**
 * Makes two authorities, ca.crt (also as clients.crt) and other.crt, and for each name in `wanted`
 * a `<name>.crt`, signed by the first authority, with its `<name>.key`.
 */
export function makeCertificates(
  openssl: string,
  folder: string,
  wanted = SERVER_AND_CLIENT,
): void {
  const make = (...args: string[]) => {
    const made = spawnSync(openssl, args, { cwd: folder, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`openssl ${args[0]}: ${made.stderr}`);
  };
  for (const ca of ['ca', 'other'])
    make(
      'req',
      '-x509',
      ...EC,
      '-keyout',
      `${ca}.key`,
      '-out',
      `${ca}.crt`,
      '-days',
      '3650',
      '-subj',
      `/CN=${ca}`,
    );
  for (const [name, [extension, life]] of Object.entries(wanted)) {
    make('req', ...EC, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(join(folder, `${name}.ext`), extension);
    make(
      ...[
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
      ],
      ...['-out', `${name}.crt`, '-extfile', `${name}.ext`, ...life],
    );
  }
  copyFileSync(join(folder, 'ca.crt'), join(folder, 'clients.crt'));
}

/** What a client of a server with {@link makeCertificates} connects with. */
export const clientTls = (folder: string) => ({
  ca: readFileSync(join(folder, 'ca.crt')),
  cert: readFileSync(join(folder, 'client.crt')),
  key: readFileSync(join(folder, 'client.key')),
});
