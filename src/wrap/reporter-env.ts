// reporter-env.ts: the environment → the one in which runs are delivered, for the reporter, `flush`
// and `doctor` alike. Node, V8 and OpenSSL read variables of their own when they start; of these
// families only what is named here comes through. The others would switch off the check of
// certificates, print or write what is sent (NODE_DEBUG, NODE_OPTIONS=--tls-keylog, SSLKEYLOGFILE),
// load code, or end the process.
import { delimiter, isAbsolute, resolve } from 'node:path';
import { type Env, EXTRA_AUTHORITIES, OUR_EXTRA_AUTHORITIES } from '../system/host.ts';

/** Whole families, so that a variable of a later Node is left out until it is named here. */
const FAMILIES = /^(NODE_|OPENSSL_|SSL_CERT_|SSLKEYLOGFILE$|WATCH_REPORT_DEPENDENCIES$)/;

/**
 * What comes through: where authorities are, and OpenSSL's own configuration (FIPS). All are paths.
 */
export const COUNTING: readonly string[] = [
  EXTRA_AUTHORITIES,
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'OPENSSL_CONF',
  'OPENSSL_MODULES',
];

/** A variable that Node or OpenSSL would read, and that must not count. Windows knows no case. */
export function isLeftOut(name: string): boolean {
  const known = name.toUpperCase();
  return FAMILIES.test(known) && !COUNTING.includes(known);
}

/**
 * Also without the user's OTEL_*, which hold the API keys of other applications, and without DEBUG,
 * at which the proxies' packages print passwords.
 * @param cwd - where relative paths begin; the reporter is in another folder.
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
    // Node hands this one on to whatever it starts, unless it is named.
    NODE_V8_COVERAGE: undefined,
  };
}

/** Read by us (authorities.ts): Node reads it when TLS is loaded, and waits for a FIFO for ever. */
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
