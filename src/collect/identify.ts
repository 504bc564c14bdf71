// identify.ts: which project and which machine, as digests; and for CI, where machines share an id,
// a slot.
//
// Why can this not be reversed? A digest of a random machine id cannot be guessed. A digest of a
// project's *name* can: whoever guesses "sales_lakehouse" can compare. That is why the gateway
// makes an HMAC of both with a secret of the operator's (docs/privacy.md).
import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { writePrivate } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';
import { windowsProgram } from '../system/windows.ts';

/** The telemetry page's hash: SHA-256 in hex. */
const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** The page's project id; a project without a name has the id of `unknown_project`. */
export const projectId = (name: unknown): string =>
  sha256(typeof name === 'string' && name ? name : 'unknown_project');

/**
 * The page's machine id, hashed. Same order as the page; at last a random id that is kept in the
 * state folder.
 */
export async function machineId(host: Host, paths: Paths): Promise<string> {
  const id = (await systemMachineId(host)) || macAddressId() || keptRandomId(paths.machineId);
  return sha256(id);
}

async function systemMachineId({ env, platform }: Host): Promise<string | undefined> {
  if (platform === 'darwin') {
    const text = await printed('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']);
    return /"IOPlatformUUID" = "([^"]+)"/.exec(text)?.[1];
  }
  if (platform === 'win32') {
    const key = 'HKLM\\SOFTWARE\\Microsoft\\Cryptography';
    const text = await printed(windowsProgram('reg.exe', env), ['query', key, '/v', 'MachineGuid']);
    return /MachineGuid\s+REG_SZ\s+(\S+)/.exec(text)?.[1];
  }
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    const id = readText(path)?.trim();
    // systemd writes this word into images that have not started yet: the same on every machine.
    if (id && id !== 'uninitialized') return id;
  }
  return undefined;
}

/** What one of the system's own programs prints; empty where it is not there or fails. */
async function printed(file: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(file, args, {
      timeout: 10_000,
      windowsHide: true,
    });
    return stdout;
  } catch {
    return ''; // then the next source of an id is asked
  }
}

/** As Python's uuid.getnode() prints it: the number of the lowest real hardware address. */
function macAddressId(): string | undefined {
  const real = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, mac }) => !internal && mac !== '00:00:00:00:00:00')
    .map(({ mac }) => BigInt(`0x${mac.replaceAll(':', '')}`))
    // A locally administered address is made up, by a container for one, and changes.
    .filter((mac) => (mac & 0x020000000000n) === 0n)
    .sort((a, b) => (a < b ? -1 : 1));
  return real[0]?.toString();
}

/**
 * Two random hex digits (docs/adr/0010-ci-slots.md), kept with the state, so that a runner which
 * lives has one slot and not all. They are drawn anew under another host name: containers that
 * restore one state folder from a cache are different containers.
 */
export function ciSlot(paths: Paths): string {
  const path = paths.ciSlot;
  const hostDigest = sha256(hostname());
  try {
    const kept = JSON.parse(readText(path) ?? '{}') as { host?: string; slot?: string };
    if (kept.host === hostDigest && kept.slot !== undefined) return kept.slot;
  } catch {
    // damaged: drawn anew
  }
  const slot = randomBytes(1).toString('hex');
  writePrivate(path, JSON.stringify({ host: hostDigest, slot }));
  return slot;
}

function keptRandomId(path: string): string {
  const kept = readText(path)?.trim();
  if (kept) return kept;
  const id = randomUUID();
  writePrivate(path, `${id}\n`);
  // Another reporter may have been first; the file decides.
  return readText(path)?.trim() || id;
}
