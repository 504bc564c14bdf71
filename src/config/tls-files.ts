// tls-files.ts: the three PEM files of a delivery: the certificate authority of the server, and the
// client's certificate with its key. They are read when the configuration is read, so that
// `status`, `doctor`, `flush` and the reporter report an unusable file in the same words. Node's
// crypto is loaded for a file only: it takes 4 ms, and most configurations have none.
import type { KeyObject } from 'node:crypto';
import { isAbsolute, join, resolve } from 'node:path';
import { errorCode } from '../system/error.ts';
import { readRegular } from '../system/files.ts';
import { type Host, nodeModule } from '../system/host.ts';
import { statsOf } from '../system/try-read.ts';
import type { Setting } from './setting.ts';

/** A company's bundle of certificate authorities has some hundred kB. */
export const MAX_PEM_BYTES = 4 * 1024 * 1024;

export interface TlsFiles {
  /** Paths, absolute. */
  certificate: string | undefined;
  clientCertificate: string | undefined;
  clientKey: string | undefined;
}

type Settings = Record<keyof TlsFiles, Setting | undefined>;

export function tlsFilesOf(settings: Settings, host: Host, problems: string[]): TlsFiles {
  const read = <T>(setting: Setting | undefined, what: string, parse: (path: string) => T) => {
    if (!setting) return undefined;
    const { value, called } = setting;
    try {
      const path = absolute(value, host);
      return { path, content: parse(path) };
    } catch (error) {
      const why = error instanceof Unusable ? error.message : 'cannot be read';
      problems.push(
        `${called} is ${JSON.stringify(value)} (${why}); it must be a PEM file ${what}`,
      );
      return undefined;
    }
  };
  const authority = read(
    settings.certificate,
    'with the certificates of authorities',
    certificates,
  );
  const client = read(settings.clientCertificate, "with the client's certificate", certificates);
  const key = read(settings.clientKey, "with the key of the client's certificate", privateKey);
  const [one, other] = [settings.clientCertificate, settings.clientKey];
  if (one && !other) problems.push(`${one.called} is set without the key of that certificate`);
  if (other && !one) problems.push(`${other.called} is set without a client certificate`);
  if (client && key && other && !client.content[0]?.checkPrivateKey(key.content))
    problems.push(`${other.called} is not the key of the certificate in ${client.path}`);
  return {
    certificate: authority?.path,
    clientCertificate: client?.path,
    clientKey: key?.path,
  };
}

/** Why a file cannot be used; the message contains nothing of the file. */
class Unusable extends Error {}

/**
 * Refuses a relative path: it would name another file in each working folder, and a project could
 * contain it. The message gives the absolute path that it would be here.
 */
function absolute(value: unknown, { cwd, home }: Host): string {
  if (typeof value !== 'string' || value === '') throw new Unusable('no path');
  if (isAbsolute(value)) return value;
  const meant =
    home !== undefined && /^~[/\\]/.test(value) ? join(home, value.slice(2)) : resolve(cwd, value);
  throw new Unusable(`a relative path; from here the absolute one is ${JSON.stringify(meant)}`);
}

/** The certificates of a PEM file in order; at least one. */
const certificates = remembered((path) => {
  const blocks = pemBlocks(textOf(path)).filter(({ label }) => /\bCERTIFICATE$/.test(label));
  if (blocks.length === 0) throw new Unusable('holds no certificate');
  const { X509Certificate } = nodeModule('node:crypto');
  return blocks.map(({ text }, index) => {
    try {
      return new X509Certificate(text);
    } catch {
      throw new Unusable(`its certificate ${index + 1} of ${blocks.length} is damaged`);
    }
  });
});

const privateKey = remembered((path): KeyObject => {
  const block = pemBlocks(textOf(path)).find(({ label }) => /\bPRIVATE KEY$/.test(label));
  if (!block) throw new Unusable('holds no private key');
  if (/ENCRYPTED/.test(block.text))
    throw new Unusable('encrypted; a key with a passphrase cannot be used');
  try {
    return nodeModule('node:crypto').createPrivateKey(block.text);
  } catch {
    throw new Unusable('its private key is damaged');
  }
});

/** The blocks from BEGIN to END. Takes linear time for any text. */
export function pemBlocks(text: string): { label: string; text: string }[] {
  return text
    .split('-----BEGIN ')
    .slice(1)
    .flatMap((piece) => {
      const label = /^[A-Z0-9 ]{1,40}(?=-----)/.exec(piece)?.[0];
      if (label === undefined) return [];
      const end = `-----END ${label}-----`;
      const length = piece.indexOf(end);
      return length < 0 ? [] : [{ label, text: `-----BEGIN ${piece.slice(0, length)}${end}\n` }];
    });
}

/** System errors in words. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'not there',
  ENOTDIR: 'not there',
  EACCES: 'not readable for you',
  EPERM: 'not readable for you',
  EFTYPE: 'not a regular file',
  EISDIR: 'not a regular file',
  EFBIG: 'larger than 4 MiB',
};

function textOf(path: string): string {
  let text: string;
  try {
    text = readRegular(path, { maxBytes: MAX_PEM_BYTES }).toString('latin1');
  } catch (error) {
    const code = errorCode(error);
    throw new Unusable(WORDS[code ?? ''] ?? `cannot be read: ${code}`);
  }
  if (text.trim() === '') throw new Unusable('empty');
  return text;
}

/** Each post of a backlog reads the files; they are parsed again only where they have changed. */
function remembered<T>(parse: (path: string) => T): (path: string) => T {
  const known = new Map<string, { mark: string; parsed: T }>();
  return (path) => {
    const stats = statsOf(path);
    const mark = `${stats?.dev}:${stats?.ino}:${stats?.size}:${stats?.ctimeNs}`;
    const before = known.get(path);
    if (before && before.mark === mark) return before.parsed;
    const parsed = parse(path);
    known.set(path, { mark, parsed });
    return parsed;
  };
}
