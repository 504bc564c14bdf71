// show-notice.ts: on a terminal, a command shows the notice of the endpoint once, on stderr, before
// it runs, so that `status` describes the state after that. Commands whose output is read by a
// program (`--json`, completion, the hook's text) do not, nor do those that switch telemetry off.
import type { Command } from 'commander';
import { showNotice } from '../consent/notice.ts';
import { obstacleToRuns } from '../consent/place.ts';
import { resolveMode } from '../consent/resolve-mode.ts';
import type { Host } from '../system/host.ts';
import { projectRoot } from '../system/project-root.ts';
import { hasTrait } from './help.ts';

/**
 * Gives a function that shows the notice where it is due, and returns whether this process has
 * shown it.
 */
export function noticeTeller(program: Command, host: Host): () => Promise<boolean> {
  let shown = false;
  const tell = async () => {
    try {
      const decision = resolveMode(host, projectRoot(host.cwd));
      if (!shown && !(await obstacleToRuns(host.env, decision.paths)))
        shown = await showNotice(decision, host.env);
    } catch {
      // it cannot be noted as shown, so it is shown again next time; the command goes on
    }
    return shown;
  };
  program.hook('preAction', async (_, command) => {
    if (!hasTrait(command, 'withoutNotice') && !command.opts().json) await tell();
  });
  return tell;
}
