// history.ts: made-up runs for what counts and draws them. Values are given, or those of a small project.
import type { GenerateEvent } from '../../src/contract.ts';
import type { Run } from '../../src/event.ts';

export const PROJECT = 'a'.repeat(64);

export const EVENT: GenerateEvent = {
  event: 'lhp_generate',
  project_id: PROJECT,
  machine_id: 'b'.repeat(64),
  is_ci: false,
  flowgroups_count: 23,
  templates_count: 5,
  flowgroups_using_templates: 18,
  pipelines_count: 3,
  files_generated: 23,
  environment: 'dev',
  dry_run: false,
  bundle_enabled: true,
  lhp_version: '0.9.3',
  python_version: '3.12',
  generation_time_seconds: 2,
};

export const runAt = (timestamp: number, event: Partial<GenerateEvent> = {}): Run => ({
  timestamp,
  outcome: 'local',
  event: { ...EVENT, ...event },
});

/** One run an hour. */
export const hourly = (events: Partial<GenerateEvent>[], from: number = Date.UTC(2026, 0, 5)): Run[] =>
  events.map((event, hour) => runAt(from + hour * 3_600_000, event));
