// commands.ts: the command line besides `run`. What a user asks for by name speaks: errors go to stderr with the value and the
// legal ones, and the exit status says so (2 for usage, 1 for what failed). The program is a value without effects until it is
// parsed: completion, the manual page and the tests are made from it.
import { Command, CommanderError } from 'commander';
import { systemDeps } from '../system/deps.ts';
import { oldestNode, version } from '../system/version.ts';
import type { Context, Run } from './context.ts';
import { addControlCommands } from './control.ts';
import { addDeliveryCommands } from './delivery.ts';
import { explain, layOut } from './help.ts';
import { addMoreCommands } from './more.ts';
import { addRecordCommands } from './record.ts';
import { addSeeCommands } from './see.ts';
import { noticeTeller } from './tell.ts';

export async function main(argv: readonly string[], run: Run): Promise<number> {
  let status = 0;
  const exit = (code: number) => {
    status = code;
  };
  const program = commandLine(run, exit);
  // A reader that has gone (`| head`) has had enough.
  process.stdout.on('error', () => process.exit(status));
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw inOldNode(error);
    status = error.exitCode === 0 ? 0 : 2;
  }
  // One that is slow gets everything: the process ends with what is in a full pipe's queue unwritten.
  await new Promise((written) => process.stdout.write('', written));
  return status;
}

/** Most commands work in an older Node as well, `off` among them; one that does not says why. */
function inOldNode(error: unknown): unknown {
  const [major, minor] = oldestNode.split('.').map(Number) as [number, number];
  const [ours, oursMinor] = process.versions.node.split('.').map(Number) as [number, number];
  if (ours > major || (ours === major && oursMinor >= minor)) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new Error(`${what}; this is Node ${process.versions.node}, and lhp-otel needs ${oldestNode} or newer`);
}

export function commandLine(run: Run = async () => 0, exit: (code: number) => void = () => {}): Command {
  const program = new Command('lhp-otel')
    .description(
      'Records successful `lhp generate` runs as OpenTelemetry metrics: on this machine, or in your own collector.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError();
  layOut(program);
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  const deps = systemDeps();
  const context: Context = { deps, print, exit, run, showNotice: noticeTeller(program, deps) };
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
  return program.showHelpAfterError(
    '(lhp-otel --help lists the commands; one that is to be recorded stands behind `lhp-otel run --`)',
  );
}
