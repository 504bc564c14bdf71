// describe.ts: one finished run → the telemetry page's event: what the command line says, what the project's files say, what the
// installation says. The event still holds what was found; contract.ts decides what of it may be recorded.

import { foldSeconds, type GenerateEvent } from '../contract.ts';
import { isCi } from '../decide/ci.ts';
import { scanProject } from '../scan/scan.ts';
import { listOutput } from '../scan/written.ts';
import type { Deps } from '../system/deps.ts';
import type { Paths } from '../system/paths.ts';
import type { Job } from '../wrap/handover.ts';
import { machineId, projectId } from './identify.ts';
import { installation } from './installation.ts';

export async function describeRun(job: Job, deps: Deps, paths: Paths): Promise<GenerateEvent> {
  const { generate, known = {}, root } = job;
  const { project_name: projectName, ...given } = known;
  const environment = generate?.environment ?? known.environment;
  const dryRun = generate?.dryRun ?? known.dry_run ?? false;
  const written = root === undefined ? undefined : listOutput(root, generate?.output, environment);
  const found = generate && (await installation(generate.program, generate.cwd, deps));
  const options = {
    lhpVersion: found?.lhpVersion ?? known.lhp_version,
    pyyamlVersion: found?.pyyamlVersion,
    pipelineConfig: generate?.pipelineConfig,
    dryRun,
    noBundle: generate?.noBundle ?? false,
    startedAt: job.startedAt,
  };
  const scan = root === undefined || !written ? undefined : scanProject(root, options, written);
  return {
    event: 'lhp_generate',
    project_id: projectId(projectName ?? scan?.projectName),
    machine_id: await machineId(deps, paths),
    is_ci: await isCi(deps.env),
    flowgroups_count: scan?.flowgroups ?? null,
    templates_count: scan?.templates ?? null,
    flowgroups_using_templates: scan?.flowgroupsUsingTemplates ?? null,
    pipelines_count: scan?.pipelines ?? null,
    files_generated: scan?.files ?? null,
    environment: environment ?? '',
    dry_run: dryRun,
    bundle_enabled: scan?.bundle ?? false,
    lhp_version: found?.lhpVersion ?? '',
    python_version: found?.pythonVersion ?? '',
    generation_time_seconds: foldSeconds(job.durationSeconds),
    ...given,
  };
}
