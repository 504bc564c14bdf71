// commands.ts: the command line, except for `run` (src/bin/cli.ts starts that one directly, because
// it must start fast). Building the program has no effects: help, completion, the manual page and
// the tests are all derived from it.
//
// A command that a user calls by name reports its errors on stderr, with the wrong value and the
// legal ones. The exit status is 2 for a usage error and 1 for any other failure.
import { type Command, CommanderError } from 'commander';
import { systemHost } from '../system/host.ts';
import { say } from '../system/log.ts';
import { type Copy, thisCopy } from '../system/package.ts';
import { isOutputClosed, outputProblem, print, printError, watchOutput } from '../system/print.ts';
import { version } from '../system/version.ts';
import { addCompletion } from './completion.ts';
import type { Context, Run } from './context.ts';
import { addDoctor } from './doctor.ts';
import { addFlush } from './flush.ts';
import { addHelp, explain, hasTrait, layOut } from './help.ts';
import { addHook } from './hook.ts';
import { addOff, addOn } from './off-and-on.ts';
import { addPurge } from './purge.ts';
import { addRun } from './run.ts';
import { addShow } from './show.ts';
import { noticeTeller } from './show-notice.ts';
import { addStats } from './stats.ts';
import { addStatus } from './status.ts';
import { helpHint, UsageError, UserCommand } from './usage.ts';
import { addView } from './view.ts';

/**
 * Every command, in the order of the help. To add one: write its file in this folder, and name it
 * here.
 */
const GROUPS: readonly {
  title: string;
  add: readonly ((program: Command, context: Context) => void)[];
}[] = [
  { title: 'Record:', add: [addRun, addHook] },
  { title: 'See what was recorded:', add: [addShow, addStats, addView] },
  { title: 'Delivery:', add: [addStatus, addDoctor, addFlush] },
  { title: 'Switches:', add: [addOff, addOn, addPurge] },
  // `help` comes last: its argument is the name of any command before it.
  { title: 'More:', add: [addCompletion, addHelp] },
];

/** Parses and runs a command line; the result is the exit status. */
export async function main(argv: readonly string[], run: Run): Promise<number> {
  let status = 0;
  let onlyPrinted = false;
  const program = commandLine(run, (code) => {
    status = code;
  });
  program.hook('preAction', (_, command) => {
    onlyPrinted = hasTrait(command, 'onlyPrints');
  });
  const flushOutput = watchOutput((error) => process.exit(statusAfter(error, status)));
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof UsageError) {
      say(error.message);
      printError(...error.hints, helpHint(program, argv.slice(2)));
      return 2;
    }
    if (!(error instanceof CommanderError)) throw error;
    // commander throws after it has printed help or the version.
    status = error.exitCode === 0 ? 0 : 2;
    onlyPrinted = true;
  }
  const problem = await flushOutput();
  if (problem) return statusAfter(problem, status);
  if (status === 0 && onlyPrinted && isOutputClosed()) {
    say('stdout is closed: the output cannot be written');
    return 1;
  }
  return status;
}

/**
 * The exit status if stdout could not be written. A closed pipe (`| head`) is no failure, anything
 * else is.
 */
function statusAfter(error: Error, status: number): number {
  const problem = outputProblem(error);
  if (problem === undefined) return status;
  say(problem);
  return status || 1;
}

const KINDS: Record<Copy['kind'], string> = {
  npm: 'installed with npm',
  pip: 'installed with pip',
  files: 'not installed with npm or pip',
};

function versionText(): string {
  const { kind, folder } = thisCopy();
  return [
    `lhp-otel ${version}`,
    `${KINDS[kind]}, in ${folder}`,
    `Node ${process.version}, ${process.execPath}`,
  ].join('\n');
}

/** Builds the program. `exit` is called with the exit status of a command that is not 0. */
export function commandLine(
  run: Run = async () => 0,
  exit: (code: number) => void = () => {},
): Command {
  const program = new UserCommand('lhp-otel')
    .description(
      'Records successful `lhp generate` runs as OpenTelemetry metrics: on this machine, or in ' +
        'your own collector.',
    )
    .version(versionText(), '-V, --version', 'print the version, and where it is installed')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .enablePositionalOptions();
  layOut(program);
  const host = systemHost();
  const context: Context = { host, print, exit, run, showNotice: noticeTeller(program, host) };
  for (const { title, add } of GROUPS) {
    program.commandsGroup(title);
    for (const addCommand of add) addCommand(program, context);
  }
  explain(program, {
    exits: [
      ['0', 'success'],
      ['1', 'failure; stderr says why'],
      ['2', 'usage error'],
      ['n', '`run` exits with the status of its command'],
    ],
    examples: [
      ['lhp-otel run -- lhp generate --env dev', 'record one generate'],
      ['lhp-otel hook --install', 'record every generate in new shells'],
      ['lhp-otel show --last 1', 'see what was recorded'],
    ],
  });
  return program;
}
