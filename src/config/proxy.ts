// proxy.ts: which proxy of the environment applies to an endpoint: HTTPS_PROXY or HTTP_PROXY by the
// endpoint's scheme, else ALL_PROXY, unless NO_PROXY lists the host (no-proxy.ts). Lower-case names
// come first. No proxy is used for this machine (as in Go, and unlike curl): plain HTTP with
// headers is allowed only there, because it does not leave the machine. A value may hold a
// password, so only its host is shown.
import type { Env } from '../system/host.ts';
import { isExcepted } from './no-proxy.ts';

export interface ProxyServer {
  /** Never shown: it may hold credentials. */
  url: string;
  /** Host and port. */
  host: string;
  /** The variable that names it. */
  called: string;
}

export function proxyOf(target: URL, env: Env, problems: string[]): ProxyServer | undefined {
  if (isLoopback(target.hostname) || isExcepted(target, env.no_proxy || env.NO_PROXY || ''))
    return undefined;
  const called = [`${target.protocol.slice(0, -1)}_proxy`, 'all_proxy']
    .flatMap((name) => [name, name.toUpperCase()])
    .find((name) => env[name]);
  if (called === undefined) return undefined;
  const value = env[called] ?? '';
  // Without a scheme it is an HTTP proxy, as for curl.
  const url = URL.parse(value.includes('://') ? value : `http://${value}`);
  const shown = value.includes('@') ? '' : ` ${JSON.stringify(value)},`;
  if (!url?.hostname || !decodes(url.username + url.password))
    problems.push(`${called} is${shown} not a URL; it must be like http://proxy.example.com:3128`);
  else if (url.protocol !== 'http:' && url.protocol !== 'https:')
    problems.push(
      `${called} has the scheme ${url.protocol.slice(0, -1)}; it must be http or https`,
    );
  else return { url: url.href, host: url.host, called };
  return undefined;
}

function decodes(text: string): boolean {
  try {
    // The result is used, or the bundler removes the call.
    return (
      typeof decodeURIComponent(text) === 'string' && decodeURIComponent(text).length <= text.length
    );
  } catch {
    return false; // malformed percent-encoding
  }
}

/** @param hostname - As in a URL, with brackets for IPv6. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
