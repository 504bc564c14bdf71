// environment.ts: the probe of `doctor` for variables of Node and OpenSSL: which of those that are
// set have an effect on deliveries (src/wrap/reporter-env.ts), and which are ignored.
import type { Config } from '../config/config.ts';
import { authorities } from '../deliver/authorities.ts';
import { type Env, EXTRA_AUTHORITIES, OUR_EXTRA_AUTHORITIES } from '../system/host.ts';
import { COUNTING } from '../wrap/reporter-env.ts';
import { setAside } from '../wrap/start-again.ts';
import { ok, type Verdict, warning } from './verdict.ts';

const AUTHORITIES = /^(NODE_EXTRA_CA|SSL_)/;

export function probeEnvironment(env: Env, config: Config | undefined): Verdict {
  const certificate = config?.certificate;
  const set = COUNTING.filter(
    (name) => env[name] || (name === EXTRA_AUTHORITIES && env[OUR_EXTRA_AUTHORITIES]),
  );
  const pinned = certificate === undefined ? [] : set.filter((name) => AUTHORITIES.test(name));
  const counting = set.filter((name) => !pinned.includes(name));
  const aside = Object.keys(setAside(env));
  const text = [
    counting.length > 0 ? `used: ${counting.join(', ')}` : 'no variable of Node or OpenSSL is used',
    ...(pinned.length > 0 ? [`ignored because of ${certificate}: ${pinned.join(', ')}`] : []),
    ...(aside.length > 0 ? [`ignored: ${aside.join(', ')}`] : []),
  ].join('; ');
  const unreadable = authorities(certificate, env).flatMap((list) => list.unreadable ?? []);
  if (unreadable.length > 0)
    return warning(
      `${text}; no certificate can be read from ${unreadable.join(', ')}`,
      'set it to a PEM file',
    );
  return env.NODE_TLS_REJECT_UNAUTHORIZED === '0' || aside.includes('NODE_TLS_REJECT_UNAUTHORIZED')
    ? warning(
        text,
        'certificates are always verified; docs/configuration.md says how to add an authority',
      )
    : ok(text);
}
