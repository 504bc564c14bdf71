// certificates.ts: keys and certificates for tests, made anew by the real openssl: two authorities, a server at 127.0.0.1 and a
// client of the first one. File names are those that the switches in collector/ read.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** In `folder`: ca.crt, other.crt, server.{crt,key}, client.{crt,key}, and ca.crt once more as clients.crt. */
export function makeCertificates(openssl: string, folder: string): void {
  const make = (...args: string[]) => {
    const made = spawnSync(openssl, args, { cwd: folder, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`openssl ${args[0]}: ${made.stderr}`);
  };
  for (const ca of ['ca', 'other'])
    make('req', '-x509', ...EC, '-keyout', `${ca}.key`, '-out', `${ca}.crt`, '-days', '2', '-subj', `/CN=${ca}`);
  for (const [name, extension] of [
    ['server', 'subjectAltName=IP:127.0.0.1'],
    ['client', 'extendedKeyUsage=clientAuth'],
  ] as const) {
    make('req', ...EC, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(join(folder, `${name}.ext`), extension);
    make(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-out', `${name}.crt`, '-days', '2', '-extfile', `${name}.ext`],
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
