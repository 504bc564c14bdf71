// trace.ts: what a command did, as strace recorded it: files, network and processes, as a list of
// processes (a thread counts as its process). Paths are absolute. Failed calls are kept.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { toldBy } from '../../scripts/harness/otlp-server.ts';

export interface Touch {
  call: string;
  path: string;
  /** The program that made the call. A process can become another program. */
  program: string | undefined;
  /** The call creates, changes or removes something on disk, or opens a file to write. */
  writes: boolean;
  ok: boolean;
}

interface TracedProcess {
  pid: number;
  /** The programs that it became, in order. Empty for a fork that executed none. */
  programs: string[];
  files: Touch[];
  /** Every call with an internet address family. */
  inet: string[];
}

interface Trace {
  status: number | null;
  stdout: string;
  stderr: string;
  /** In the order of their first call; the first is the traced command. */
  processes: TracedProcess[];
}

interface TraceOptions {
  strace: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** A command that starts strace and is not traced, such as `unshare -m`. */
  within?: string[];
}

/** Runs the command and waits for all its processes, detached ones included. */
export async function traced(
  command: string[],
  { strace, cwd, env, within = [] }: TraceOptions,
): Promise<Trace> {
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-trace-'));
  const file = join(folder, 'strace');
  try {
    const [program = strace, ...args] = [
      ...within,
      strace,
      ...[
        '-f',
        '-qqq',
        '-y',
        '-e',
        'signal=none',
        '-e',
        'trace=%file,%network,%process',
        '-o',
        file,
      ],
      ...['--', ...command],
    ];
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    return { ...(await toldBy(child)), processes: parseTrace(readFileSync(file, 'latin1'), cwd) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Call {
  pid: number;
  name: string;
  args: string;
  /** The text after the `=`. Empty if the process ended inside the call. */
  result: string;
}

/** A call whose name begins with one of these words. */
const callsOf = (names: string) => new RegExp(`^(${names.replaceAll(' ', '|')})`);
const CHANGES = callsOf(
  'creat mkdir mknod rename unlink rmdir link symlink chmod fchmodat chown lchown fchownat ' +
    'truncate utime utimes utimensat futimesat setxattr lsetxattr removexattr mount',
);
const OPENS_TO_WRITE = /\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b/;
/** Writing here leaves nothing behind. */
const NOWHERE = /^\/dev\/(null|tty)$/;

function parseTrace(text: string, cwd: string): TracedProcess[] {
  const calls = completeCalls(text);
  const leader = threadLeaders(calls);
  const processes = new Map<number, TracedProcess>();
  const workingDirectory = new Map<number, string>();
  for (const call of calls) {
    const pid = leader.get(call.pid) ?? call.pid;
    const process = processes.get(pid) ?? { pid, programs: [], files: [], inet: [] };
    processes.set(pid, process);
    const ok = call.result !== '' && !call.result.startsWith('-1');
    const paths = resolvePaths(call, workingDirectory.get(pid) ?? cwd);
    if (call.name === 'chdir' && ok && paths[0]) workingDirectory.set(pid, paths[0]);
    if (/\bAF_INET6?\b/.test(call.args)) process.inet.push(`${call.name}(${call.args})`);
    const opens = /^open(at2?)?$/.test(call.name);
    const writes = CHANGES.test(call.name) || (opens && OPENS_TO_WRITE.test(call.args));
    for (const path of paths) {
      const program = process.programs.at(-1);
      process.files.push({
        call: call.name,
        path,
        program,
        writes: writes && !NOWHERE.test(path),
        ok,
      });
    }
    if (/^execve(at)?$/.test(call.name) && ok && paths[0]) process.programs.push(paths[0]);
  }
  return [...processes.values()];
}

/** Joins calls that strace wrote in two lines, because another process came between. */
function completeCalls(text: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [, id, rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (!id || /^(\+\+\+|---)/.test(rest)) continue;
    const pid = Number(id);
    if (rest.endsWith('<unfinished ...>')) {
      unfinished.set(pid, rest.slice(0, -'<unfinished ...>'.length).trimEnd());
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed ? `${unfinished.get(pid) ?? ''}${resumed[1]}` : rest;
    unfinished.delete(pid);
    const call = callOf(pid, whole);
    if (call) calls.push(call);
  }
  // A process that ended inside a call, such as exit_group.
  for (const [pid, part] of unfinished) {
    const call = callOf(pid, `${part}) = `);
    if (call) calls.push(call);
  }
  return calls;
}

function callOf(pid: number, line: string): Call | undefined {
  const [, name, args, result] = /^(\w+)\((.*)\) += ?(.*)$/.exec(line) ?? [];
  return name === undefined || args === undefined
    ? undefined
    : { pid, name, args, result: result ?? '' };
}

function threadLeaders(calls: Call[]): Map<number, number> {
  const leader = new Map<number, number>();
  for (const { pid, name, args, result } of calls) {
    if (!/^clone3?$/.test(name) || !args.includes('CLONE_THREAD')) continue;
    const thread = Number.parseInt(result, 10);
    if (thread > 0) leader.set(thread, leader.get(pid) ?? pid);
  }
  return leader;
}

/** Calls that name no path. */
const FILELESS = callsOf(
  'clone fork vfork wait exit kill tgkill pidfd socket bind connect send recv get set shut ' +
    'listen accept',
);

/**
 * The paths in a call: `openat(AT_FDCWD</here>, "a")` is /here/a. Arguments of a program are none.
 */
function resolvePaths({ name, args }: Call, cwd: string): string[] {
  if (FILELESS.test(name)) return [];
  const named = [...args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)];
  const relevant = /^(execve|readlink|symlink)/.test(name)
    ? named.slice(0, name === 'symlink' ? 2 : 1)
    : named;
  return relevant.map(([, base, path]) => resolve(base ?? cwd, unquote(path ?? '')));
}

function unquote(text: string): string {
  return text.replace(/\\(\d{1,3}|.)/g, (_, code: string) =>
    /^\d/.test(code) ? String.fromCharCode(Number.parseInt(code, 8)) : code,
  );
}
