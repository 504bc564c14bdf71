// library.ts: the same recording for a host that has a generate command of its own: into the host's
// MeterProvider when it gives one, else handed to the reporter, as the wrapper does. Errors end
// here: telemetry never throws into a host and never holds it up.
import { existsSync } from 'node:fs';
import type { MeterProvider } from '@opentelemetry/api';
import { allowedEnvironment } from '../config/stated.ts';
import { obstacleToRunsNow } from '../consent/place.ts';
import { optOutFolder, resolveMode } from '../consent/resolve-mode.ts';
import {
  foldSeconds,
  type GenerateEvent,
  OTHER,
  SCOPE_NAME,
  toRecording,
} from '../contract/contract.ts';
import { systemHost } from '../system/host.ts';
import { debugging, say } from '../system/log.ts';
import { version } from '../system/version.ts';
import { reporterProgram } from '../wrap/start-reporter.ts';
import { unfitting } from './check-facts.ts';
import { handToReporter } from './shared-reporter.ts';

/**
 * What a host knows of one successful run, in the fields of the telemetry page. All are optional; a
 * count that is not given is scanned in {@link RecordOptions.projectRoot}, if that is given, and
 * else not recorded. Values outside the contract's ranges are not recorded (numbers) or become
 * `other` (words).
 */
export interface GenerateFacts
  extends Partial<
    Pick<
      GenerateEvent,
      | 'flowgroups_count'
      | 'templates_count'
      | 'flowgroups_using_templates'
      | 'pipelines_count'
      | 'files_generated'
      | 'environment'
      | 'dry_run'
      | 'bundle_enabled'
      | 'lhp_version'
      | 'python_version'
      | 'generation_time_seconds'
    >
  > {
  /**
   * Hashed with SHA-256 before anything is written (page field `project_id`); the name itself is
   * never kept. Without it the run is one of the project `unknown_project`.
   */
  project_name?: string;
}

/** Where and how {@link recordGenerate} records. */
export interface RecordOptions {
  /**
   * The host's own MeterProvider. The instruments of the contract (docs/metrics.md) are then
   * created on its meter `lhp-otel`, and resource (`service.name` too), temporality, views and
   * export are the host's. Without it the run goes the way of the wrapper's: spooled under the
   * user's state folder and delivered to the configured endpoint, if there is one. Its
   * `service.name` is then `lhp`, as of every run: the operator's gateway lets nothing else pass.
   */
  meterProvider?: MeterProvider;
  /**
   * Folder with `lhp.yaml`: counts that are not given are scanned there. A `.lhp_do_not_track`
   * counts in it and in every folder above; without it in the working folder and above.
   */
  projectRoot?: string;
}

/** A bundler takes the library apart from the program that it starts. */
const NO_REPORTER =
  'not recorded: reporter.cjs is not beside the library; a bundle needs the *.cjs files of lhp-otel/dist';

/**
 * Where a histogram of the host's own SDK puts its values, unless a view of the host says
 * otherwise. OpenTelemetry's own boundaries are made for milliseconds: most generates would be in
 * the one bucket up to 5.
 */
const BOUNDARIES = {
  seconds: [
    0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300, 600,
  ],
  counts: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
};

/**
 * Records one successful generate run. Returns at once, with telemetry off as well; never throws.
 *
 * @param event - The fields of the run (units as in the page: seconds, counts).
 * @param options - See {@link RecordOptions}.
 * @returns Whether the run was handed over: `false` means that consent says off, or that it was not
 *   possible. With `LHP_OTEL_LOG=debug` a line on stderr says why, and one for each value that is
 *   not recorded.
 * @example recordGenerate({ project_name: 'shop', environment: 'dev', files_generated: 12,
 *   generation_time_seconds: 1.5 });
 */
export function recordGenerate(event: GenerateFacts, options: RecordOptions = {}): boolean {
  const host = systemHost();
  try {
    const { consent, config, paths } = resolveMode(
      host,
      optOutFolder(options.projectRoot ?? host.cwd),
    );
    if (!consent.enabled) return false;
    if (debugging(host.env)) for (const line of unfitting(event)) say(line);
    if (options.meterProvider) return recordOn(options.meterProvider, event, config?.environments);
    if (obstacleToRunsNow(host.env, paths)) {
      if (debugging(host.env))
        say('not recorded: nothing can be kept here (lhp-otel status says why)');
      return false;
    }
    if (!existsSync(reporterProgram())) {
      if (debugging(host.env)) say(NO_REPORTER);
      return false;
    }
    const durationSeconds = foldSeconds(event.generation_time_seconds);
    const endedAt = Date.now();
    handToReporter(
      {
        startedAt: Math.round(endedAt - durationSeconds * 1000),
        endedAt,
        durationSeconds,
        root: options.projectRoot,
        known: given(event),
        deliver: true,
      },
      host,
    );
    return true;
  } catch (error) {
    // A host must not fail, and must not hear of it unless it asks.
    if (debugging(host.env)) say(`not recorded (${error instanceof Error ? error.name : 'error'})`);
    return false;
  }
}

/** How {@link instrumentGenerate} learns about a finished run. */
export interface InstrumentOptions<Args extends unknown[], Result> extends RecordOptions {
  /**
   * The facts of the run, from its result and arguments; called after success only. What it throws
   * is swallowed and the run is recorded without facts. `generation_time_seconds` is measured
   * (monotonic clock) where it does not say it.
   */
  describe?: (result: Awaited<Result>, ...args: Args) => GenerateFacts;
}

/**
 * Wraps a generate function, synchronous or not: same arguments, same `this`, same result, same
 * errors. A successful call is recorded with {@link recordGenerate}; one that throws or rejects is
 * not.
 *
 * @param generate - The function to instrument.
 * @param options - See {@link InstrumentOptions}.
 * @returns A function to call in its place; it never throws anything of its own. A call that starts
 *   a reporter takes some milliseconds, one that shares it a fraction of one (README, "What it
 *   costs").
 */
export function instrumentGenerate<This, Args extends unknown[], Result>(
  generate: (this: This, ...args: Args) => Result,
  options: InstrumentOptions<Args, Result> = {},
): (this: This, ...args: Args) => Result {
  return function (this: This, ...args: Args): Result {
    const started = performance.now();
    const done = (result: Awaited<Result>) => {
      const seconds = (performance.now() - started) / 1000;
      recordGenerate(
        { generation_time_seconds: seconds, ...described(options, result, args) },
        options,
      );
    };
    const result = generate.apply(this, args);
    if (result instanceof Promise && result.constructor === Promise) {
      // A promise of it, and not a look at it on the side: to look would hide a rejection that
      // nobody handles.
      return result.then((value) => {
        done(value);
        return value;
      }) as Result;
    }
    // What is more than a promise stays itself, and is looked at.
    if (isThenable(result)) {
      result.then(
        (value) => done(value as Awaited<Result>),
        () => {},
      );
    } else done(result as Awaited<Result>);
    return result;
  };
}

function described<Args extends unknown[], Result>(
  options: InstrumentOptions<Args, Result>,
  result: Awaited<Result>,
  args: Args,
): GenerateFacts {
  try {
    return options.describe?.(result, ...args) ?? {};
  } catch {
    return {}; // the host's describe failed; the run took place all the same
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';

/** Only the fields of {@link GenerateFacts}: what else a host's object holds must not travel. */
function given(event: GenerateFacts): GenerateFacts {
  const { project_name, ...facts } = event;
  const {
    flowgroups_count,
    templates_count,
    flowgroups_using_templates,
    pipelines_count,
    files_generated,
  } = facts;
  const {
    environment,
    dry_run,
    bundle_enabled,
    lhp_version,
    python_version,
    generation_time_seconds,
  } = facts;
  const known = {
    ...{
      project_name,
      flowgroups_count,
      templates_count,
      flowgroups_using_templates,
      pipelines_count,
      files_generated,
    },
    ...{
      environment,
      dry_run,
      bundle_enabled,
      lhp_version,
      python_version,
      generation_time_seconds,
    },
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

function recordOn(
  provider: MeterProvider,
  facts: GenerateFacts,
  environments?: readonly string[],
): boolean {
  const meter = provider.getMeter(SCOPE_NAME, version);
  const { attributes, measurements } = toRecording({
    ...{
      event: 'lhp_generate',
      project_id: OTHER,
      machine_id: OTHER,
      is_ci: false,
      environment: OTHER,
      dry_run: false,
    },
    ...{
      bundle_enabled: false,
      lhp_version: OTHER,
      python_version: OTHER,
      generation_time_seconds: 0,
    },
    ...{
      flowgroups_count: null,
      templates_count: null,
      flowgroups_using_templates: null,
      pipelines_count: null,
      files_generated: null,
    },
    ...given(facts),
    environment: allowedEnvironment(facts.environment, environments),
  } as GenerateEvent);
  for (const { instrument, value } of measurements) {
    const { name, unit, description } = instrument;
    if (instrument.kind === 'counter')
      meter.createCounter(name, { unit, description }).add(value, attributes);
    else {
      const explicitBucketBoundaries = unit === 's' ? BOUNDARIES.seconds : BOUNDARIES.counts;
      const about = { unit, description, advice: { explicitBucketBoundaries } };
      meter.createHistogram(name, about).record(value, attributes);
    }
  }
  return true;
}
