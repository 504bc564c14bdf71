// finished.ts: what a shell hook starts in the background after a successful `lhp … generate …`: looks at the words exactly, and
// goes on as `run` does, in handover.ts. The prompt is back by then, so this prints nothing: its stdio is /dev/null.
// Arguments: the start and the end on the shell's clock, what became of the notice, and the command.
import { setPriority, uptime } from 'node:os';
import { systemDeps } from './system/deps.ts';
import { parseCommand } from './wrap/command.ts';
import { handOver, leaveNotice } from './wrap/handover.ts';

/** Seconds since the epoch are more than this; seconds since the machine started (fish) are less. */
const EPOCH_SECONDS = 1e9;

async function main([start = '', end = '', notice = '', _bundle = '', ...words]: readonly string[]): Promise<void> {
  try {
    setPriority(10);
  } catch {
    // not allowed here; then at normal priority
  }
  const deps = systemDeps();
  const generate = parseCommand(words, deps.cwd);
  const [from, to] = [seconds(start), seconds(end)];
  if (!generate || Number.isNaN(to - from)) return;
  const startedAt = Math.floor(from > EPOCH_SECONDS ? from * 1000 : Date.now() - (uptime() - from) * 1000);
  // The shell's clock is the wall clock, which may have been set back meanwhile.
  const durationSeconds = Math.max(0, to - from);
  await handOver({ generate, startedAt, durationSeconds }, deps, (decision, env) => leaveNotice(decision, env, notice));
}

/** bash writes the decimal point of the user's language. */
const seconds = (text: string) => Number.parseFloat(text.replace(',', '.'));

main(process.argv.slice(2)).then(
  () => process.exit(0),
  () => process.exit(1),
);
