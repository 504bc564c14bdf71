// run.ts: `lhp-otel run`: runs the command as if it had been started directly (command-process.ts),
// and records a generate that succeeded (record-in-background.ts). This file and what it imports
// statically run before the user's command, so they load only a few of Node's own modules
// (docs/adr/0002-hot-path.md).
import type { Generate } from '../command/command.ts';
import { kindOf } from '../command/first-word.ts';
import { parseLhp } from '../command/lhp-options.ts';
import { environmentLayer, upstreamOff } from '../consent/consent.ts';
import { errorCode } from '../system/error.ts';
import { type Env, type Host, systemHost } from '../system/host.ts';
import { debugging, offText, say } from '../system/log.ts';
import { type Exit, endAs, replaceByCommand, runAsChild } from './command-process.ts';
import type { CompletedGenerate, Prepared } from './record-in-background.ts';

/** Runs the command, and resolves to the exit status of `lhp-otel run`. */
export async function run(words: readonly string[], host: Host = systemHost()): Promise<number> {
  const env = upstreamOff(host.env) ? { ...host.env, LHP_TELEMETRY: 'off' } : host.env;
  const { generate, reason } = await recognize(words, host);
  const speak: (text: string) => unknown =
    generate?.verbose || debugging(host.env) ? say : () => {};
  if (reason !== undefined) {
    speak(reason);
    replaceByCommand(words, env, host.platform); // returns where the platform cannot
  }
  const recorded = reason === undefined ? generate : undefined;

  const startedAt = host.now();
  // Not performance.now(): its first use loads a dozen of Node's modules.
  const started = process.hrtime.bigint();
  const ended = runAsChild(words, recorded ? withoutHeaders(env) : env, host.platform);
  const loading = recorded && prepareSoon(recorded, host);
  const exit = await ended;
  const durationSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  const times = { startedAt, endedAt: host.now(), durationSeconds };
  if (recorded)
    await recordIfSuccessful(
      { generate: recorded, ...times },
      exit,
      host,
      speak,
      loading?.(),
    ).catch(
      // An update has removed our files while the command ran.
      () => speak('telemetry failed (lhp-otel is not there any more): nothing recorded'),
    );
  endAs(exit, host.platform);
  return exit.status;
}

const NO_GENERATE = 'this is no lhp generate: nothing recorded, no network activity';

/** What is known before the command starts. Whatever fails here, the command runs. */
async function recognize(
  words: readonly string[],
  host: Host,
): Promise<{ generate?: Generate | undefined; reason?: string | undefined }> {
  try {
    const generate = await generateOf(words, host);
    return { generate, reason: generate ? await whyNotRecorded(generate, host) : NO_GENERATE };
  } catch (error) {
    const what = errorCode(error) ?? 'internal error';
    return { reason: `telemetry failed (${what}): nothing recorded, no network activity` };
  }
}

/**
 * Reads the words as command.ts does, which is loaded only where another program stands before lhp.
 */
async function generateOf(
  words: readonly string[],
  { cwd, env }: Host,
): Promise<Generate | undefined> {
  const [file = '', ...more] = words;
  const kind = kindOf(file);
  if (kind === 'other')
    return (await import('../command/command.ts')).parseCommand(words, cwd, env);
  const options = kind === 'lhp' ? parseLhp(more) : undefined;
  return options && { program: { kind: 'lhp', file, launches: [] }, cwd, ...options };
}

/** The opt-out in our own environment, or in what a wrapper or launcher sets for lhp. */
async function whyNotRecorded({ program }: Generate, host: Host): Promise<string | undefined> {
  const layer = environmentLayer(host.env);
  if (layer) return offText(layer);
  if (program.launches.length === 0) return undefined;
  const { switchBetween } = await import('../command/switches.ts');
  const between = switchBetween(program.launches, host);
  if (!between) return undefined;
  return 'layer' in between
    ? offText(between.layer)
    : `${between.unknown} may say off to lhp: nothing recorded, no network activity`;
}

/**
 * The command that is recorded, and the code that it loads, need no credentials of the collector.
 */
function withoutHeaders(env: Env): Env {
  if (env.LHP_OTEL_EXPORTER_OTLP_HEADERS === undefined) return env; // to copy it takes time
  const { LHP_OTEL_EXPORTER_OTLP_HEADERS: _, ...others } = env;
  return others;
}

/**
 * A command that ends sooner has failed at once, mostly, and nothing is prepared for it. Any
 * generate of lhp takes longer.
 */
const PREPARE_AFTER_MS = 100;

/** What follows the command; loaded while it runs, where it runs for long enough. */
type Recording = typeof import('./record-in-background.ts');

interface Loading {
  recording: Promise<Recording>;
  prepared: Promise<Prepared | undefined>;
}

/** Gives a function that is called when the command has ended, and returns what was prepared. */
function prepareSoon(generate: Generate, host: Host): () => Loading | undefined {
  let loading: Loading | undefined;
  const timer = setTimeout(() => {
    const recording = import('./record-in-background.ts');
    const prepared = recording.then(
      ({ prepareRecording }) => prepareRecording(generate, host),
      () => undefined, // `recording` is awaited at the end
    );
    loading = { recording, prepared };
  }, PREPARE_AFTER_MS);
  return () => {
    clearTimeout(timer);
    return loading;
  };
}

async function recordIfSuccessful(
  completed: CompletedGenerate,
  exit: Exit,
  host: Host,
  speak: (text: string) => unknown,
  loading: Loading | undefined,
): Promise<void> {
  const { generate } = completed;
  // A command that was interrupted may still end with 0.
  if (exit.status !== 0 || exit.interrupted) {
    const what = exit.interrupted ? 'was interrupted' : `ended with ${exit.status}`;
    return void speak(`the command ${what}: nothing recorded, no network activity`);
  }
  if (generate.doubts && (await import('../command/programs.ts')).isDoubtful(generate, host))
    return void speak(
      'whether this was a generate cannot be told: nothing recorded, no network activity',
    );
  const { recordInBackground } = await (loading?.recording ?? import('./record-in-background.ts'));
  await recordInBackground({ ...completed, prepared: await loading?.prepared }, host);
}
