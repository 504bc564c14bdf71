// ci.ts: is this a CI job? ci-info's list of vendors, or any of the telemetry page's eight
// variables; a variable that says no (`CI=false`, empty) counts as unset. Only the yes or no is
// used, never which vendor.

import type { Env } from '../system/host.ts';
import { isSet } from './setting.ts';

const CI_VARIABLES = [
  'CI',
  'GITHUB_ACTIONS',
  'GITLAB_CI',
  'JENKINS_HOME',
  'TRAVIS',
  'CIRCLECI',
  'BITBUCKET_BUILD_NUMBER',
  'AZURE_PIPELINES',
] as const;

/** The page's own eight variables; enough to know that nobody sits at this terminal. */
export const ciVariableSet = (env: Env): boolean => CI_VARIABLES.some((name) => isSet(env[name]));

export async function isCi(env: Env): Promise<boolean> {
  if (ciVariableSet(env)) return true;
  // ci-info reads the process's own environment, when it is imported, and takes CI=0 for a yes:
  // hence here, and without it.
  delete process.env.CI;
  return (await import('ci-info')).isCI;
}
