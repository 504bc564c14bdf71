// run.ts: starts the command and behaves as if it were the command: same stdin, stdout, stderr and
// terminal, same signals, same exit status. Where nothing will be recorded it *becomes* the
// command; else it waits for it, and what comes after a successful generate is handover.ts's. This
// file and everything it imports stand before the user's command, so they load nothing but a few of
// Node's own modules (docs/adr/0002-hot-path.md).
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Generate } from '../command/command.ts';
import { kindOf } from '../command/first-word.ts';
import { parseLhp } from '../command/lhp-options.ts';
import { environmentLayer, type Layer, upstreamOff } from '../consent/consent.ts';
import { type Env, type Host, systemHost } from '../system/host.ts';
import { debugging, say, sayOff } from '../system/log.ts';

/** Runs the command; resolves to the exit status that is ours then. */
export async function run(words: readonly string[], host: Host = systemHost()): Promise<number> {
  const env = upstreamOff(host.env) ? { ...host.env, LHP_TELEMETRY: 'off' } : host.env;
  const generate = await generateOf(words, host);
  const speaks = generate?.verbose || debugging(host.env);
  const off = generate && (await whatSaysOff(generate, host));
  if (speaks && off?.layer) sayOff(off.layer);
  if (speaks && off?.unknown)
    say(`${off.unknown} may say off to lhp: nothing recorded, no network activity`);
  if (speaks && !generate) say('this is no lhp generate: nothing recorded, no network activity');
  if (!generate || off) become(words, env, host.platform);

  const startedAt = Date.now();
  // Not performance.now(): the first use of that global loads a dozen of Node's modules.
  const started = process.hrtime.bigint();
  const exit = await runChild(words, generate && !off ? withoutHeaders(env) : env);
  const durationSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  const endedAt = Date.now();
  // A failed or interrupted run records nothing, also when lhp handled the interrupt and ended with
  // 0.
  if (generate && !off && exit.status === 0 && !exit.interrupted) {
    if (generate.doubts && (await import('../command/programs.ts')).isDoubtful(generate, host)) {
      if (speaks)
        say('whether this was a generate cannot be told: nothing recorded, no network activity');
    } else {
      const { handOver } = await import('./start-reporter.ts');
      await handOver({ generate, startedAt, endedAt, durationSeconds }, host);
    }
  } else if (speaks && generate && !off) {
    say(
      `the command ${exit.interrupted ? 'was interrupted' : `ended with ${exit.status}`}: nothing recorded, no network activity`,
    );
  }
  endAs(exit, host.platform);
  return exit.status;
}

/** As command.ts reads the words, which is loaded only where another program stands before lhp. */
async function generateOf(
  words: readonly string[],
  { cwd, env }: Host,
): Promise<Generate | undefined> {
  const [file = '', ...more] = words;
  const kind = kindOf(file);
  if (kind === 'other')
    return (await import('../command/command.ts')).parseCommand(words, cwd, env);
  const options = kind === 'lhp' ? parseLhp(more) : undefined;
  return options && { program: { kind: 'lhp', file, launches: [] }, cwd, ...options };
}

/**
 * What is recorded has no use for the collector's credentials, and neither has code that it loads.
 */
function withoutHeaders(env: Env): Env {
  const { LHP_OTEL_EXPORTER_OTLP_HEADERS: _, ...others } = env;
  return others;
}

/** The switch that is off in our own environment, or in what a wrapper or launcher sets for lhp. */
async function whatSaysOff(
  { program }: Generate,
  host: Host,
): Promise<{ layer?: Layer; unknown?: string } | undefined> {
  const layer = environmentLayer(host.env);
  if (layer) return { layer };
  if (program.launches.length === 0) return undefined;
  const { switchBetween } = await import('../command/switches.ts');
  return switchBetween(program.launches, host);
}

/**
 * Replaces this process by the command, through env(1), which looks the command up and reports as
 * the system does. Comes back where the platform cannot do it; then the command is a child.
 */
function become(words: readonly string[], env: Env, platform: NodeJS.Platform): void {
  // A name with `=` would be a variable to env(1).
  if (!words[0]?.includes('=')) replaceBy('/usr/bin/env', ['env', '--', ...words], env, platform);
}

/**
 * The end of a command that was our child: by the signal that ended it, so that a shell around us
 * sees what it would have seen (a loop stops at Ctrl-C, a job is `Terminated`), and without Node's
 * own end, which undoes what the command has set on the terminal. Comes back where an exit status
 * says it all.
 */
function endAs({ status, signal }: Exit, platform: NodeJS.Platform): void {
  if (!signal && !process.stdin.isTTY && !process.stderr.isTTY) return;
  try {
    process.chdir('/'); // a shell in a deleted folder would complain
  } catch {
    return;
  }
  // The core of the command is the one that tells something.
  const script = signal ? `ulimit -c 0; kill -${signal.slice(3)} $$` : `exit ${status}`;
  replaceBy('/bin/sh', ['sh', '-c', script], {}, platform);
}

/**
 * Node ends with a stack trace where this call fails, so it is made only for programs that every
 * Unix has at this place.
 */
function replaceBy(program: string, words: string[], env: Env, platform: NodeJS.Platform): void {
  if (platform === 'win32' || typeof process.execve !== 'function' || !existsSync(program)) return;
  // Node ignores these two, and what is ignored stays ignored in the new program; what has a
  // handler does not.
  process.on('SIGPIPE', () => {});
  process.on('SIGXFSZ', () => {});
  process.execve(program, words, env as NodeJS.ProcessEnv);
}

interface Exit {
  /** As a shell gives it: 128 + n for a signal. */
  status: number;
  signal?: NodeJS.Signals;
  /** We were told to stop while the command ran. */
  interrupted: boolean;
}

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** What else a person may send to a process; the first would open Node's debugger. */
const OTHERS = ['SIGUSR1', 'SIGUSR2'] as const;

async function runChild([file = '', ...args]: readonly string[], env: Env): Promise<Exit> {
  const { spawn } = await import('node:child_process');
  let interrupted = false;
  try {
    const child = spawn(file, args, { stdio: 'inherit', env });
    const relay = (signal: NodeJS.Signals) => {
      if (!sentByTerminal(signal)) child.kill(signal);
    };
    for (const signal of STOPPING) {
      process.on(signal, () => {
        interrupted = true;
        relay(signal);
      });
    }
    if (process.platform !== 'win32') for (const signal of OTHERS) process.on(signal, relay);
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (signal) resolve({ status: 128 + constants.signals[signal], signal, interrupted });
        else resolve({ status: code ?? 1, interrupted });
      });
    });
  } catch (error) {
    return { status: cannotStart(file, error as NodeJS.ErrnoException), interrupted };
  }
}

/**
 * The terminal sends Ctrl-C and Ctrl-\ to its whole foreground process group, so the command has
 * the signal already, and to send it again would interrupt the command's own handling of the first.
 * In the background, or without a terminal, the signal was for us alone and is passed on.
 */
function sentByTerminal(signal: string): boolean {
  if (signal !== 'SIGINT' && signal !== 'SIGQUIT') return false;
  if (process.platform !== 'linux') return process.stdin.isTTY || process.stderr.isTTY;
  try {
    // proc(5): after the program's name come state, ppid, pgrp, session, tty_nr, tpgid.
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , pgrp, , terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return terminal !== '0' && pgrp === foreground;
  } catch {
    return process.stdin.isTTY || process.stderr.isTTY;
  }
}

/** What a shell says and returns: 127 for what is not there, 126 for what cannot be run. */
function cannotStart(file: string, { code, message }: NodeJS.ErrnoException): number {
  const missing = code === 'ENOENT';
  say(
    missing && !existsSync(file)
      ? `${file}: command not found`
      : `${file}: cannot be run (${code ?? message})`,
  );
  return missing ? 127 : 126;
}
