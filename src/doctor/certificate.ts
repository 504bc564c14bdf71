// certificate.ts: the TLS check of `doctor`: which authority the collector's certificate is signed
// by and when it expires, or why the connection is not trusted.
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Config } from '../config/config.ts';
import { authorities } from '../deliver/authorities.ts';
import type { Env } from '../system/host.ts';
import { DAY_MS } from '../system/time.ts';
import { ok, type Verdict, warning } from './verdict.ts';

const CERTIFICATE_WARNING_MS = 14 * DAY_MS;

/**
 * @param by - the authority, in words.
 * @param validTo - when the certificate expires, milliseconds since the epoch.
 */
export function judgeCertificate(by: string, validTo: number | undefined): Verdict {
  if (validTo === undefined) return ok(`trusted by ${by}`);
  const text = `trusted by ${by}, valid until ${new Date(validTo).toISOString()}`;
  return validTo - Date.now() < CERTIFICATE_WARNING_MS
    ? warning(text, 'renew the certificate of the collector')
    : ok(text);
}

/** The root certificate of the connection in base64; `undefined` for plain http. */
export function rootOf(socket: Partial<TLSSocket>): string | undefined {
  let last: PeerCertificate | undefined;
  let next: Issued | undefined = socket.getPeerCertificate?.(true);
  while (next?.raw && next !== last) {
    last = next;
    next = next.issuerCertificate;
  }
  return last?.raw.toString('base64');
}

/** A root certificate is its own issuer; an incomplete chain ends without an issuer. */
type Issued = PeerCertificate & { issuerCertificate?: Issued };

/** The list of authorities that contains the root, or all lists that apply if none does. */
export function trustedBy(root: string | undefined, { certificate }: Config, env: Env): string {
  const lists = authorities(certificate, env);
  const found = lists.find(({ certificates }) =>
    certificates.some((pem) => pem.replace(/-----[^-]*-----|\s/g, '') === root),
  );
  return found?.called ?? lists.map(({ called }) => called).join(', ');
}

const TLS_ERRORS = [
  'ERR_TLS',
  'ERR_SSL',
  'ERR_OSSL',
  'CERT_',
  'UNABLE_TO',
  'SELF_SIGNED',
  'DEPTH_ZERO',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'EPROTO',
];

export const isTlsError = (code: unknown): boolean =>
  TLS_ERRORS.some((start) => String(code).startsWith(start));

export function tlsAdvice(code: string, { certificate }: Config, env: Env): string {
  if (code === 'CERT_HAS_EXPIRED')
    return 'the certificate of the collector, or of its authority, has expired: renew it';
  if (code === 'CERT_NOT_YET_VALID') return 'check the clock of this machine';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'the certificate is for another name: check the host of the endpoint';
  if (/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_)/.test(code)) {
    const lists = authorities(certificate, env).map(({ called }) => called);
    return (
      `not signed by ${lists.join(' or ')}: set LHP_OTEL_EXPORTER_OTLP_CERTIFICATE to the ` +
      'authority that signed it'
    );
  }
  if (/ALERT/.test(code))
    return (
      'if the collector requires a client certificate, set ' +
      'LHP_OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY'
    );
  return 'check the PEM files, and whether the port uses TLS';
}
