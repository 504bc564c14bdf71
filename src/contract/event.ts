// event.ts: made from fields.ts by `npm run generate`; do not edit. The event as a type
// with a comment for each field, for the users of the library. If this file is not up to date,
// contract.ts does not compile.

/**
 * One recorded run in the form of the telemetry page of Lakehouse Plumber, as `lhp-otel show`
 * prints it. docs/privacy.md says how each field is found and why it is collected.
 */
export interface GenerateEvent {
  /**
   * Successful lhp generate runs.
   *
   * Always `lhp_generate`, which counts 1.
   */
  event: 'lhp_generate';
  /**
   * Which project, as a digest of its name.
   *
   * 64 hex digits.
   */
  project_id: string;
  /**
   * Which machine, as a digest of its id.
   *
   * 64 hex digits.
   */
  machine_id: string;
  /** Whether it was a CI job. */
  is_ci: boolean;
  /**
   * Flowgroups in the project.
   *
   * A whole number from 0 to 1,000,000; `null` if it is not known.
   */
  flowgroups_count: number | null;
  /**
   * Distinct templates in use.
   *
   * A whole number from 0 to 1,000,000; `null` if it is not known.
   */
  templates_count: number | null;
  /**
   * Flowgroups that use a template.
   *
   * A whole number from 0 to 1,000,000; `null` if it is not known.
   */
  flowgroups_using_templates: number | null;
  /**
   * Pipelines in the project.
   *
   * A whole number from 0 to 1,000,000; `null` if it is not known.
   */
  pipelines_count: number | null;
  /**
   * Python files written by one run.
   *
   * A whole number from 0 to 1,000,000; `null` if it is not known.
   */
  files_generated: number | null;
  /**
   * Environment that was generated for.
   *
   * 1 to 32 of `a-z`, `0-9`, `_` and `-`, the first a letter or a digit, or `other`.
   */
  environment: string;
  /** Whether it was a dry run. */
  dry_run: boolean;
  /** Whether Databricks Asset Bundles are in use. */
  bundle_enabled: boolean;
  /**
   * Version of lhp.
   *
   * A version number, or `other`.
   */
  lhp_version: string;
  /**
   * Version of Python.
   *
   * `major.minor`, or `other`.
   */
  python_version: string;
  /**
   * Wall time of lhp generate.
   *
   * Seconds from 0 to 604,800 (a week), rounded to 2 decimals.
   */
  generation_time_seconds: number;
}

/** The fields that a host of the library can state. */
export type HostKey =
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
  | 'generation_time_seconds';
