// hook.ts: the command `hook`, which lets the shell record runs.
import type { Command } from 'commander';
import { resolveMode } from '../consent/resolve-mode.ts';
import { hookText, type Installed, installHook, uninstallHook } from '../hook/hook.ts';
import { askNewShell } from '../hook/new-shell.ts';
import { SHELL_NAMES } from '../hook/shells.ts';
import { printable, say } from '../system/log.ts';
import { printScript } from '../system/print.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { inWords, wordArgument } from './usage.ts';

export function addHook(program: Command, context: Context): void {
  const { host, print } = context;
  const hook = program
    .command('hook')
    .summary('let the shell record plain `lhp generate`')
    .description(
      'Prints a shell function called lhp that records without Node in front of the command, ' +
        'or installs it for the shell.',
    )
    .usage('<shell> | --install [shell] | --uninstall [shell]')
    .addArgument(
      wordArgument(
        'hook',
        '[shell]',
        'to install, the one in $SHELL if none is given',
        SHELL_NAMES,
      ),
    )
    .option('--install', 'let the shell load it when it starts')
    .option('--uninstall', 'remove it again, byte for byte')
    .action(
      async (shell: string | undefined, options: { install?: boolean; uninstall?: boolean }) => {
        if (options.install && options.uninstall)
          hook.error('error: give --install or --uninstall, not both');
        const { paths } = resolveMode(host, undefined);
        if (options.install) await install(installHook(shell, host, paths), context);
        else if (options.uninstall)
          print(`${uninstallHook(shell, host, paths)} no longer loads the hook`);
        else if (shell === undefined)
          hook.error(`error: name the shell: ${inWords(SHELL_NAMES, 'or')}`);
        else printScript(hookText(shell));
      },
    );
  const printsScript = (options: Record<string, unknown>) => !options.install && !options.uninstall;
  explain(hook, {
    remarks: [
      'Open shells keep the hook that they have loaded until they end.',
      'After --install a new shell is started once, to check that it has the function. ' +
        'It reads your start files, has no terminal, and is ended after 10 seconds.',
    ],
    exits: [['1', 'the shell’s file cannot be changed, or a new shell does not load it']],
    examples: [
      ['lhp-otel hook --install', 'for the shell in $SHELL'],
      ['lhp-otel hook --uninstall fish', 'remove it from fish'],
      ['eval "$(lhp-otel hook zsh)"', 'for this shell only'],
    ],
    onlyPrints: printsScript,
    withoutNotice: printsScript,
  });
}

/** Prints what was done, and whether a new shell has the hook. */
async function install(installed: Installed, { host, print, exit }: Context): Promise<void> {
  const { shellName, rc, before } = installed;
  const shown = printable(inHome(rc, host.home));
  if (before === 'same') print(`${shown} loads the hook already, and it is up to date`);
  else if (before === 'renewed') print(`${shown} loads the hook already, and it is renewed`);
  else print(`${shown} loads the hook now`);
  const { has, lines } = await askNewShell(shellName, shown, host);
  if (has !== 'no') return print(...lines);
  for (const line of lines) say(line);
  exit(1);
}

/** A path below the home folder as `~/…`. */
const inHome = (path: string, home: string | undefined) =>
  home !== undefined && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
