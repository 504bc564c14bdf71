// hook-entry.ts: what a shell hook starts in the background after a successful `lhp … generate …`:
// looks at the words exactly, and goes on as `run` does, in handover.ts. The prompt is back by
// then, so this prints nothing: its stdio is /dev/null. Arguments: the start and the end on the
// shell's clock, what became of the notice, whether the project is a bundle, and the command.
// Standard input is the project's lhp.yaml, opened by the shell before the prompt was back, or
// /dev/null.
import { setPriority, uptime } from 'node:os';
import { parseCommand } from '../command/command.ts';
import { standardInputFile } from '../job/project-facts.ts';
import { systemHost } from '../system/host.ts';
import { handOver } from '../wrap/start-reporter.ts';

/**
 * Seconds since the epoch are more than this; seconds since the machine started (fish) are less.
 */
const EPOCH_SECONDS = 1e9;

/** The machine's uptime has hundredths of a second, twice in a difference of two. */
const UPTIME_STEPS_MS = 20;

/** Whether the shell found a databricks.yml. */
const BUNDLE_WORDS: Record<string, boolean | undefined> = {
  bundle: true,
  nobundle: false,
  unknown: undefined,
};

async function main([
  start = '',
  end = '',
  notice = '',
  ...more
]: readonly string[]): Promise<void> {
  try {
    setPriority(10);
  } catch {
    // not allowed here; then at normal priority
  }
  const host = systemHost();
  // A hook that an earlier version has installed does not say it.
  const [said = '', ...behind] = more;
  const words = Object.hasOwn(BUNDLE_WORDS, said) ? behind : more;
  const generate = parseCommand(words, host.cwd);
  const [from, to] = [seconds(start), seconds(end)];
  if (!generate || Number.isNaN(to - from)) return;
  const finished = {
    generate,
    startedAt: Math.floor(milliseconds(from)),
    // Rather too early than too late: what came after the end must not look older than it.
    endedAt: Math.floor(milliseconds(to)) - (to > EPOCH_SECONDS ? 0 : UPTIME_STEPS_MS),
    // The shell's clock is the wall clock, which may have been set back meanwhile.
    durationSeconds: Math.max(0, to - from),
    bundle: BUNDLE_WORDS[said],
    lhpYaml: standardInputFile(),
  };
  await handOver(finished, host, notice);
}

/** Since the epoch. */
const milliseconds = (time: number) =>
  time > EPOCH_SECONDS ? time * 1000 : Date.now() - (uptime() - time) * 1000;

/** bash writes the decimal point of the user's language. */
const seconds = (text: string) => Number.parseFloat(text.replace(',', '.'));

main(process.argv.slice(2)).then(
  () => process.exit(0),
  () => process.exit(1),
);
