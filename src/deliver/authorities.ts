// authorities.ts: whom a delivery trusts to vouch for the collector's certificate: the configured
// file and nobody else, or the system's authorities, Node's own list, and what NODE_EXTRA_CA_CERTS,
// SSL_CERT_FILE and SSL_CERT_DIR add to them. Read here and handed to TLS, so that it is the same
// whatever Node was started with: NODE_USE_SYSTEM_CA and --use-system-ca ask for what counts
// anyway.
import { readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { MAX_PEM_BYTES, pemBlocks } from '../config/tls-files.ts';
import { errorCode } from '../system/error.ts';
import { readRegular } from '../system/files.ts';
import { type Env, EXTRA_AUTHORITIES, OUR_EXTRA_AUTHORITIES } from '../system/host.ts';

export interface Authorities {
  /** As a sentence names them: "trusted by …". */
  called: string;
  /** PEM. */
  certificates: string[];
  /** What was named and could not be read, with the reason. */
  unreadable?: string;
}

/** Where the systems keep their bundle: Debian, Fedora, openSUSE, OpenELEC, CentOS, Alpine. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const FOLDERS = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
/** Systems have some hundred files there. */
const MAX_FILES = 5_000;

/** Those whose name fits best come first: an authority is often in several lists. */
export function authorities(certificate: string | undefined, env: Env): Authorities[] {
  if (certificate !== undefined)
    return [{ called: certificate, certificates: blocksOf(read(certificate)) }];
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders } = env;
  const extra = env[OUR_EXTRA_AUTHORITIES] || env[EXTRA_AUTHORITIES];
  return [
    ...(extra ? [named(EXTRA_AUTHORITIES, [extra])] : []),
    ...(file ? [named('SSL_CERT_FILE', [file])] : []),
    ...(folders
      ? [named('SSL_CERT_DIR', folders.split(delimiter).filter(Boolean).flatMap(filesIn))]
      : []),
    { called: "the system's authorities", certificates: systemCertificates() },
    { called: "Node's own list of authorities", certificates: getCACertificates('bundled') },
  ];
}

function systemCertificates(): string[] {
  if (process.platform === 'darwin' || process.platform === 'win32')
    return getCACertificates('system');
  // Not by Node here: it reads each file of a folder, takes 20 ms for it, and waits for a FIFO for
  // ever.
  const bundle = BUNDLES.find(isFile);
  return (bundle ? [bundle] : FOLDERS.flatMap(filesIn)).flatMap(blocksIn);
}

/** Files that a variable names. */
function named(variable: string, paths: string[]): Authorities {
  const called = `the authorities of ${variable}`;
  const certificates = paths.flatMap(blocksIn);
  if (certificates.length > 0) return { called, certificates };
  return { called, certificates, unreadable: `${variable} (${whyNone(paths)})` };
}

function whyNone([path]: string[]): string {
  if (path === undefined) return 'holds no certificate';
  try {
    read(path);
    return 'holds no certificate';
  } catch (error) {
    return errorCode(error) ?? 'cannot be read';
  }
}

function filesIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).sort().slice(0, MAX_FILES);
    return names.map((name) => join(folder, name));
  } catch {
    return []; // not there, or not ours to read
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function blocksIn(path: string): string[] {
  try {
    return blocksOf(read(path));
  } catch {
    return []; // TLS says what comes of it, and doctor that the file was not read
  }
}

const read = (path: string) => readRegular(path, { maxBytes: MAX_PEM_BYTES }).toString('latin1');

const blocksOf = (text: string): string[] =>
  pemBlocks(text).flatMap(({ label, text: block }) =>
    /\bCERTIFICATE$/.test(label) ? [block] : [],
  );
