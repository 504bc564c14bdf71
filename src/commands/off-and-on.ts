// off-and-on.ts: the commands `off` and `on`, which switch telemetry off and on for this user.
import type { Command } from 'commander';
import { decidedBy } from '../consent/consent.ts';
import { obstacleToChoice, obstacleToRuns } from '../consent/place.ts';
import { resolveMode, setUserChoice } from '../consent/resolve-mode.ts';
import { deleteUnsent } from '../spool/purge.ts';
import { errorCode } from '../system/error.ts';
import type { Host } from '../system/host.ts';
import type { Paths } from '../system/paths.ts';
import { projectRoot } from '../system/project-root.ts';
import type { Context } from './context.ts';
import { explain } from './help.ts';

export function addOff(program: Command, { host, print }: Context): void {
  explain(
    program
      .command('off')
      .summary('stop recording')
      .description(
        'Switches telemetry off for this user, and deletes the runs that wait to be sent. ' +
          'The history on this machine stays.',
      )
      .action(async () => {
        const { paths } = resolveMode(host, undefined);
        setChoice(paths, false);
        print(`telemetry is off; ${await deleteWaiting(paths, host)}`);
      }),
    {
      remarks: [
        'For one project: a file .lhp_do_not_track beside lhp.yaml. ' +
          'For one command: DO_NOT_TRACK=1.',
        'lhp-otel purge deletes the runs that were sent, or recorded for this machine only.',
      ],
      exits: [['1', 'nothing was changed, and stderr says why']],
      examples: [['lhp-otel off', '']],
      withoutNotice: true,
    },
  );
}

/** Says what was deleted. The choice is stored already, and holds even if this fails. */
async function deleteWaiting(paths: Paths, host: Host): Promise<string> {
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
}

export function addOn(program: Command, { host, print, showNotice }: Context): void {
  explain(
    program
      .command('on')
      .summary('undo `lhp-otel off`')
      .description('Undoes `lhp-otel off`. If another opt-out still applies, it is named.')
      .action(async () => {
        const { paths } = resolveMode(host, undefined);
        setChoice(paths, true);
        const { consent } = resolveMode(host, projectRoot(host.cwd));
        await showNotice();
        if (consent.enabled) print('telemetry is on');
        else
          print(
            'your own switch is on again; telemetry stays off here because of: ' +
              decidedBy(consent),
          );
      }),
    {
      exits: [['1', 'nothing was changed, and stderr says why']],
      examples: [['lhp-otel on', '']],
    },
  );
}

function setChoice(paths: Paths, enabled: boolean): void {
  const obstacle = obstacleToChoice(paths);
  if (obstacle) throw new Error(`nothing was changed: ${obstacle.what}: ${obstacle.advice}`);
  setUserChoice(paths, enabled);
}
