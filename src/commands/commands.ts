// commands.ts: the command line besides `run`. What a user asks for by name speaks: errors go to
// stderr with the value and the legal ones, and the exit status says so (2 for usage, 1 for what
// failed). The program is a value without effects until it is parsed: completion, the manual page
// and the tests are made from it.
import { type Command, CommanderError } from 'commander';
import { systemHost } from '../system/host.ts';
import { say } from '../system/log.ts';
import { isOutputClosed, outputProblem, print, printError, watchOutput } from '../system/print.ts';
import { version } from '../system/version.ts';
import type { Context, Run } from './context.ts';
import { addControlCommands } from './control.ts';
import { addDeliveryCommands } from './delivery.ts';
import { explain, layOut } from './help.ts';
import { addMoreCommands } from './more.ts';
import { addRecordCommands } from './record.ts';
import { addSeeCommands } from './see.ts';
import { noticeTeller } from './show-notice.ts';
import { UsageError, UserCommand, whereToRead } from './usage.ts';

export async function main(argv: readonly string[], run: Run): Promise<number> {
  let status = 0;
  const exit = (code: number) => {
    status = code;
  };
  const program = commandLine(run, exit);
  const words = argv.slice(2);
  const written = watchOutput((error) => process.exit(statusOf(error, status)));
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof UsageError) {
      say(error.message);
      printError(...error.hints, whereToRead(program, words));
      return 2;
    }
    if (!(error instanceof CommanderError)) throw error;
    status = error.exitCode === 0 ? 0 : 2;
  }
  const problem = await written();
  if (problem) return statusOf(problem, status);
  if (status === 0 && isAllOutput(words) && isOutputClosed()) {
    say('stdout is closed: nobody can read what was asked for');
    return 1;
  }
  return status;
}

/**
 * A reader that has gone (`| head`) has had enough; what was not written for another reason is a
 * failure.
 */
function statusOf(error: NodeJS.ErrnoException, status: number): number {
  const problem = outputProblem(error);
  if (problem === undefined) return status;
  say(problem);
  return status || 1;
}

/**
 * Whether the command is for nothing but what it prints; the others have done something, or answer
 * by their status.
 */
function isAllOutput(words: readonly string[]): boolean {
  const [name] = words.filter((word) => word !== '--');
  if (name === 'hook') return !words.some((word) => /^--(un)?install$/.test(word));
  return ['show', 'stats', 'completion', 'help', '--help', '-h', '--version', '-V'].includes(
    name ?? '',
  );
}

export function commandLine(
  run: Run = async () => 0,
  exit: (code: number) => void = () => {},
): Command {
  const program = new UserCommand('lhp-otel')
    .description(
      'Records successful `lhp generate` runs as OpenTelemetry metrics: on this machine, or in your own collector.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .enablePositionalOptions();
  layOut(program);
  const host = systemHost();
  const context: Context = { host, print, exit, run, showNotice: noticeTeller(program, host) };
  program.commandsGroup('Record:');
  addRecordCommands(program, context);
  program.commandsGroup('See what was recorded:');
  addSeeCommands(program, context);
  program.commandsGroup('Delivery:');
  addDeliveryCommands(program, context);
  program.commandsGroup('Switches:');
  addControlCommands(program, context);
  program.commandsGroup('More:');
  addMoreCommands(program);
  explain(program, {
    exits: [
      ['0', 'done'],
      ['1', 'it failed, and stderr says why'],
      ['2', 'it was called wrongly'],
      ['n', '`run` ends as its command ended'],
    ],
    examples: [
      ['lhp-otel run -- lhp generate --env dev', 'record one generate'],
      ['lhp-otel hook --install', 'in new shells, record all'],
      ['lhp-otel show --last 1', 'see what was recorded'],
    ],
  });
  return program;
}
