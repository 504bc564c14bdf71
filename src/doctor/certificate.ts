// certificate.ts: what `doctor` says of TLS: who vouches for the collector's certificate and until
// when, or what keeps the connection from being trusted.
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Config } from '../config/config.ts';
import { authorities } from '../deliver/authorities.ts';
import type { Env } from '../system/host.ts';
import { ok, type Verdict, warning } from './verdict.ts';

const CERTIFICATE_WARNING_MS = 14 * 24 * 60 * 60_000;

/** @param by - who vouches for it, in words. @param validTo - the end of its life. */
export function judgeCertificate(by: string, validTo: number | undefined): Verdict {
  if (validTo === undefined) return ok(`trusted by ${by}`);
  const text = `trusted by ${by}, valid until ${new Date(validTo).toISOString()}`;
  return validTo - Date.now() < CERTIFICATE_WARNING_MS
    ? warning(text, 'renew the certificate of the server')
    : ok(text);
}

/** Base64 of the last certificate of the chain that was found good; nothing of plain http. */
export function rootOf(socket: Partial<TLSSocket>): string | undefined {
  let last: PeerCertificate | undefined;
  let next = socket.getPeerCertificate?.(true) as PeerCertificate | undefined;
  while (next?.raw && next !== last) {
    last = next;
    next = (next as { issuerCertificate?: PeerCertificate }).issuerCertificate;
  }
  return last?.raw.toString('base64');
}

/** The list that the root is in; where the chain does not show it, all that count. */
export function trustedBy(root: string | undefined, { certificate }: Config, env: Env): string {
  const lists = authorities(certificate, env);
  const found = lists.find(({ certificates }) =>
    certificates.some((pem) => pem.replace(/-----[^-]*-----|\s/g, '') === root),
  );
  return found?.called ?? lists.map(({ called }) => called).join(', ');
}

export const isTlsError = (code: unknown): boolean =>
  /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/.test(
    String(code),
  );

export function tlsAdvice(code: string, { certificate }: Config, env: Env): string {
  if (code === 'CERT_HAS_EXPIRED')
    return 'the certificate of the server, or its authority, has expired: renew it';
  if (code === 'CERT_NOT_YET_VALID') return 'look at the clock of this machine';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'the certificate is for another name: check the host of the endpoint';
  if (/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_)/.test(code)) {
    const lists = authorities(certificate, env).map(({ called }) => called);
    return `not signed by ${lists.join(', nor by ')}: set LHP_OTEL_EXPORTER_OTLP_CERTIFICATE to the server's authority`;
  }
  if (/ALERT/.test(code))
    return 'does the server want a client certificate? Set LHP_OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY';
  return 'check the PEM files, and that the port speaks TLS';
}
