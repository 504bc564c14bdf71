// hook.ts: what `doctor` checks of the shell hook: for each rc file with our lines, the file that
// they load, and the package and the Node that the hook starts. It starts that Node.
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { promisify } from 'node:util';
import {
  type HookOrigin,
  hookText,
  type InstalledHook,
  installedHooks,
  originOf,
  versionCommand,
} from '../hook/hook.ts';
import type { Host } from '../system/host.ts';
import { printable } from '../system/log.ts';
import { thisCopy } from '../system/package.ts';
import type { Paths } from '../system/paths.ts';
import { readText } from '../system/try-read.ts';
import { version } from '../system/version.ts';
import { failure, ok, skipped, type Verdict, warning } from './verdict.ts';

/** The oldest Node that package.json accepts (`engines`). */
const OLDEST_NODE = [22, 15] as const;

export async function probeHook(host: Host, paths: Paths): Promise<Verdict> {
  let hooks: InstalledHook[];
  try {
    hooks = installedHooks(host, paths);
  } catch (error) {
    // An rc file cannot be read, or has half of our lines. The message names it.
    return failure(printable(error instanceof Error ? error.message : 'error'), 'mend that file');
  }
  if (hooks.length === 0) return skipped('no shell loads it (lhp-otel hook --install)');
  const verdicts = await Promise.all(hooks.map(probeOne));
  const first = (kind: Verdict['result']) => verdicts.find(({ result }) => result === kind);
  const worst = first('failure') ?? first('warning') ?? ok('');
  return { ...worst, detail: verdicts.map(({ detail }) => detail).join('; ') };
}

async function probeOne({ shellName, rc, lines, expected, file }: InstalledHook): Promise<Verdict> {
  const again = `lhp-otel hook --install ${shellName}`;
  const bad = (what: string) => failure(printable(`${shellName}: ${what}`), again);
  const text = readText(file);
  if (text === undefined) return bad(`${rc} loads ${file}, which cannot be read`);
  const origin = originOf(text);
  if (!origin) return bad(`${file} is of another version`);
  if (!readable(origin.program)) return bad(`its package is gone (${origin.program})`);
  if (!existsSync(origin.node)) return bad(`its Node is gone (${origin.node})`);
  const node = await nodeVersion(origin);
  if (node === undefined) return bad(`its Node does not run (${origin.node})`);
  if (isTooOld(node)) return bad(`its Node is ${node}, older than ${OLDEST_NODE.join('.')}`);
  if (lines !== expected || text !== hookText(shellName, origin.node))
    return warning(
      printable(
        `${shellName}: ${file} was made by lhp-otel ${origin.version} and starts ` +
          `${origin.program}; this is ${version} in ${thisCopy().folder}`,
      ),
      again,
    );
  return ok(
    printable(
      `${shellName}: ${rc} loads it; it starts ${origin.program}, and its Node ${node} runs`,
    ),
  );
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

async function nodeVersion(origin: HookOrigin): Promise<string | undefined> {
  const [file, ...words] = versionCommand(origin);
  try {
    const { stdout } = await promisify(execFile)(file, words, { env: {}, timeout: 10_000 });
    return /^(?:Node )?v(\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
  } catch {
    return undefined; // It does not run.
  }
}

function isTooOld(node: string): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  return major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
}
