// event.ts: complete events, for tests that need any.
import { digest } from '../../scripts/harness/runs.ts';
import { exampleEvent, type GenerateEvent } from '../../src/contract/contract.ts';

export const EVENT: GenerateEvent = {
  ...exampleEvent(),
  project_id: 'a'.repeat(64),
  machine_id: '0123456789abcdef'.repeat(4),
  is_ci: true,
  flowgroups_count: 23,
  templates_count: 5,
  flowgroups_using_templates: 18,
  pipelines_count: 3,
  files_generated: 0,
  environment: 'dev',
  dry_run: false,
  bundle_enabled: true,
  lhp_version: '0.9.3',
  python_version: '3.12',
  generation_time_seconds: 2.34,
};

/** A run of a small project on a developer's machine. */
export const LOCAL_EVENT: GenerateEvent = {
  ...exampleEvent(),
  project_id: digest('project'),
  machine_id: digest('machine'),
  is_ci: false,
  flowgroups_count: 8,
  templates_count: 1,
  flowgroups_using_templates: 2,
  pipelines_count: 4,
  files_generated: 8,
  environment: 'dev',
  dry_run: false,
  bundle_enabled: true,
  lhp_version: '0.9.3',
  python_version: '3.11',
  generation_time_seconds: 2.5,
};
