// report.ts: the reporter in this process, so that a test can do something at a moment that is
// always the same: after it has begun and asked for consent, while it looks for the lhp that ran,
// and before it writes or sends anything.

import type { Env } from '../../scripts/harness/sandbox.ts';
import { report } from '../../src/bin/reporter.ts';
import { parseCommand } from '../../src/command/command.ts';
import { clockOffset } from '../../src/job/job.ts';
import type { Host } from '../../src/system/host.ts';

/** A generate that has just ended. PATH is first asked for when lhp is looked for. */
export async function reportMeanwhile(cwd: string, env: Env, meanwhile: () => void): Promise<void> {
  let asked = 0;
  const watched = Object.defineProperty({ ...env }, 'PATH', {
    enumerable: true,
    get() {
      asked += 1;
      if (asked === 1) meanwhile();
      return env.PATH;
    },
  });
  const host: Host = {
    env: watched,
    platform: process.platform,
    home: env.HOME,
    cwd,
    systemConfigDir: '/nowhere',
    now: Date.now,
  };
  const generate = parseCommand(['lhp', 'generate', '--env', 'dev'], cwd);
  if (!generate) throw new Error('no generate');
  const endedAt = Date.now();
  const run = {
    startedAt: endedAt - 1000,
    endedAt,
    durationSeconds: 1,
    root: cwd,
    generate,
    deliver: true,
  };
  await report(
    {
      ...run,
      bundle: false,
      lhpYamlIsOpen: false,
      clockOffset: clockOffset({ now: Date.now }),
      watched: true,
    },
    host,
  );
  if (asked === 0) throw new Error('the reporter never looked for lhp');
}
