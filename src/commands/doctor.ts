// doctor.ts: the command `doctor`.
import type { Command } from 'commander';
import { hanging, printJson } from '../system/print.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';

export function addDoctor(program: Command, { host, print, exit }: Context): void {
  const doctor = program
    .command('doctor')
    .summary('why runs do not arrive, and what to do')
    .description(
      'Checks each step from consent to the clock of the collector, and says what to do. ' +
        'It sends no run.',
    )
    .option('--json', 'as one JSON object')
    .action(async (options: { json?: boolean }) => {
      const { diagnose, diagnosisText, DOCTOR_COLUMN } = await import('../doctor/doctor.ts');
      const diagnosis = await diagnose(host);
      if (options.json) printJson(diagnosis, 2);
      else print(...hanging(diagnosisText(diagnosis), DOCTOR_COLUMN));
      if (!diagnosis.ok) exit(1);
    });
  explain(doctor, {
    exits: [['1', 'a check failed']],
    examples: [
      ['lhp-otel doctor', ''],
      ['lhp-otel doctor --json', 'for a program'],
    ],
  });
}
