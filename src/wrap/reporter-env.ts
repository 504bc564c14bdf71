// reporter-env.ts: makes the environment in which runs are delivered, for the reporter, `flush` and
// `doctor`. Node, V8 and OpenSSL read variables of their own when they start. Of these only the
// listed ones are passed on; the others could switch off the check of certificates, print or write
// what is sent (NODE_DEBUG, NODE_OPTIONS=--tls-keylog, SSLKEYLOGFILE), load code, or end the
// process (docs/adr/0015-what-node-reads-itself.md).
import { delimiter, isAbsolute, resolve } from 'node:path';
import { type Env, EXTRA_AUTHORITIES, OUR_EXTRA_AUTHORITIES } from '../system/host.ts';

/** Matched by prefix, so that a variable of a later Node is not passed on until it is listed. */
const FAMILIES = /^(NODE_|OPENSSL_|SSL_CERT_|SSLKEYLOGFILE$|WATCH_REPORT_DEPENDENCIES$)/;

/**
 * The variables of these families that are passed on: where certificate authorities are, and
 * OpenSSL's own configuration (FIPS). Each value is a path.
 */
export const COUNTING: readonly string[] = [
  EXTRA_AUTHORITIES,
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'OPENSSL_CONF',
  'OPENSSL_MODULES',
];

/**
 * Whether Node or OpenSSL would read the variable, and it is not passed on. Compared in upper case,
 * as Windows does.
 */
export function isLeftOut(name: string): boolean {
  const upper = name.toUpperCase();
  return FAMILIES.test(upper) && !COUNTING.includes(upper);
}

/**
 * The environment of a delivery. Also without OTEL_*, which hold API keys of the user's other
 * applications, and without DEBUG, for which the proxy packages print passwords.
 *
 * @param cwd - The folder against which relative paths are resolved; the reporter runs in another.
 */
export function reporterEnv(env: Env, cwd: string): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(
    ([name]) =>
      !isLeftOut(name) &&
      name !== 'DEBUG' &&
      (!name.startsWith('OTEL_') || name === 'OTEL_SDK_DISABLED'),
  );
  const named = kept.map(([name, value]) => [passedAs(name), absolute(name, value, cwd)]);
  return {
    ...Object.fromEntries(named),
    // Node passes this one on to each child process, unless `env` names it.
    NODE_V8_COVERAGE: undefined,
  };
}

/**
 * Under another name authorities.ts reads the file itself: Node would read it when TLS is loaded,
 * and wait forever where it is a FIFO.
 */
const passedAs = (name: string) =>
  name.toUpperCase() === EXTRA_AUTHORITIES ? OUR_EXTRA_AUTHORITIES : name;

/** Whether the environment of a delivery has no variable of that name. */
export const isNotPassed = (name: string): boolean => isLeftOut(name) || passedAs(name) !== name;

/** SSL_CERT_DIR is a list of folders. */
function absolute(name: string, value: string | undefined, cwd: string): string | undefined {
  if (!value || !COUNTING.includes(name.toUpperCase())) return value;
  const paths = name.toUpperCase() === 'SSL_CERT_DIR' ? value.split(delimiter) : [value];
  return paths.map((path) => (isAbsolute(path) ? path : resolve(cwd, path))).join(delimiter);
}
