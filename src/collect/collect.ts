// collect.ts: collects the facts of one finished run, from the command line, the project's files
// and the installation of lhp, as an event of the telemetry page. The values are not folded yet:
// toRecording (contract.ts) decides which of them may be recorded.
import { realpathSync } from 'node:fs';
import type { Generate } from '../command/command.ts';
import { isCi } from '../config/ci.ts';
import { loadConfig } from '../config/config.ts';
import { allowedEnvironment } from '../config/stated.ts';
import type { GenerateEvent, Preview } from '../contract/contract.ts';
import { foldSeconds } from '../contract/values.ts';
import { clockOffset, type Job, type StartedJob } from '../job/job.ts';
import { isBundle } from '../job/project-facts.ts';
import type { RunTimes } from '../scan/change-times.ts';
import { listOutput } from '../scan/generated-files.ts';
import { type Scan, scanProject } from '../scan/scan.ts';
import { Snapshot, type SnapshotOptions } from '../scan/snapshot.ts';
import type { Host } from '../system/host.ts';
import type { Paths } from '../system/paths.ts';
import { machineId, projectId } from './identify.ts';
import { type Installation, installation } from './installation.ts';

/** @param log - Is told why counts are missing, without names or paths. */
export async function describeRun(
  job: StartedJob,
  host: Host,
  paths: Paths,
  log: (text: string) => void,
): Promise<GenerateEvent> {
  // `eventOf` takes the environment, because the configuration may not allow its name.
  const { project_name: projectName, environment: _, ...given } = job.known ?? {};
  const snapshot = {
    run: timesOf(job, host),
    lhpYaml: job.lhpYamlIsOpen ? STANDARD_INPUT : undefined,
    cwd: job.generate && realFolder(job.generate.cwd),
  };
  const { scan, found } = await look(job, host, snapshot);
  if (scan?.uncertain !== undefined) log(`counts are missing: ${scan.uncertain}`);
  return {
    ...(await eventOf(job, scan, found, projectName, host, paths)),
    generation_time_seconds: foldSeconds(job.durationSeconds),
    ...given,
  };
}

/**
 * What a run would record here and now. The number of files and the duration are not known before
 * the run.
 */
export async function describePreview(
  root: string,
  generate: Omit<Generate, 'verbose'>,
  host: Host,
  paths: Paths,
): Promise<Preview> {
  const project = { root, generate, bundle: isBundle(root) };
  const { scan, found } = await look(project, host, {});
  const event = await eventOf(project, scan, found, undefined, host, paths);
  return { ...event, files_generated: null, generation_time_seconds: null };
}

const STANDARD_INPUT = 0;

function realFolder(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // it was removed since
  }
}

/** NTP slews a clock by at most 0.5 ms a second; this is twice that. */
const SLEW = 0.001;
const CLOCK_TOLERANCE_MS = 50;
/** With these times, every file counts as changed since the run. */
const NO_EVIDENCE: RunTimes = { startedAt: 0, endedAt: 0 };

/**
 * When the run took place. If the clock was set back during the run or after it, change times of
 * files say nothing about the run.
 */
function timesOf(
  { startedAt, endedAt, durationSeconds, clockOffset: offset }: StartedJob,
  host: Host,
): RunTimes {
  const duration = durationSeconds * 1000;
  const during = endedAt - startedAt < duration - CLOCK_TOLERANCE_MS - duration * SLEW;
  const since = clockOffset(host) < offset - CLOCK_TOLERANCE_MS;
  return during || since ? NO_EVIDENCE : { startedAt, endedAt };
}

type Described = Pick<Job, 'root' | 'generate' | 'known'> & { bundle: boolean };

interface Found {
  scan: Scan | undefined;
  found: Installation | undefined;
}

async function look(
  { root, generate, known = {} }: Described,
  host: Host,
  snapshot: SnapshotOptions,
): Promise<Found> {
  const project = root === undefined ? undefined : new Snapshot(root, snapshot);
  // First, because the next run of lhp deletes these files.
  const output = project && new Snapshot(project.root, { ...snapshot, deadline: project.deadline });
  const written =
    output && listOutput(output, generate?.output, generate?.environment ?? known.environment);
  const found = generate && (await installation(generate.program, generate.cwd, host));
  const options = {
    lhpVersion: found?.lhpVersion ?? known.lhp_version,
    pyyamlVersion: found?.pyyamlVersion,
    pipelineConfig: generate?.pipelineConfig,
    dryRun: generate?.dryRun ?? known.dry_run ?? false,
  };
  return { scan: project && scanProject(project, options, written), found };
}

async function eventOf(
  { generate, known = {}, bundle }: Described,
  scan: Scan | undefined,
  found: Installation | undefined,
  projectName: string | undefined,
  host: Host,
  paths: Paths,
): Promise<Omit<GenerateEvent, 'generation_time_seconds'>> {
  return {
    event: 'lhp_generate',
    project_id: projectId(projectName ?? scan?.projectName),
    machine_id: await machineId(host, paths),
    is_ci: await isCi(host.env),
    flowgroups_count: scan?.flowgroups ?? null,
    templates_count: scan?.templates ?? null,
    flowgroups_using_templates: scan?.flowgroupsUsingTemplates ?? null,
    pipelines_count: scan?.pipelines ?? null,
    files_generated: scan?.files ?? null,
    environment: allowedEnvironment(
      generate?.environment ?? known.environment,
      loadConfig(host, paths).environments,
    ),
    dry_run: generate?.dryRun ?? known.dry_run ?? false,
    bundle_enabled: bundle && !generate?.noBundle,
    lhp_version: found?.lhpVersion ?? '',
    python_version: found?.pythonVersion ?? '',
  };
}
