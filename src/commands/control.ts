// control.ts: the user's own switches: `off`, `on`, `purge`.
import type { Command } from 'commander';
import { decidedBy } from '../consent/consent.ts';
import { obstacleToChoice, obstacleToRuns } from '../consent/place.ts';
import { resolveMode, setUserChoice } from '../consent/resolve-mode.ts';
import { deleteUnsent } from '../spool/purge.ts';
import { errorCode } from '../system/error.ts';
import type { Paths } from '../system/paths.ts';
import { projectRoot } from '../system/project-root.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';
import { addPurge } from './purge.ts';

function setChoice(paths: Paths, enabled: boolean): void {
  const obstacle = obstacleToChoice(paths);
  if (obstacle) throw new Error(`nothing was changed: ${obstacle.what}: ${obstacle.advice}`);
  setUserChoice(paths, enabled);
}

export function addControlCommands(program: Command, context: Context): void {
  const { host, print, showNotice } = context;
  /** What there is to say of what waited. The choice is kept, whatever comes of this. */
  const deleteWaiting = async (paths: Paths): Promise<string> => {
    try {
      const deleted = deleteUnsent(paths);
      return deleted === 1
        ? '1 run that was to be sent is deleted'
        : `${deleted} runs that were to be sent are deleted`;
    } catch (error) {
      const obstacle = await obstacleToRuns(host.env, paths);
      const why = obstacle ? `${obstacle.what}: ${obstacle.advice}` : errorCode(error);
      return `what waits is not sent, but not all of it can be deleted: ${why}`;
    }
  };
  explain(
    program
      .command('off')
      .summary('record nothing any more')
      .description(
        'Switches off for this user, and deletes what waits to be sent. The history on this machine stays.',
      )
      .action(async () => {
        const { paths } = resolveMode(host, undefined);
        setChoice(paths, false);
        print(`telemetry is off; ${await deleteWaiting(paths)}`);
      }),
    {
      remarks: [
        'For one project: a file .lhp_do_not_track beside lhp.yaml. For one command: DO_NOT_TRACK=1.',
        'What was recorded for this machine only, or was sent, is deleted by lhp-otel purge.',
      ],
      exits: [['1', 'it did not take, and stderr says why']],
      examples: [['lhp-otel off', '']],
    },
  );

  explain(
    program
      .command('on')
      .summary('take back `lhp-otel off`')
      .description('Takes back `lhp-otel off`. What else says off still holds, and is named.')
      .action(async () => {
        const { paths } = resolveMode(host, undefined);
        setChoice(paths, true);
        const { consent } = resolveMode(host, projectRoot(host.cwd));
        await showNotice();
        if (consent.enabled) print('telemetry is on');
        else
          print(
            `your own switch is on again; telemetry stays off here because of: ${decidedBy(consent)}`,
          );
      }),
    { exits: [['1', 'it did not take, and stderr says why']], examples: [['lhp-otel on', '']] },
  );

  addPurge(program, context);
}
