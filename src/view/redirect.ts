// redirect.ts: hands the one-time address of the page to the browser. Every user of the machine can
// read the command line of the browser (/proc/*/cmdline) and could use the address first. So the
// browser is given a file that only its user can read, and that redirects to the address. The file
// is removed as soon as the address was used or has expired.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSafeFromOthers } from '../system/files.ts';
import type { Host } from '../system/host.ts';

export interface Redirect {
  /** The URL of the file. */
  url: string;
  remove(): void;
}

/** Writes the file. `undefined` if there is no folder that only this user can write to. */
export function writeRedirect(address: string, { env }: Pick<Host, 'env'>): Redirect | undefined {
  // The runtime folder belongs to the user, is in memory and is removed when the session ends.
  for (const parent of [env.XDG_RUNTIME_DIR, tmpdir()]) {
    if (parent === undefined || !isAbsolute(parent)) continue;
    const redirect = writeIn(parent, address);
    if (redirect) return redirect;
  }
  return undefined;
}

function writeIn(parent: string, address: string): Redirect | undefined {
  let folder: string | undefined;
  const remove = () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    folder = mkdtempSync(join(parent, 'lhp-otel-view-')); // a new folder with mode 0700
    if (process.platform !== 'win32' && !isSafeFromOthers(folder))
      throw new Error('other users can write to a folder above');
    const file = join(folder, 'open.html');
    writeFileSync(file, pageTo(address), { flag: 'wx', mode: 0o600 });
    return { url: pathToFileURL(file).href, remove };
  } catch {
    remove(); // the folder is missing, full or not safe: the caller tries the next one
    return undefined;
  }
}

/** The address needs no escaping: it consists of digits, dots, slashes and a base64url token. */
const pageTo = (address: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${address}">
<title>lhp-otel view</title>
<p><a href="${address}">Your recorded runs</a></p>
</html>
`;
