// command-process.ts: the user's command as a process: same standard streams and terminal, same
// signals, same exit status as without `lhp-otel run`. Where nothing is recorded this process is
// replaced by the command; else the command is its child. Part of the hot path: loads only Node's
// own modules. It asks `process` directly, because it is about this process.
import { existsSync, readFileSync } from 'node:fs';
import { errorCode } from '../system/error.ts';
import { type Env, nodeModule } from '../system/host.ts';
import { say } from '../system/log.ts';

export interface Exit {
  /** As a shell reports it: 128 + n for a signal. */
  status: number;
  signal?: NodeJS.Signals;
  /** Whether this process was told to stop while the command ran. */
  interrupted: boolean;
}

/**
 * Replaces this process by the command, through env(1), which finds the program and reports errors
 * as the system does. Returns only where the platform cannot replace a process.
 */
export function replaceByCommand(
  words: readonly string[],
  env: Env,
  platform: NodeJS.Platform,
): void {
  // env(1) takes a first word with `=` for a variable.
  if (!words[0]?.includes('=')) replaceBy('/usr/bin/env', ['env', '--', ...words], env, platform);
}

/**
 * Ends this process as the command has ended. A command that died of a signal: by the same signal,
 * so that a shell sees what it would have seen (a loop stops at Ctrl-C, a job is `Terminated`). On
 * a terminal: without Node's own exit, which would restore terminal settings that the command has
 * changed. Returns where an exit status says everything.
 */
export function endAs({ status, signal }: Exit, platform: NodeJS.Platform): void {
  if (!signal && !onTerminal()) return;
  try {
    process.chdir('/'); // in a folder that was deleted, the shell would print an error
  } catch {
    return; // no permission: end with the exit status
  }
  // No core dump from the helper shell: the command has written its own.
  const script = signal ? `ulimit -c 0; kill -${signal.slice(3)} $$` : `exit ${status}`;
  replaceBy('/bin/sh', ['sh', '-c', script], {}, platform);
}

/**
 * Node ends with a stack trace where execve fails, so this is used only for programs that every
 * Unix has at the given path.
 */
function replaceBy(program: string, words: string[], env: Env, platform: NodeJS.Platform): void {
  if (platform === 'win32' || typeof process.execve !== 'function' || !existsSync(program)) return;
  // Node ignores these two signals. A signal that is ignored stays ignored after execve; one that
  // has a handler gets the default action again.
  process.on('SIGPIPE', () => {});
  process.on('SIGXFSZ', () => {});
  process.execve(program, words, env as NodeJS.ProcessEnv);
}

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** Signals that users send to processes. Without a handler, SIGUSR1 starts Node's debugger. */
const USER_DEFINED = ['SIGUSR1', 'SIGUSR2'] as const;

/** Runs the command as a child, and passes signals on to it. */
export async function runAsChild(
  [file = '', ...args]: readonly string[],
  env: Env,
  platform: NodeJS.Platform,
): Promise<Exit> {
  const { spawn } = nodeModule('node:child_process');
  let interrupted = false;
  try {
    const child = spawn(file, args, { stdio: 'inherit', env });
    const relay = (signal: NodeJS.Signals) => {
      if (!sentByTerminal(signal, platform)) child.kill(signal);
    };
    for (const signal of STOPPING) {
      process.on(signal, () => {
        interrupted = true;
        relay(signal);
      });
    }
    if (platform !== 'win32') for (const signal of USER_DEFINED) process.on(signal, relay);
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (signal) resolve({ status: 128 + numberOf(signal), signal, interrupted });
        else resolve({ status: code ?? 1, interrupted });
      });
    });
  } catch (error) {
    return { status: cannotStart(file, error), interrupted };
  }
}

/**
 * The terminal sends Ctrl-C and Ctrl-\ to its whole foreground process group, so the command has
 * the signal already, and a second one would interrupt its handling of the first. In the
 * background, or without a terminal, the signal was sent to this process alone.
 */
function sentByTerminal(signal: string, platform: NodeJS.Platform): boolean {
  if (signal !== 'SIGINT' && signal !== 'SIGQUIT') return false;
  if (platform !== 'linux') return onTerminal();
  try {
    // proc(5): after the program's name come state, ppid, pgrp, session, tty_nr, tpgid.
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , pgrp, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return terminal !== '0' && pgrp === foreground;
  } catch {
    return onTerminal(); // /proc is not mounted
  }
}

const numberOf = (signal: NodeJS.Signals) => nodeModule('node:os').constants.signals[signal];

/** Not `process.stdin.isTTY`, which makes Node load and open streams. */
function onTerminal(): boolean {
  const { isatty } = nodeModule('node:tty');
  return isatty(0) || isatty(2);
}

/** Prints what a shell prints and gives its status: 127 for not found, 126 for not executable. */
function cannotStart(file: string, error: unknown): number {
  const code = errorCode(error);
  const missing = code === 'ENOENT';
  say(
    missing && !existsSync(file)
      ? `${file}: command not found`
      : `${file}: cannot be run (${code ?? (error instanceof Error ? error.message : 'error')})`,
  );
  return missing ? 127 : 126;
}
