// situation.ts: what happens to runs here and now, as one word, and the texts for it. `status`,
// `doctor`, `-v` and the local page use the same word and the same texts.
import type { Host } from '../system/host.ts';
import { type Notice, noticeOf } from './notice.ts';
import { type Obstacle, obstacleToRuns } from './place.ts';
import type { Decision } from './resolve-mode.ts';

export type Situation =
  | 'off'
  | 'not_recordable'
  | 'local'
  | 'local_misconfigured'
  | 'misconfigured'
  | 'waits_for_notice'
  | 'delivers';

export interface Found {
  situation: Situation;
  notice: Notice;
  obstacle: Obstacle | undefined;
}

/** `now` describes the state; `run` continues "a process was started to record this run". */
export const SITUATIONS: Record<Situation, { now: string; run: string }> = {
  off: { now: 'off: nothing is recorded, nothing is sent', run: '' },
  not_recordable: { now: 'on, but nothing can be recorded', run: '' },
  local: {
    now: 'on, recorded on this machine only; no endpoint is configured',
    run: 'on this machine; no endpoint is configured, no network activity',
  },
  local_misconfigured: {
    now: 'on, recorded on this machine only, because the configuration is wrong',
    run:
      'on this machine, because the configuration is wrong (lhp-otel status); ' +
      'no network activity',
  },
  misconfigured: {
    now: 'on, but the configuration is wrong: runs wait',
    run:
      'and it waits, because the configuration is wrong (lhp-otel status); ' +
      'no network activity',
  },
  waits_for_notice: {
    now: 'on, but runs wait until the notice was shown on a terminal',
    run:
      'and it waits until the notice was shown on a terminal (lhp-otel status shows it); ' +
      'no network activity',
  },
  delivers: { now: 'on, delivered to the endpoint', run: 'and delivers it' },
};

/** `@file@` stands for the operator's configuration. */
export const NOTICES: Record<Notice, string> = {
  none: 'nothing would be delivered',
  ci: 'none is shown in CI',
  operator: 'given by other means, says noticeGiven in @file@',
  shown: 'was shown on a terminal',
  due: 'not shown yet: any command of lhp-otel on a terminal shows it',
};

export async function situationOf(decision: Decision, host: Host): Promise<Found> {
  const notice = await noticeOf(decision, host.env);
  const obstacle = await obstacleToRuns(host.env, decision.paths);
  return { situation: situationFor(decision, notice, obstacle), notice, obstacle };
}

export function situationFor(
  { mode, config }: Decision,
  notice: Notice,
  obstacle?: Obstacle,
): Situation {
  const isMisconfigured = (config?.problems.length ?? 0) > 0;
  if (mode === 'off') return 'off';
  if (obstacle) return 'not_recordable';
  if (mode === 'local') return isMisconfigured ? 'local_misconfigured' : 'local';
  if (isMisconfigured) return 'misconfigured';
  return notice === 'due' ? 'waits_for_notice' : 'delivers';
}
