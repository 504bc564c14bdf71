// event.ts: one complete event, for tests that need any.
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
