// new-shell.ts: starts a shell as a new terminal would, and asks it whether it has loaded the hook.
// The shell reads the user's own start files, which may do anything; so it has no terminal, no
// input, a session of its own and a limit of time, and what it prints is thrown away, but for our
// own lines.
import { spawn } from 'node:child_process';
import { existsSync, rmdirSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Host } from '../system/host.ts';
import { printable } from '../system/log.ts';

/** Some people's start files take seconds. */
const START_MS = 10_000;
/** Our lines are the last ones. */
const KEPT_OUTPUT = 64 * 1024;
/** Set in a shell that is started here: start files that install the hook must not start more. */
const INSIDE = 'LHP_OTEL_NEW_SHELL';
const MARK = 'lhp-otel-new-shell:';
const ANSWER = new RegExp(`^${MARK}(\\w+)=(.*)$`, 'gm');

/** Where shells are; PATH is not asked. */
const FOLDERS = [
  ...['/bin', '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/local/bin'],
  '/run/current-system/sw/bin',
];

/**
 * What a shell is given to run: it prints what it knows, and kills itself, so that it writes no
 * history and runs no logout file.
 */
const POSIX_QUESTION = (has: string) => `
builtin printf '\\n'
${has} __lhp_otel_finish >/dev/null 2>&1 && builtin printf '${MARK}hook=%s\\n' yes
${has} lhp >/dev/null 2>&1 && builtin printf '${MARK}function=%s\\n' yes
alias lhp >/dev/null 2>&1 && builtin printf '${MARK}alias=%s\\n' yes
[ -n "\${EPOCHREALTIME-}" ] && builtin printf '${MARK}clock=%s\\n' yes
[ -n "\${ZDOTDIR-}" ] && builtin printf '${MARK}zdotdir=%s\\n' "$ZDOTDIR"
builtin printf '${MARK}end=%s\\n' yes
builtin kill -KILL $$`;
const QUESTION: Record<string, string> = {
  bash: POSIX_QUESTION('declare -F'),
  zsh: POSIX_QUESTION('typeset -f'),
  fish: `
echo
functions -q __lhp_otel_finish; and echo ${MARK}hook=yes
functions -q lhp; and echo ${MARK}function=yes
echo ${MARK}end=yes
exec /bin/sh -c :`,
};

const ALIAS =
  'but an alias lhp comes before it: what that starts is recorded if it begins with lhp';

/** What a new shell said of itself. */
type Answer = Partial<Record<'hook' | 'function' | 'alias' | 'clock' | 'zdotdir' | 'end', string>>;

/** `yes` and `no` were seen; `unknown`: no such shell was found, or it did not answer. */
export interface NewShell {
  has: 'yes' | 'no' | 'unknown';
  /** What is so, and what to do about it where it is not `yes`. Lines for a person. */
  lines: string[];
}

export async function askNewShell(shellName: string, rc: string, host: Host): Promise<NewShell> {
  if (host.env[INSIDE]) return unknown(`this shell was started by such a check itself`);
  const program = find(shellName, host);
  if (program === undefined) return unknown(`no ${shellName} was found to try it`);
  const question = QUESTION[shellName] as string;
  const made = shellName === 'fish' ? newFolders(host) : [];
  const [plain, login] = await Promise.all([
    ask(program, ['-i', '-c', question], host),
    // A login shell of bash reads other files; of zsh and fish, more files.
    shellName === 'bash' ? ask(program, ['-l', '-i', '-c', question], host) : undefined,
  ]);
  removeEmpty(made);
  if (!plain) return unknown(`a new ${program} did not answer within ${START_MS / 1000} s`);
  if (!plain.hook)
    return {
      has: 'no',
      lines: whyNot(shellName, `a new ${program} does not have it:`, rc, plain, host),
    };
  const lines = [`checked: a new ${program} has it`];
  if (plain.alias) lines.push(ALIAS);
  if (login?.end && !login.hook) lines.push(...loginAdvice(host));
  return { has: 'yes', lines };
}

const unknown = (why: string): NewShell => ({
  has: 'unknown',
  lines: [`not checked: ${why}.`, 'In a new shell `type lhp` must say that it is a function.'],
});

/** What fish makes for its history when it starts, where it is not there; the inner one first. */
function newFolders({ env, home = '' }: Host): string[] {
  const share = env.XDG_DATA_HOME || join(home, '.local', 'share');
  return [join(share, 'fish'), share, dirname(share)].filter((folder) => !existsSync(folder));
}

function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      // it was not made, or somebody has put something into it
    }
  }
}

/** The one that the user's terminals start, where it is of this kind. */
function find(shellName: string, { env }: Host): string | undefined {
  const own = env.SHELL ?? '';
  if (isAbsolute(own) && basename(own) === shellName && existsSync(own)) return own;
  return FOLDERS.map((folder) => join(folder, shellName)).find((path) => existsSync(path));
}

function whyNot(shellName: string, first: string, rc: string, seen: Answer, host: Host): string[] {
  if (!seen.end) return [`${first} it ended while it read its start files (exec, exit?)`];
  if (shellName === 'bash' && !seen.clock) return [`${first} it is older than bash 5`];
  if (seen.function) return [`${first} it has another function called lhp, which is left alone`];
  const before = host.env.ZDOTDIR || host.home;
  if (shellName === 'zsh' && seen.zdotdir && seen.zdotdir !== before)
    return [
      `${first} it reads the files in ${printable(seen.zdotdir)}.`,
      'Take it out here, and put it there:',
      '  lhp-otel hook --uninstall zsh',
      `  ZDOTDIR=${printable(seen.zdotdir)} lhp-otel hook --install zsh`,
    ];
  return [
    first,
    `it does not come to our lines in ${rc}; is there a return before them?`,
    'Move them to the beginning of that file, and try again: lhp-otel hook --install',
  ];
}

function loginAdvice({ home = '' }: Host): string[] {
  const names = ['.bash_profile', '.bash_login', '.profile'];
  const [usual = ''] = names;
  const file = names.find((name) => existsSync(join(home, name))) ?? usual;
  return [
    'but a login shell (ssh, tmux, macOS) does not: it does not read ~/.bashrc.',
    `For those, add this line to ~/${file}:`,
    '  if [ -n "$BASH_VERSION" ] && [ -r ~/.bashrc ]; then . ~/.bashrc; fi',
  ];
}

/** `undefined` where it could not be started, or did not come to an end in time. */
function ask(program: string, args: string[], { env, home }: Host): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const shell = spawn(program, args, {
      cwd: home,
      detached: true, // a session of its own: it must not take the terminal
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...env, [INSIDE]: '1' },
    });
    let text = '';
    const done = (answer: Answer | undefined) => {
      clearTimeout(timer);
      shell.stdout.destroy(); // what the start files have started may hold it open
      shell.unref();
      resolve(answer);
    };
    const timer = setTimeout(() => {
      end(shell.pid);
      done(undefined);
    }, START_MS);
    shell.on('error', () => done(undefined));
    shell.on('exit', () => setImmediate(() => done(parse(text))));
    shell.stdout.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-KEPT_OUTPUT);
      if (text.includes(`${MARK}end=yes`)) done(parse(text));
    });
  });
}

/** With what it waits for: it is a group of its own. */
function end(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended just now
  }
}

const parse = (text: string): Answer =>
  Object.fromEntries([...text.matchAll(ANSWER)].map(([, key, value]) => [key, value]));
