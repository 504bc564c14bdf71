// commands.ts: the command line besides `run`: status, show, flush, doctor, on, off. What a user asks for by name speaks: errors go
// to stderr with the value and the legal ones, and the exit status says so (2 for usage, 1 for what failed).
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseCommand } from './command.ts';
import { decide, projectRoot, setUserChoice } from './decide.ts';
import { systemDeps } from './deps.ts';
import { describeRun } from './describe.ts';
import { hookText, installHook, uninstallHook } from './hook.ts';
import { type Format, showPreview, showRuns } from './show.ts';
import { purge } from './spool.ts';
import { statusOf, statusText } from './status.ts';
import { version } from './version.ts';

export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  const program = commandLine((code) => {
    status = code;
  });
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
  return status;
}

function commandLine(exit: (code: number) => void): Command {
  const deps = systemDeps();
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const program = new Command('lhp-otel')
    .description(
      'Records successful `lhp generate` runs as OpenTelemetry metrics: on this machine, or in your own collector.',
    )
    .version(version)
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText('after', '\nExample:\n  lhp-otel run -- lhp generate --env dev\n  lhp-otel show');

  program
    .command('run')
    .description('run a command as if without lhp-otel, and record it if it is a successful `lhp generate`')
    .usage('[--] <command…>')
    .argument('<command...>')
    .passThroughOptions()
    .addHelpText(
      'after',
      '\nExamples:\n  lhp-otel run -- lhp generate --env dev\n  lhp-otel run -- uv run lhp generate --env prod',
    )
    // cli.ts runs commands itself; this is reached with options of our own, of which there are none.
    .action(() => {});

  program
    .command('status')
    .description('what is on or off and who decided, where runs go, what is waiting')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExit status: 1 when the configuration is wrong.\n\nExample:\n  lhp-otel status --json')
    .action((options: { json?: boolean }) => {
      const state = statusOf(deps);
      print(options.json ? JSON.stringify(state, null, 2) : statusText(state));
      if (state.problems.length > 0) {
        if (!options.json) for (const problem of state.problems) process.stderr.write(`lhp-otel: ${problem}\n`);
        exit(1);
      }
    });

  program
    .command('show')
    .description('exactly what was recorded, one line a run')
    .option('-n, --last <count>', 'the newest runs only', positive, 10)
    .option(
      '--format <format>',
      'event (the telemetry page’s JSON) or otlp (the exact request)',
      format,
      'event' as Format,
    )
    .option('--preview', 'what would be recorded for the project in this folder, now; nothing is kept')
    .argument('[command...]', 'with --preview: the generate command to look at', ['lhp', 'generate', '--env', 'dev'])
    .addHelpText(
      'after',
      '\nExamples:\n  lhp-otel show --last 1\n  lhp-otel show --format otlp\n  lhp-otel show --preview -- lhp generate --env prod',
    )
    .action(async (words: string[], options: { last: number; format: Format; preview?: boolean }) => {
      const root = projectRoot(deps.cwd);
      const { consent, paths } = decide(deps, root);
      if (!options.preview) {
        for (const line of showRuns(paths, options.last, options.format)) print(line);
        return;
      }
      const generate = parseCommand(words, deps.cwd);
      if (!generate)
        throw new Error(`"${words.join(' ')}" is no lhp generate command; it must be like: lhp generate --env dev`);
      const folder = projectRoot(generate.cwd);
      if (folder === undefined) throw new Error('no lhp.yaml here or above: nothing would be recorded');
      if (!consent.enabled) throw new Error(`telemetry is off (${consent.layer}): nothing would be recorded`);
      const job = { startedAt: 0, durationSeconds: 0, root: folder, generate, deliver: false };
      print(await showPreview(await describeRun(job, deps, paths), options.format));
    });

  program
    .command('flush')
    .description('deliver what is waiting now, and wait for it')
    .addHelpText('after', '\nExit status: 1 when something is still waiting afterwards.')
    .action(async () => {
      const { flush } = await import('./flush.ts');
      const { text, ok } = await flush(deps);
      if (!ok) throw new Error(text);
      print(text);
    });

  program
    .command('hook')
    .description('print a shell function called lhp that records without Node in front of the command')
    .usage('bash|zsh|fish|pwsh | --install [shell] | --uninstall [shell]')
    .argument('[shell]', 'bash, zsh, fish or pwsh; to install, the one in $SHELL if none is given')
    .option('--install', 'let the shell load it when it starts')
    .option('--uninstall', 'take that back')
    .addHelpText('after', '\nExamples:\n  lhp-otel hook --install\n  eval "$(lhp-otel hook zsh)"')
    .action((shell: string | undefined, options: { install?: boolean; uninstall?: boolean }, command: Command) => {
      if (options.install && options.uninstall) command.error('error: give --install or --uninstall, not both');
      const { paths } = decide(deps, undefined);
      if (options.install) print(`${installHook(shell, deps, paths)} loads the hook; it is there in new shells`);
      else if (options.uninstall) print(`${uninstallHook(shell, deps, paths)} does not load the hook any more`);
      else if (shell === undefined) command.error('error: say for which shell: bash, zsh, fish or pwsh');
      else process.stdout.write(hookText(shell));
    });

  program
    .command('doctor')
    .description('why runs do not arrive: looks at each step of their way, and says what to do; sends no run')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExit status: 1 when a step fails.\n\nExample:\n  lhp-otel doctor')
    .action(async (options: { json?: boolean }) => {
      const { diagnose, diagnosisText } = await import('./doctor.ts');
      const diagnosis = await diagnose(deps);
      print(options.json ? JSON.stringify(diagnosis, null, 2) : diagnosisText(diagnosis));
      if (!diagnosis.ok) exit(1);
    });

  program
    .command('on')
    .description('take back `lhp-otel off`')
    .action(() => {
      const { paths } = decide(deps, undefined);
      setUserChoice(paths, true);
      const { consent } = decide(deps, projectRoot(deps.cwd));
      if (consent.enabled) print('telemetry is on');
      else print(`your own switch is on again; telemetry stays off here because of: ${consent.layer}`);
    });

  program
    .command('off')
    .description('switch off for this user, and delete what was recorded and not sent')
    .action(() => {
      const { paths } = decide(deps, undefined);
      setUserChoice(paths, false);
      const deleted = purge(paths);
      print(
        `telemetry is off; ${deleted} recorded ${deleted === 1 ? 'run' : 'runs'} not sent ${deleted === 1 ? 'was' : 'were'} deleted`,
      );
    });

  return program;
}

function positive(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}

function format(text: string): Format {
  if (text === 'event' || text === 'otlp') return text;
  throw new InvalidArgumentError('It must be event or otlp.');
}
