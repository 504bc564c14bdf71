// delivery.ts: the commands about the way to the collector: `status`, `doctor`, `flush`.
import type { Command } from 'commander';
import { statusOf, statusText } from '../status.ts';
import { say } from '../system/log.ts';
import { hanging, printJson } from '../system/print.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';

/** Where the values begin. */
const STATUS_COLUMN = 15;
const DOCTOR_COLUMN = 24;

export function addDeliveryCommands(
  program: Command,
  { host, print, exit, showNotice }: Context,
): void {
  explain(
    program
      .command('status')
      .summary('on or off and who decided, where runs go, what waits')
      .description(
        'Says whether runs are recorded and which layer decided, where they go, what is waiting, and the last delivery and problem.',
      )
      .option('--json', 'as one JSON object')
      .action(async (options: { json?: boolean }) => {
        const state = await statusOf(host);
        if (options.json) printJson(state, 2);
        else print(...hanging(statusText(state), STATUS_COLUMN));
        if (state.problems.length > 0) {
          if (!options.json) for (const problem of state.problems) say(problem);
          exit(1);
        }
      }),
    {
      exits: [['1', 'the configuration is wrong, or nothing can be recorded']],
      examples: [
        ['lhp-otel status', ''],
        ['lhp-otel status --json', 'for a program'],
      ],
    },
  );

  explain(
    program
      .command('doctor')
      .summary('why runs do not arrive, and what to do')
      .description(
        'Looks at each step of a run’s way, from consent to the collector’s clock, and says what to do. It sends no run.',
      )
      .option('--json', 'as one JSON object')
      .action(async (options: { json?: boolean }) => {
        const { diagnose, diagnosisText } = await import('../doctor/doctor.ts');
        const diagnosis = await diagnose(host);
        if (options.json) printJson(diagnosis, 2);
        else print(...hanging(diagnosisText(diagnosis), DOCTOR_COLUMN));
        if (!diagnosis.ok) exit(1);
      }),
    {
      exits: [['1', 'a step fails']],
      examples: [
        ['lhp-otel doctor', ''],
        ['lhp-otel doctor --json', 'for a program'],
      ],
    },
  );

  explain(
    program
      .command('flush')
      .summary('deliver now, and wait for it')
      .description('Delivers what is waiting now, and waits for it.')
      .action(async () => {
        const { flush } = await import('../deliver/flush.ts');
        const { text, ok } = await flush(host, await showNotice());
        if (!ok) throw new Error(text);
        print(text);
      }),
    {
      remarks: [
        'For the last step of a CI job, or after a configuration was mended.',
        'Outside CI nothing is delivered before the notice of the endpoint was shown on a terminal, nor by the command that shows it.',
      ],
      exits: [['1', 'something is still waiting afterwards']],
      examples: [['lhp-otel flush', '']],
    },
  );
}
