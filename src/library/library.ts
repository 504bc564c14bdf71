// library.ts: records the runs of a host, a TypeScript program with a generate command of its own:
// into the host's MeterProvider if it passes one, else through the reporter, as `lhp-otel run`
// does. Nothing here throws into the host or makes it wait.
import { existsSync } from 'node:fs';
import type { MeterProvider } from '@opentelemetry/api';
import { allowedEnvironment } from '../config/stated.ts';
import { obstacleToRunsNow } from '../consent/place.ts';
import { optOutFolder, resolveMode } from '../consent/resolve-mode.ts';
import { type GenerateEvent, HOST_KEYS, type HostKey } from '../contract/contract.ts';
import { foldSeconds } from '../contract/values.ts';
import { type Host, systemHost } from '../system/host.ts';
import { debugging, say } from '../system/log.ts';
import { reporterProgram } from '../wrap/start-reporter.ts';
import { unfitting } from './check-facts.ts';
import { recordOn } from './own-provider.ts';
import { handToReporter } from './shared-reporter.ts';

/**
 * What a host knows about one successful run. The fields and their meaning are those of the
 * telemetry page of Lakehouse Plumber (docs/privacy.md); all of them are optional.
 *
 * - The `…_count` fields, `flowgroups_using_templates` and `files_generated` are whole numbers from
 *   0 to 1,000,000. Any other number is not recorded. A count that is not given is scanned in
 *   {@link RecordOptions.projectRoot}; without that folder it is not recorded.
 * - `generation_time_seconds` is in seconds, from 0 to 604,800 (a week). A number outside this
 *   range is recorded as the nearest inside it.
 * - `environment` is 1 to 32 of `a-z`, `0-9`, `_` and `-`, `lhp_version` a version like `1.2.3`,
 *   and `python_version` a version like `3.12`. Any other text is recorded as `other`.
 * - `dry_run` and `bundle_enabled` are `false` unless they are `true`.
 */
export interface GenerateFacts extends Partial<Pick<GenerateEvent, HostKey>> {
  /**
   * Name of the project. Only its SHA-256 digest is recorded, as `project_id`; the name itself is
   * never written to disk. Without it, the project is the one in {@link RecordOptions.projectRoot},
   * or else `unknown_project`.
   */
  project_name?: string;
}

/** Where and how {@link recordGenerate} records. */
export interface RecordOptions {
  /**
   * The host's own MeterProvider. The instruments of docs/metrics.md are created on its meter
   * `lhp-otel`; resource attributes (also `service.name`), temporality, views and export are the
   * host's. Without it, the run is recorded as by `lhp-otel run`: it is written to the user's state
   * folder and delivered to the configured endpoint, if there is one. Its `service.name` is then
   * `lhp`, because the operator's gateway accepts no other.
   */
  meterProvider?: MeterProvider;
  /**
   * Folder with `lhp.yaml`, where counts that are not given are scanned. A file
   * `.lhp_do_not_track` in this folder or above it switches recording off; without `projectRoot`,
   * one in the working folder or above it.
   */
  projectRoot?: string;
}

// A bundler copies the library into the host, but not the program that it starts.
const NO_REPORTER =
  'not recorded: reporter.cjs is not beside the library; ' +
  'a bundle needs the *.cjs files of lhp-otel/dist';
const NO_PLACE = 'not recorded: nothing can be kept here (lhp-otel status says why)';

/**
 * Records one successful generate run. Returns at once and never throws.
 *
 * @param event - The fields of the run; see {@link GenerateFacts} for units and ranges.
 * @param options - See {@link RecordOptions}.
 * @returns Whether the run was handed over. `false` means that the user has opted out or that the
 *   run could not be recorded. With `LHP_OTEL_LOG=debug` a line on stderr says why, and there is a
 *   line for each value that is not recorded as it was given.
 * @example
 * recordGenerate({
 *   project_name: 'shop',
 *   environment: 'dev',
 *   files_generated: 12,
 *   generation_time_seconds: 1.5,
 * });
 */
export function recordGenerate(event: GenerateFacts, options: RecordOptions = {}): boolean {
  const host = systemHost();
  const { meterProvider, projectRoot } = options;
  try {
    const mode = resolveMode(host, optOutFolder(projectRoot ?? host.cwd));
    if (!mode.consent.enabled) return false;
    if (debugging(host.env)) for (const line of unfitting(event)) say(line);
    const facts = given(event);
    if (meterProvider) {
      const environment = allowedEnvironment(facts.environment, mode.config?.environments);
      recordOn(meterProvider, { ...facts, environment });
      return true;
    }
    const obstacle = obstacleToRunsNow(host.env, mode.paths)
      ? NO_PLACE
      : existsSync(reporterProgram())
        ? undefined
        : NO_REPORTER;
    if (obstacle && debugging(host.env)) say(obstacle);
    if (!obstacle) startRecording(facts, projectRoot, host);
    return !obstacle;
  } catch (error) {
    // Telemetry must not fail the host, nor print anything unless it is asked to.
    if (debugging(host.env)) say(`not recorded (${error instanceof Error ? error.name : 'error'})`);
    return false;
  }
}

/** The fields of {@link GenerateFacts} that have a value; nothing else of the host's object. */
function given(event: GenerateFacts): GenerateFacts {
  const fields = (['project_name', ...HOST_KEYS] as const).map((key) => [key, event[key]] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

function startRecording(known: GenerateFacts, root: string | undefined, host: Host): void {
  const durationSeconds = foldSeconds(known.generation_time_seconds);
  const endedAt = Date.now();
  const startedAt = Math.round(endedAt - durationSeconds * 1000);
  handToReporter({ startedAt, endedAt, durationSeconds, root, known, deliver: true }, host);
}
