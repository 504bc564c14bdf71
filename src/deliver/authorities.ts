// authorities.ts: the certificate authorities that a delivery trusts: those of the configured file
// only, or else the system's, Node's own list, and those that NODE_EXTRA_CA_CERTS, SSL_CERT_FILE
// and SSL_CERT_DIR add. They are read here and passed to TLS, so that variables and options of Node
// do not change them. NODE_USE_SYSTEM_CA and --use-system-ca add nothing to that.
import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { MAX_PEM_BYTES, pemBlocks } from '../config/tls-files.ts';
import { errorCode } from '../system/error.ts';
import { readRegular } from '../system/files.ts';
import { type Env, EXTRA_AUTHORITIES, OUR_EXTRA_AUTHORITIES } from '../system/host.ts';
import { isFile } from '../system/try-read.ts';

export interface Authorities {
  /** Their name in a sentence: "trusted by …". */
  called: string;
  /** PEM. */
  certificates: string[];
  /** The variable that names them, and why nothing could be read from there. */
  unreadable?: string;
}

/** Of Debian, Fedora, openSUSE, OpenELEC, CentOS and Alpine. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const FOLDERS = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
/** Bounds the work in a folder that somebody named by mistake; systems have some hundred files. */
const MAX_FILES = 5_000;

/** `doctor` names the first list that holds an authority, so the most specific list comes first. */
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
  // Not by Node here: it reads each file of a folder, which takes 20 ms, and waits forever for a
  // FIFO.
  const bundle = BUNDLES.find(isFile);
  return (bundle ? [bundle] : FOLDERS.flatMap(filesIn)).flatMap(blocksIn);
}

/** From the files that a variable names. */
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
    return []; // missing or not readable
  }
}

function blocksIn(path: string): string[] {
  try {
    return blocksOf(read(path));
  } catch {
    return []; // TLS fails without the authority, and doctor says that nothing was read
  }
}

const read = (path: string) => readRegular(path, { maxBytes: MAX_PEM_BYTES }).toString('latin1');

const blocksOf = (text: string): string[] =>
  pemBlocks(text).flatMap(({ label, text: block }) =>
    /\bCERTIFICATE$/.test(label) ? [block] : [],
  );
