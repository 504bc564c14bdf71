// hook-entry.ts: the program that a shell hook starts in the background after a successful
// `lhp … generate …`. It parses the command exactly, and then does what `lhp-otel run` does
// (record-in-background.ts). The prompt is back by then, so it prints nothing: its stdout and
// stderr are /dev/null. Arguments: start and end on the shell's clock, what became of the notice,
// whether the project is a bundle, and the command. Standard input is the project's lhp.yaml, which
// the shell has opened before the prompt was back, or /dev/null.
import { setPriority, uptime } from 'node:os';
import { parseCommand } from '../command/command.ts';
import { clockDifference } from '../job/job.ts';
import { standardInputFile } from '../job/project-facts.ts';
import { type Host, systemHost } from '../system/host.ts';
import { type CompletedGenerate, recordInBackground } from '../wrap/record-in-background.ts';

/**
 * Tells the two clocks of shells apart. Seconds since the epoch are more than this, seconds since
 * the machine started (fish) are less.
 */
const EPOCH_SECONDS = 1e9;

/** The machine's uptime has hundredths of a second, and two of them are subtracted. */
const UPTIME_STEPS_MS = 20;

/** Whether the shell found a databricks.yml. */
const BUNDLE_WORDS: Record<string, boolean | undefined> = {
  bundle: true,
  nobundle: false,
  unknown: undefined,
};

async function main(words: readonly string[]): Promise<void> {
  try {
    setPriority(10);
  } catch {
    // not permitted: goes on at normal priority
  }
  const host = systemHost();
  const completed = completedGenerate(words, host);
  if (completed) await recordInBackground(completed, host, words[2] ?? '');
}

/** `undefined` where the command is no generate, or the times are no numbers. */
function completedGenerate(
  [start = '', end = '', , ...more]: readonly string[],
  host: Host,
): CompletedGenerate | undefined {
  // A hook of an earlier version does not give the word for the bundle.
  const [word = '', ...behind] = more;
  const generate = parseCommand(Object.hasOwn(BUNDLE_WORDS, word) ? behind : more, host.cwd);
  const [from, to] = [seconds(start), seconds(end)];
  if (!generate || Number.isNaN(to - from)) return undefined;
  return {
    generate,
    startedAt: Math.floor(sinceEpoch(from, host)),
    // At the earliest possible end: a later change must not look older than the end.
    endedAt: Math.floor(sinceEpoch(to, host)) - (to > EPOCH_SECONDS ? 0 : UPTIME_STEPS_MS),
    // The wall clock may have been set back while the command ran.
    durationSeconds: Math.max(0, to - from),
    bundle: BUNDLE_WORDS[word],
    lhpYaml: standardInputFile(),
  };
}

/** In milliseconds. */
const sinceEpoch = (time: number, host: Host) =>
  time * 1000 + (time > EPOCH_SECONDS ? 0 : clockDifference(host.now, () => uptime() * 1000));

/** bash writes the decimal separator of the user's locale. */
const seconds = (text: string) => Number.parseFloat(text.replace(',', '.'));

main(process.argv.slice(2)).then(
  () => process.exit(0),
  () => process.exit(1),
);
