// facts-check.ts: what of a host's facts is not recorded as it was given, in words for the host's
// developer. The rules are the contract's; a value is never repeated, as it may be anything.
import {
  foldCount,
  foldEnvironment,
  foldPythonVersion,
  foldSeconds,
  foldVersion,
  OTHER,
} from '../contract/contract.ts';
import { printable } from '../system/log.ts';

const NOT_RECORDED = 'not recorded';
const IS_OTHER = 'recorded as "other"';

const isCount = (value: unknown) => foldCount(value as number | null) !== null;
const isWord = (fold: (text: unknown) => string) => (value: unknown) =>
  value === OTHER || fold(value) !== OTHER;
const isBoolean = (value: unknown) => typeof value === 'boolean';

const COUNT = { fits: isCount, must: 'a whole number from 0 to 1000000', instead: NOT_RECORDED };
const VERSION = 'a version number like 1.2.3';
const BOOLEAN = { fits: isBoolean, must: 'true or false', instead: 'recorded as false' };

interface Rule {
  fits(value: unknown): boolean;
  must: string;
  /** What becomes of a value that does not fit. */
  instead: string;
}

const RULES: Readonly<Record<string, Rule>> = {
  flowgroups_count: COUNT,
  templates_count: COUNT,
  flowgroups_using_templates: COUNT,
  pipelines_count: COUNT,
  files_generated: COUNT,
  environment: {
    fits: isWord(foldEnvironment),
    must: 'letters, digits, _ and -, at most 32',
    instead: IS_OTHER,
  },
  dry_run: BOOLEAN,
  bundle_enabled: BOOLEAN,
  lhp_version: { fits: isWord(foldVersion), must: VERSION, instead: IS_OTHER },
  python_version: { fits: isWord(foldPythonVersion), must: 'like 3.12', instead: IS_OTHER },
  generation_time_seconds: {
    fits: (value) => foldSeconds(value) === value,
    must: 'seconds from 0 to a week',
    instead: 'recorded as the nearest that is',
  },
  project_name: {
    fits: (value) => typeof value === 'string',
    must: 'text',
    instead: 'recorded as unknown_project',
  },
};

/** One line for each; nothing for what was not given. */
export function unfitting(facts: object): string[] {
  return Object.entries(facts).flatMap(([name, value]: [string, unknown]) => {
    const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
    if (!rule) return [`${printable(name).slice(0, 64)} is no field: ${NOT_RECORDED}`];
    if (value === undefined || rule.fits(value)) return [];
    return [`${name} must be ${rule.must}: ${rule.instead}`];
  });
}
