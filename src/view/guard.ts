// guard.ts: who may ask the local page's server. Any program on the machine and any site in the
// user's browser can reach a port on loopback, so a request must know the token, which is part of
// the path, and must be addressed to us by name: a foreign name that resolves to 127.0.0.1 (DNS
// rebinding) is not us. Only the page itself may ask for a change. Nothing is answered here.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** 256 bits. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** In a time that says nothing about how much of it is right, or how long it is. */
export function isSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

export function isOurHost({ headersDistinct }: IncomingMessage, port: number): boolean {
  const { host = [] } = headersDistinct;
  return host.length === 1 && [`127.0.0.1:${port}`, `localhost:${port}`].includes(host[0] ?? '');
}

/** Sent by our own page: the browser says so, and a form of a foreign site cannot send JSON. */
export function isFromOurPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  return (
    headers.origin === `http://${headers.host}` &&
    (site === undefined || site === 'same-origin') &&
    headers['content-type'] === 'application/json'
  );
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
];

/**
 * On every answer: nothing from elsewhere, nothing inline, nothing kept, nothing embedded, no
 * address given away.
 */
export const SAFE_HEADERS = {
  'Content-Security-Policy': POLICY.join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
