// fields.ts: every key of the event in words: what it is, why it is collected, how it is made, and
// under which name it is on the wire. The local page shows this table and docs/privacy.md is made
// from it (`npm run generate`), so neither can say what the other does not. Text between backticks
// is code. Pure and without Node: it goes into the browser, too.
import {
  type GenerateEvent,
  INSTRUMENTS,
  POINT_ATTRIBUTES,
  RESOURCE_ATTRIBUTES,
} from './contract.ts';

export interface Field {
  /** As the telemetry page of Lakehouse Plumber calls it. */
  page: string;
  what: string;
  why: string;
  how: string;
}

export const FIELDS: Record<keyof GenerateEvent, Field> = {
  event: {
    page: 'Event',
    what: 'One successful `lhp generate`, counted as 1',
    why: 'to see how much it is used',
    how: 'always `lhp_generate`; a command that fails, is interrupted or is no generate makes none',
  },
  project_id: {
    page: 'Project ID',
    what: 'Which project, as a digest of its name',
    why: 'to tell projects apart without knowing them',
    how: 'SHA-256 of `name` in lhp.yaml; of `unknown_project` without one, or where it may have changed',
  },
  machine_id: {
    page: 'Machine ID',
    what: 'Which machine, as a digest of its id',
    why: 'to tell ten machines from one that runs ten times',
    how: 'SHA-256 of the machine’s id, see “The identifiers” in docs/privacy.md',
  },
  is_ci: {
    page: 'CI detection',
    what: 'Whether it was a CI job',
    why: 'to tell people who wait from jobs that do not',
    how: 'the eight variables that lhp’s telemetry page names, or ci-info (github.com/watson/ci-info); `CI=false` and empty are not set',
  },
  flowgroups_count: {
    page: 'Flowgroups count',
    what: 'Flowgroups in the project',
    why: 'to know how large projects are, and what a time means',
    how: 'project total, counted from the YAML files as lhp counts them, with expanded blueprints and lhp’s own monitoring flowgroup; left out where it may have changed',
  },
  templates_count: {
    page: 'Templates count',
    what: 'Templates in use',
    why: 'to see whether templates are used',
    how: 'distinct templates in use',
  },
  flowgroups_using_templates: {
    page: 'Flowgroups using templates',
    what: 'Flowgroups that use a template',
    why: 'to see how much templates are used',
    how: 'those of the flowgroups that have `use_template`',
  },
  pipelines_count: {
    page: 'Pipelines count',
    what: 'Pipelines in the project',
    why: 'to know how large projects are',
    how: 'distinct `pipeline` values',
  },
  files_generated: {
    page: 'Files generated',
    what: 'Python files written by the run',
    why: 'to know how much a run does, and what a time means',
    how: 'what lhp reports as written: one a flowgroup with code, one a wheel; helper copies and hooks do not count; a dry run has 0; left out where it may have changed',
  },
  environment: {
    page: 'Environment',
    what: 'Environment that was generated for',
    why: 'to see which environments are in use',
    how: 'the value of `-e/--env` in lower case, if it is a plain word (`a-z 0-9 _ -`, at most 32) and, with `environments` in a `config.json`, in that list, else `other`',
  },
  dry_run: {
    page: 'Dry run flag',
    what: 'Whether it was a dry run',
    why: 'to keep apart runs that write nothing',
    how: '`--dry-run` was given',
  },
  bundle_enabled: {
    page: 'Bundle enabled',
    what: 'Whether Databricks Asset Bundles are in use',
    why: 'to see whether bundles are used',
    how: '`databricks.yml` exists when the run ends, and `--no-bundle` was not given',
  },
  lhp_version: {
    page: 'LHP version',
    what: 'Version of lhp',
    why: 'to know which versions must work, and which one is slow',
    how: 'from the installation that ran',
  },
  python_version: {
    page: 'Python version',
    what: 'Version of Python',
    why: 'to know which versions must work',
    how: '`major.minor` of the Python that ran lhp',
  },
  generation_time_seconds: {
    page: 'Generation time',
    what: 'How long it took, in seconds',
    why: 'to find what is slow',
    how: 'wall time of the whole command, monotonic clock, with the start of Python: more than the seconds that lhp prints, which begin after it',
  },
};

/** The name on the wire, and what kind of thing has it. */
export function onTheWire(key: keyof GenerateEvent): string {
  const instrument = INSTRUMENTS.find(({ page }) => page === key);
  if (instrument) return `\`${instrument.name}\`, ${instrument.kind} in \`${instrument.unit}\``;
  const resource = RESOURCE_ATTRIBUTES.find(({ page }) => page === key);
  if (resource) return `\`${resource.key}\`, resource attribute`;
  const point = POINT_ATTRIBUTES.find(({ page }) => page === key);
  if (point) return `\`${point.key}\`, attribute of each point`;
  throw new Error(`${key} is not on the wire`);
}
