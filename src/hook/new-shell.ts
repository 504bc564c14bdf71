// new-shell.ts: starts a shell as a new terminal would, and asks it whether it has loaded the hook.
// The shell reads the user's own start files, which may do anything. So it gets no terminal, no
// input, a session of its own and a time limit, and of its output only our own lines are read.
import { spawn } from 'node:child_process';
import { existsSync, rmdirSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import type { Host } from '../system/host.ts';
import { type Answer, MARK, type Shell, shellOf } from './shells.ts';

/** Start files can take seconds. */
const START_MS = 10_000;
/** For reading what a shell printed before it ended. */
const DRAIN_MS = 1_000;
/** Our own lines come last. */
const KEPT_OUTPUT = 64 * 1024;
/**
 * Set in a shell that is started here, so that start files which install the hook start no more.
 */
const INSIDE = 'LHP_OTEL_NEW_SHELL';
const ANSWER = new RegExp(`^${MARK}(\\w+)=(.*)$`, 'gm');

/** Folders of shells. PATH is not used: it may begin in a stranger's project. */
const FOLDERS = [
  '/bin',
  '/usr/bin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/opt/local/bin',
  '/run/current-system/sw/bin',
];

const ALIAS =
  'but an alias lhp comes before it: what that starts is recorded if it begins with lhp';

/** Whether a new shell has the hook; `unknown` if there is no such shell or it did not answer. */
export interface NewShell {
  has: 'yes' | 'no' | 'unknown';
  /** What was found and, unless it is `yes`, what to do. Lines for a person. */
  lines: string[];
}

/** @param rc - the rc file, as it is shown to a person. */
export async function askNewShell(shellName: string, rc: string, host: Host): Promise<NewShell> {
  if (host.env[INSIDE]) return unknown('this shell was itself started by such a check');
  const program = find(shellName, host);
  if (program === undefined) return unknown(`no ${shellName} was found to try it`);
  const shell = shellOf(shellName);
  const created = missingOf(shell.creates?.(host.env, host.home ?? '') ?? []);
  const [plain, login] = await Promise.all([
    ask(program, ['-i', '-c', shell.question], host),
    shell.loginFiles ? ask(program, ['-l', '-i', '-c', shell.question], host) : undefined,
  ]);
  removeEmpty(created);
  if (!plain) return unknown(`a new ${program} did not answer within ${START_MS / 1000} s`);
  if (!plain.hook) {
    const [why = '', ...advice] = whyNot(shell, rc, plain, host);
    return { has: 'no', lines: [`a new ${program} does not have it: ${why}`, ...advice] };
  }
  const lines = [`checked: a new ${program} has it`];
  if (plain.alias) lines.push(ALIAS);
  if (login?.end && !login.hook) lines.push(...loginAdvice(shell, rc, host));
  return { has: 'yes', lines };
}

const unknown = (why: string): NewShell => ({
  has: 'unknown',
  lines: [`not checked: ${why}.`, 'In a new shell `type lhp` must say that it is a function.'],
});

const missingOf = (folders: readonly string[]) => folders.filter((folder) => !existsSync(folder));

function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      // The shell did not create it, or it holds something.
    }
  }
}

/** The shell that the user's terminals start, if it is of this kind; else one of the system. */
function find(shellName: string, { env }: Host): string | undefined {
  const own = env.SHELL ?? '';
  if (isAbsolute(own) && basename(own) === shellName && existsSync(own)) return own;
  return FOLDERS.map((folder) => join(folder, shellName)).find((path) => existsSync(path));
}

/** The reason, and what to do about it. */
function whyNot(shell: Shell, rc: string, seen: Answer, { env, home }: Host): string[] {
  if (!seen.end) return ['it ended while it read its start files (exec, exit?)'];
  if (seen.function) return ['it has another function called lhp, which is left alone'];
  return (
    shell.whyNot?.(seen, env, home) ?? [
      `it does not come to our lines in ${rc}; is there a return before them?`,
      'Move them to the beginning of that file, and try again: lhp-otel hook --install',
    ]
  );
}

function loginAdvice({ loginFiles = [] }: Shell, rc: string, { home = '' }: Host): string[] {
  const file = loginFiles.find((name) => existsSync(join(home, name))) ?? loginFiles[0];
  return [
    `but a login shell (ssh, tmux, macOS) does not: it does not read ${rc}.`,
    `For those, add this line to ~/${file}:`,
    `  if [ -n "$BASH_VERSION" ] && [ -r ${rc} ]; then . ${rc}; fi`,
  ];
}

/** `undefined` if the shell could not be started, or did not answer in time. */
function ask(program: string, args: string[], { env, home }: Host): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const shell = spawn(program, args, {
      cwd: home,
      detached: true, // A session of its own, so that it cannot use the terminal.
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...env, [INSIDE]: '1' },
    });
    let text = '';
    const done = (answer: Answer | undefined) => {
      clearTimeout(timer);
      shell.stdout.destroy(); // Processes that the start files started may hold it open.
      shell.unref();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      killGroup(shell.pid);
      done(undefined);
    }, START_MS);
    shell.on('error', () => done(undefined));
    // 'close' comes after the last output; a process of the start files may hold the output open.
    shell.on('close', () => done(parse(text)));
    const drained = () => setImmediate(() => done(parse(text)));
    shell.on('exit', () => setTimeout(drained, DRAIN_MS).unref());
    shell.stdout.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-KEPT_OUTPUT);
      if (text.includes(`${MARK}end=yes`)) done(parse(text));
    });
  });
}

/** Ends the shell and everything in its process group. */
function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

const parse = (text: string): Answer =>
  Object.fromEntries([...text.matchAll(ANSWER)].map(([, key, value]) => [key, value]));
