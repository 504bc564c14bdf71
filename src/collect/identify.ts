// identify.ts: the digests that stand for the project and the machine, and the slot of a CI runner.
//
// Can a digest be reversed? Not that of a machine id, which is random. That of a project's name can
// be compared with the digest of a guess, such as "sales_lakehouse". Therefore the gateway replaces
// both by an HMAC with a secret of the operator (docs/privacy.md).
import { execFile } from 'node:child_process';
import { createHash, randomInt, randomUUID } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { slotName } from '../contract/contract.ts';
import { writePrivate } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';
import { windowsProgram } from '../system/windows.ts';

/** The hash that the telemetry page defines: SHA-256 in hex. */
const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** The telemetry page's project id. A project without a name has that of `unknown_project`. */
export const projectId = (name: unknown): string =>
  sha256(typeof name === 'string' && name ? name : 'unknown_project');

/**
 * The telemetry page's machine id. The sources are asked in the page's order; the last one is a
 * random id in the state folder.
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
    // systemd writes this word into images before their first start. It is no id of a machine.
    if (id && id !== 'uninitialized') return id;
  }
  return undefined;
}

/** What a program of the system prints. Empty if it is missing or fails. */
async function printed(file: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(file, args, {
      timeout: 10_000,
      windowsHide: true,
    });
    return stdout;
  } catch {
    return ''; // The next source of an id is asked.
  }
}

/** The lowest hardware address as a decimal number, as Python's uuid.getnode() gives it. */
function macAddressId(): string | undefined {
  const real = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, mac }) => !internal && mac !== '00:00:00:00:00:00')
    .map(({ mac }) => BigInt(`0x${mac.replaceAll(':', '')}`))
    // A locally administered address is invented, for example by a container engine, and changes.
    .filter((mac) => (mac & 0x020000000000n) === 0n)
    .sort((a, b) => (a < b ? -1 : 1));
  return real[0]?.toString();
}

/**
 * A random slot of the first `count` ones (docs/adr/0010-ci-slots.md). It is kept in the state
 * folder, so that a runner with a lasting state folder has one slot. Under another host name a new
 * slot is drawn, because several containers can restore the same state folder from a cache.
 */
export function ciSlot(paths: Paths, count: number): string {
  const path = paths.ciSlot;
  const hostDigest = sha256(hostname());
  const slots = Array.from({ length: count }, (_, slot) => slotName(slot));
  try {
    const kept = JSON.parse(readText(path) ?? '{}') as { host?: string; slot?: string };
    if (kept.host === hostDigest && slots.includes(kept.slot ?? '')) return kept.slot as string;
  } catch {
    // An invalid file is replaced.
  }
  const slot = slots[randomInt(count)] as string;
  writePrivate(path, JSON.stringify({ host: hostDigest, slot }));
  return slot;
}

function keptRandomId(path: string): string {
  const kept = readText(path)?.trim();
  if (kept) return kept;
  const id = randomUUID();
  writePrivate(path, `${id}\n`);
  // Another reporter may have written the file in the meantime. Both must use the same id.
  return readText(path)?.trim() || id;
}
