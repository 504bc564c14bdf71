// no-proxy.ts: does NO_PROXY list this host? It is read as Go reads it
// (golang.org/x/net/http/httpproxy), because the collector and most tools used with it are written
// in Go. A name matches itself and its subdomains; `.name` and `*.name` match only the subdomains;
// an address matches in any notation, and `address/bits` is a network; a port after a name or an
// address limits the entry to that port; `*` matches everything. Entries are separated by commas or
// spaces, and invalid entries are ignored.
import { BlockList, isIP } from 'node:net';

export function isExcepted(target: URL, noProxy: string): boolean {
  const host = bare(target.hostname);
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  const entries = noProxy.split(/[\s,]+/).filter(Boolean);
  return entries.some((entry) => entry === '*' || covers(entry.toLowerCase(), host, port));
}

/** @param entry - In lower case. */
function covers(entry: string, host: string, port: string): boolean {
  const network = /^([^/]+)\/(\d{1,3})$/.exec(entry);
  if (network) return isInNetwork(host, network[1] ?? '', Number(network[2]));
  const { name, only } = split(entry);
  if (only !== undefined && only !== port) return false;
  if (isIP(name)) return isInNetwork(host, name, isIP(name) === 4 ? 32 : 128);
  return isIP(host) === 0 && isDomain(host, name);
}

/** `name:port`, `[address]:port`; an IPv6 address without brackets has no port. */
function split(entry: string): { name: string; only?: string } {
  if (isIP(entry)) return { name: entry };
  const [, name = entry, only] = /^(.*):(\d*)$/.exec(entry) ?? [];
  const plain = name.replace(/^\[(.*)\]$/, '$1');
  return only ? { name: plain, only } : { name: plain };
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const [kind, family] = [isIP(host), isIP(network)];
  if (kind === 0 || family === 0 || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, kind === 4 ? 'ipv4' : 'ipv6');
}

function isDomain(host: string, entry: string): boolean {
  const suffix = entry.replace(/^\*(?=\.)/, '');
  const name = ascii(suffix.replace(/^\./, ''));
  if (name === undefined) return false;
  return host.endsWith(`.${name}`) || (!suffix.startsWith('.') && host === name);
}

/** The ASCII form of a name, as in a URL; `undefined` where it is no name. */
const ascii = (name: string): string | undefined =>
  name === '' ? undefined : URL.parse(`http://${name}`)?.hostname.replace(/\.$/, '');

/** Without the brackets of IPv6, and without the dot at the end of a complete name. */
const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
