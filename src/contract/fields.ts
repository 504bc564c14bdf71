// fields.ts: the contract as a table. It names everything that is recorded of a run: each field of
// the telemetry page is one row, in the order of that page. The types, the requests, the reading of
// recorded files, the gateway's rules, the checks of the library, docs/metrics.md and the table in
// docs/privacy.md are derived from it. To add a field, add a row here and the code that finds its
// value (src/collect/collect.ts; the compiler asks for it), then run `npm run generate`.
//
// The local page shows `what`, `why` and `how`, so this file has to work in a browser. In these
// texts, backticks mark code.
import type { AttributeField, InstrumentField } from './row.ts';

export const FIELDS = {
  event: {
    name: 'lhp.generate.runs',
    on: 'counter',
    order: 1,
    unit: '{run}',
    value: 'run',
    host: false,
    page: 'Event',
    what: 'Successful lhp generate runs',
    why: 'to see how much it is used',
    how:
      'always `lhp_generate`, counted as 1; a command that fails, is interrupted or is not a ' +
      'generate is not recorded',
    example: 'lhp_generate',
  },
  project_id: {
    name: 'lhp.project.id',
    on: 'resource',
    order: 3,
    value: 'digest',
    host: false,
    page: 'Project ID',
    what: 'Which project, as a digest of its name',
    why: 'to tell projects apart without knowing them',
    how:
      'SHA-256 of `name` in lhp.yaml; of `unknown_project` if there is no name, or if the file ' +
      'may have changed since the run',
    // SHA-256 of my_lakehouse.
    example: 'de2ed775858342f7272372380f50468c0732d1e0aa432561de6f09f38b9d1d5e',
  },
  machine_id: {
    name: 'lhp.machine.id',
    on: 'resource',
    order: 4,
    value: 'digest',
    host: false,
    page: 'Machine ID',
    what: 'Which machine, as a digest of its id',
    why: 'to tell ten machines from one that runs ten times',
    how: 'SHA-256 of the machine’s id, see “The identifiers” in docs/privacy.md',
    // SHA-256 of 0123456789abcdef0123456789abcdef.
    example: '3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9',
  },
  is_ci: {
    name: 'lhp.ci',
    on: 'resource',
    order: 5,
    value: 'flag',
    host: false,
    page: 'CI detection',
    what: 'Whether it was a CI job',
    why: 'to tell people who wait from jobs that do not',
    how:
      'the eight variables that lhp’s telemetry page names, or ci-info ' +
      '(github.com/watson/ci-info); `CI=false` and an empty variable count as not set',
    example: false,
  },
  flowgroups_count: {
    name: 'lhp.project.flowgroups',
    on: 'histogram',
    order: 4,
    unit: '{flowgroup}',
    value: 'count',
    host: true,
    page: 'Flowgroups count',
    what: 'Flowgroups in the project',
    why: 'to know how large projects are, and what a duration means',
    how:
      'total of the project, counted from the YAML files as lhp counts them, with expanded ' +
      'blueprints and lhp’s own monitoring flowgroup; left out if the files may have changed ' +
      'since the run',
    example: 23,
  },
  templates_count: {
    name: 'lhp.project.templates',
    on: 'histogram',
    order: 6,
    unit: '{template}',
    value: 'count',
    host: true,
    page: 'Templates count',
    what: 'Distinct templates in use',
    why: 'to see whether templates are used',
    how: 'number of different templates that flowgroups name in `use_template`',
    example: 5,
  },
  flowgroups_using_templates: {
    name: 'lhp.project.flowgroups_using_templates',
    on: 'histogram',
    order: 5,
    unit: '{flowgroup}',
    value: 'count',
    host: true,
    page: 'Flowgroups using templates',
    what: 'Flowgroups that use a template',
    why: 'to see how much templates are used',
    how: 'number of flowgroups with `use_template`',
    example: 18,
  },
  pipelines_count: {
    name: 'lhp.project.pipelines',
    on: 'histogram',
    order: 7,
    unit: '{pipeline}',
    value: 'count',
    host: true,
    page: 'Pipelines count',
    what: 'Pipelines in the project',
    why: 'to know how large projects are',
    how: 'number of different values of `pipeline` in the flowgroups',
    example: 3,
  },
  files_generated: {
    name: 'lhp.generate.files',
    on: 'histogram',
    order: 3,
    unit: '{file}',
    value: 'count',
    host: true,
    page: 'Files generated',
    what: 'Python files written by one run',
    why: 'to know how much a run does, and what a duration means',
    how:
      'what lhp reports as written: one file for each flowgroup with code, and one for each ' +
      'wheel; copied helper files and hooks do not count; 0 in a dry run; left out if the files ' +
      'may have changed since the run',
    example: 23,
  },
  environment: {
    name: 'deployment.environment.name',
    on: 'point',
    order: 1,
    value: 'environment',
    host: true,
    page: 'Environment',
    what: 'Environment that was generated for',
    why: 'to see which environments are in use',
    how:
      'the value of `-e/--env` in lower case, if it is a plain word (1 to 32 of `a-z 0-9 _ -`) ' +
      'and, where a `config.json` has `environments`, in that list; else `other`',
    example: 'dev',
  },
  dry_run: {
    name: 'lhp.dry_run',
    on: 'point',
    order: 2,
    value: 'flag',
    host: true,
    page: 'Dry run flag',
    what: 'Whether it was a dry run',
    why: 'to keep apart runs that write nothing',
    how: 'whether `--dry-run` was given',
    example: false,
  },
  bundle_enabled: {
    name: 'lhp.bundle.enabled',
    on: 'point',
    order: 3,
    value: 'flag',
    host: true,
    page: 'Bundle enabled',
    what: 'Whether Databricks Asset Bundles are in use',
    why: 'to see whether bundles are used',
    how: 'whether `databricks.yml` exists when the run ends and `--no-bundle` was not given',
    example: true,
  },
  lhp_version: {
    name: 'service.version',
    on: 'resource',
    order: 2,
    value: 'version',
    host: true,
    page: 'LHP version',
    what: 'Version of lhp',
    why: 'to know which versions must work, and which one is slow',
    how: 'from the installation that ran',
    example: '0.6.4',
  },
  python_version: {
    name: 'process.runtime.version',
    on: 'resource',
    order: 7,
    value: 'pythonVersion',
    host: true,
    page: 'Python version',
    what: 'Version of Python',
    why: 'to know which versions must work',
    how: '`major.minor` of the Python that ran lhp',
    example: '3.12',
  },
  generation_time_seconds: {
    name: 'lhp.generate.duration',
    on: 'histogram',
    order: 2,
    unit: 's',
    value: 'seconds',
    host: true,
    page: 'Generation time',
    what: 'Wall time of lhp generate',
    why: 'to find what is slow',
    how:
      'seconds that the whole command took, by a monotonic clock, with the start of Python: ' +
      'more than the seconds that lhp prints, because lhp starts counting later',
    example: 2.34,
  },
} as const satisfies Record<string, AttributeField | InstrumentField>;
