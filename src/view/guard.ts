// guard.ts: decides which requests the server of the local page accepts. Any program on the machine
// and any site in the user's browser can reach a port on loopback. A request must therefore contain
// the token, which is part of the path, and its Host header must name this server: with DNS
// rebinding, another name resolves to 127.0.0.1. A request that changes something must also come
// from the page.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A random secret of 256 bits. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** Compares in constant time: the duration reveals neither the secret nor its length. */
export function isSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

export function isOurHost({ headersDistinct }: IncomingMessage, port: number): boolean {
  const { host = [] } = headersDistinct;
  return host.length === 1 && [`127.0.0.1:${port}`, `localhost:${port}`].includes(host[0] ?? '');
}

/** A one-time secret, for the address that the browser is started with. */
export interface OneTimeSecret {
  readonly secret: string;
  /** Whether this is the secret, unused and not expired. It is used up if so. */
  use(given: string): boolean;
  /** Resolves when the secret becomes invalid: true if it was used, false if it expired. */
  readonly used: Promise<boolean>;
}

export function oneTimeSecret(lifetimeMs: number): OneTimeSecret {
  const secret = newToken();
  const { promise: used, resolve } = Promise.withResolvers<boolean>();
  let valid = true;
  const end = (wasUsed: boolean) => {
    valid = false;
    resolve(wasUsed);
  };
  setTimeout(() => end(false), lifetimeMs).unref();
  return {
    secret,
    used,
    use(given) {
      if (!valid || !isSecret(given, secret)) return false;
      end(true);
      return true;
    },
  };
}

/**
 * Whether a request comes from our own page. The browser says so in its headers, and a form of
 * another site cannot send JSON.
 */
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
 * The headers of every response. The page loads nothing from other origins and runs no inline
 * script, is not cached and not embedded, and does not reveal its address in a referrer.
 */
export const SAFE_HEADERS = {
  'Content-Security-Policy': POLICY.join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
