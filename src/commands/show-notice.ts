// tell.ts: any command that a person calls on a terminal shows the notice of the endpoint, once, on
// stderr, before it answers: so `status` says what is true afterwards. Not those that a program
// reads (`--json`, completion, the hook's text), and not those that end telemetry anyway.
import type { Command } from 'commander';
import { showNotice } from '../consent/notice.ts';
import { obstacleToRuns } from '../consent/place.ts';
import { resolveMode } from '../consent/resolve-mode.ts';
import type { Host } from '../system/host.ts';
import { projectRoot } from '../system/project-root.ts';
import { hasTrait } from './help.ts';

/**
 * Gives the function that says whether the notice was shown by this process; it shows it where it
 * is due.
 */
export function noticeTeller(program: Command, host: Host): () => Promise<boolean> {
  let shown = false;
  const tell = async () => {
    try {
      const decision = resolveMode(host, projectRoot(host.cwd));
      if (!shown && !(await obstacleToRuns(host.env, decision.paths)))
        shown = await showNotice(decision, host.env);
    } catch {
      // it cannot be noted as shown, and comes again; the command goes on
    }
    return shown;
  };
  program.hook('preAction', async (_, command) => {
    if (!hasTrait(command, 'withoutNotice') && !command.opts().json) await tell();
  });
  return tell;
}
