// ci.ts: is this a CI job? Yes for the vendors that ci-info knows, and where one of the telemetry
// page's eight variables is set. A variable that is empty or falsy (`CI=false`) counts as unset.
// Only the yes or no is used, never the vendor.
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

/** Whether one of the telemetry page's variables is set: without ci-info, so it is synchronous. */
export const ciVariableSet = (env: Env): boolean => CI_VARIABLES.some((name) => isSet(env[name]));

export async function isCi(env: Env): Promise<boolean> {
  return ciVariableSet(env) || (await isKnownVendor());
}

/**
 * ci-info reads the environment of this process once, when it is imported, and takes no other. It
 * also takes `CI=0` for a yes and `CI=false` for a no that overrides all vendors, so the variable
 * is absent during the import.
 */
async function isKnownVendor(): Promise<boolean> {
  const { CI } = process.env;
  delete process.env.CI;
  try {
    return (await import('ci-info')).isCI;
  } finally {
    if (CI !== undefined) process.env.CI = CI;
  }
}
