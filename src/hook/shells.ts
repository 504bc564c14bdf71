// shells.ts: the table of shells, one row each: where a shell loads the hook, how the hook's text
// is made, how a new shell is asked whether it has the hook, and how it completes lhp-otel. A new
// shell is a row here, a template in scripts/, and a file in completion/.
import { join } from 'node:path';
import type { Env, Host } from '../system/host.ts';
import { printable } from '../system/log.ts';
import { xdgConfig } from '../system/paths.ts';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import type { CompletedProgram } from './completion/model.ts';
import { zshCompletion } from './completion/zsh.ts';

export interface Shell {
  /** The hook's text, in scripts/, with placeholders such as `@node@`. */
  template: string;
  /** What the template's own placeholders stand for. hook.ts fills in the others. */
  pieces: Readonly<Record<string, string>>;
  /** A text as one word of this shell. */
  quote(text: string): string;
  /** The file that the shell reads when it starts, to which `hook --install` adds lines. */
  rc(env: Env, home: string, host: Host): string;
  /** The line that loads a file if it can be read. */
  source(file: string): string;
  /** Asks a new shell what it knows of the hook. */
  question: string;
  /** A login shell does not read the rc file, but the first of these that is in the home folder. */
  loginFiles?: readonly string[];
  /** Folders that the shell creates when it starts, the inner ones first. */
  creates?(env: Env, home: string): string[];
  /** Why a new shell does not have the hook, for reasons that only this shell has. */
  whyNot?(answer: Answer, env: Env, home: string | undefined): string[] | undefined;
  /** The completion script. */
  completion(program: CompletedProgram): string;
}

/** What a new shell prints about itself: `MARK` and a key, `=`, and a value. */
export type Answer = Partial<
  Record<'hook' | 'function' | 'alias' | 'clock' | 'zdotdir' | 'end', string>
>;
export const MARK = 'lhp-otel-new-shell:';

/**
 * The shell kills itself after its answer, so that it writes no history and runs no logout file.
 *
 * @param isFunction - the command that tests for a function.
 */
const posixQuestion = (isFunction: string) => `
builtin printf '\\n'
${isFunction} __lhp_otel_finish >/dev/null 2>&1 && builtin printf '${MARK}hook=%s\\n' yes
${isFunction} lhp >/dev/null 2>&1 && builtin printf '${MARK}function=%s\\n' yes
alias lhp >/dev/null 2>&1 && builtin printf '${MARK}alias=%s\\n' yes
[ -n "\${EPOCHREALTIME-}" ] && builtin printf '${MARK}clock=%s\\n' yes
[ -n "\${ZDOTDIR-}" ] && builtin printf '${MARK}zdotdir=%s\\n' "$ZDOTDIR"
builtin printf '${MARK}end=%s\\n' yes
builtin kill -KILL $$`;

const FISH_QUESTION = `
echo
functions -q __lhp_otel_finish; and echo ${MARK}hook=yes
functions -q lhp; and echo ${MARK}function=yes
echo ${MARK}end=yes
exec /bin/sh -c :`;

const posixQuote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const posixSource = (file: string) =>
  `if [ -r ${posixQuote(file)} ]; then . ${posixQuote(file)}; fi`;
const fishQuote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;

export const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    template: 'hook.sh',
    pieces: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands it
      'has-clock': '[ -n "${EPOCHREALTIME-}" ]',
      'is-function': 'declare -F',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands it
      'value-of-name': '${!name-}',
      'read-4000-characters': '\\read -r -N 4000',
      'own-options': '{ \\local -; \\set +aefuxET; } 2>/dev/null',
      'keep-private': `# Loaded under \`set -a\` they would be exported to every script.
\\export -nf lhp __lhp_otel_switch __lhp_otel_consent __lhp_otel_show_notice
\\export -nf __lhp_otel_find_project __lhp_otel_start_process __lhp_otel_finish
`,
    },
    quote: posixQuote,
    rc: (_, home) => join(home, '.bashrc'),
    source: posixSource,
    question: posixQuestion('declare -F'),
    loginFiles: ['.bash_profile', '.bash_login', '.profile'],
    whyNot: ({ clock }) => (clock ? undefined : ['it is older than bash 5']),
    completion: bashCompletion,
  },
  zsh: {
    template: 'hook.sh',
    pieces: {
      'has-clock': 'zmodload zsh/datetime 2>/dev/null',
      'is-function': 'typeset -f',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands it
      'value-of-name': '${(P)name-}',
      'read-4000-characters': '\\read -r -u 0 -k 4000',
      'own-options': `{
    \\emulate -L zsh
    \\unsetopt allexport errexit errreturn nounset xtrace bgnice warncreateglobal
  } 2>/dev/null`,
      'keep-private': '',
    },
    quote: posixQuote,
    rc: (env, home) => join(env.ZDOTDIR || home, '.zshrc'),
    source: posixSource,
    question: posixQuestion('typeset -f'),
    whyNot: otherZdotdir,
    completion: zshCompletion,
  },
  fish: {
    template: 'hook.fish',
    pieces: {},
    quote: fishQuote,
    rc: (_env, _home, host) => join(xdgConfig(host), 'fish', 'config.fish'),
    source: (file) => `if test -r ${fishQuote(file)}; source ${fishQuote(file)}; end`,
    question: FISH_QUESTION,
    creates: fishHistory,
    completion: fishCompletion,
  },
};

export const SHELL_NAMES: readonly string[] = Object.keys(SHELLS);

/** @throws if there is no such row. */
export function shellOf(name: string): Shell {
  const shell = Object.hasOwn(SHELLS, name) ? SHELLS[name] : undefined;
  if (!shell) throw new Error(`"${name}" is no shell that has a hook: ${SHELL_NAMES.join(', ')}`);
  return shell;
}

/** The name of the hook's file in the configuration folder. */
export const hookFileName = (shellName: string): string => `hook.${shellName}`;

/** fish creates the folder of its history when it starts. */
function fishHistory(env: Env, home: string): string[] {
  const share = env.XDG_DATA_HOME || join(home, '.local', 'share');
  return [join(share, 'fish'), share, join(share, '..')];
}

/** A start file such as .zshenv can set ZDOTDIR; then zsh reads another .zshrc. */
function otherZdotdir({ zdotdir }: Answer, env: Env, home: string | undefined) {
  if (!zdotdir || zdotdir === (env.ZDOTDIR || home)) return undefined;
  return [
    `it reads the files in ${printable(zdotdir)}.`,
    'Take the hook out here, and put it there:',
    '  lhp-otel hook --uninstall zsh',
    `  ZDOTDIR=${printable(zdotdir)} lhp-otel hook --install zsh`,
  ];
}
