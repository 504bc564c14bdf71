// control.ts: the user's own switches: `off`, `on`, `purge`.
import type { Command } from 'commander';
import { decide, projectRoot, setUserChoice } from '../decide/decide.ts';
import { purge } from '../spool/spool.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { addPurge } from './purge.ts';

export function addControlCommands(program: Command, context: Context): void {
  const { deps, print } = context;
  explain(
    program
      .command('off')
      .summary('record nothing any more')
      .description('Switches off for this user, and deletes what was recorded and not sent.')
      .action(() => {
        const { paths } = decide(deps, undefined);
        setUserChoice(paths, false);
        const deleted = purge(paths);
        print(
          `telemetry is off; ${deleted} recorded ${deleted === 1 ? 'run' : 'runs'} not sent ${deleted === 1 ? 'was' : 'were'} deleted`,
        );
      }),
    {
      remarks: ['For one project: a file .lhp_do_not_track beside lhp.yaml. For one command: DO_NOT_TRACK=1.'],
      examples: [['lhp-otel off', '']],
    },
  );

  explain(
    program
      .command('on')
      .summary('take back `lhp-otel off`')
      .description('Takes back `lhp-otel off`. What else says off still holds, and is named.')
      .action(() => {
        const { paths } = decide(deps, undefined);
        setUserChoice(paths, true);
        const { consent } = decide(deps, projectRoot(deps.cwd));
        if (consent.enabled) print('telemetry is on');
        else print(`your own switch is on again; telemetry stays off here because of: ${consent.layer}`);
      }),
    { examples: [['lhp-otel on', '']] },
  );

  addPurge(program, context);
}
