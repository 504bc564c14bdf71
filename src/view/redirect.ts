// redirect.ts: the page's one-time address on its way to the browser. In the browser's command line
// every user of the machine could read it (/proc/*/cmdline) and be there first; so the browser is
// given the name of a file that only its user can read, and that sends it on. The file is gone as
// soon as it was used, or is of no use any more.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isSafeFromOthers } from '../system/files.ts';
import type { Host } from '../system/host.ts';

export interface Redirect {
  /** The file's address. */
  url: string;
  remove(): void;
}

/** `undefined` where there is no folder that nobody else can put a file into. */
export function writeRedirect(address: string, { env }: Pick<Host, 'env'>): Redirect | undefined {
  // The user's own, in memory and gone with the session; else the folder for everybody's temporary
  // files.
  const parents = [env.XDG_RUNTIME_DIR, tmpdir()].filter(
    (path) => path !== undefined && isAbsolute(path),
  );
  for (const parent of parents as string[]) {
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
    folder = mkdtempSync(join(parent, 'lhp-otel-view-')); // 0700, and new
    if (process.platform !== 'win32' && !isSafeFromOthers(folder))
      throw new Error('others can put files here');
    const file = join(folder, 'open.html');
    writeFileSync(file, pageTo(address), { flag: 'wx', mode: 0o600 });
    return { url: pathToFileURL(file).href, remove };
  } catch {
    remove(); // not there, full, or not the user's alone: the next one
    return undefined;
  }
}

/** The address is ours: digits, dots and the letters of a token. */
const pageTo = (address: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${address}">
<title>lhp-otel view</title>
<p><a href="${address}">Your recorded runs</a></p>
</html>
`;
