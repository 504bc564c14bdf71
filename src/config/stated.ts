// stated.ts: the settings of a config.json that are not about delivery: which names of environments
// may be recorded, and, in the operator's file only, that people were told where their runs go.
import { foldEnvironment, OTHER } from '../contract/values.ts';
import { printable } from '../system/log.ts';
import type { ConfigFile } from './config-file.ts';

/**
 * The names that may be recorded; `undefined`: any name that the contract allows. With a list in
 * both files a name must be in both, so neither the user nor the operator can allow what the other
 * excludes. A list that is not valid allows no name.
 */
export function environmentsOf(
  files: readonly ConfigFile[],
  problems: string[],
): readonly string[] | undefined {
  const lists = files
    .filter(({ values }) => values.environments !== undefined)
    .map((file) => namesIn(file, problems));
  if (lists.length === 0) return undefined;
  return lists.reduce((some, others) => some.filter((name) => others.includes(name)));
}

function namesIn({ name, values }: ConfigFile, problems: string[]): readonly string[] {
  const { environments } = values;
  if (!Array.isArray(environments)) {
    problems.push(`environments in ${name} must be a list of names, like ["dev", "test", "prod"]`);
    return [];
  }
  const names = environments.map(foldEnvironment);
  const wrong = environments.filter((given, i) => names[i] === OTHER && given !== OTHER);
  if (wrong.length > 0)
    problems.push(
      `environments in ${name} has ${printable(JSON.stringify(wrong[0]))}; ` +
        'a name has 1 to 32 of a-z, 0-9, _ and -',
    );
  return names.filter((folded) => folded !== OTHER);
}

/** The name to record: `other` where it is not in the list. */
export function allowedEnvironment(
  name: unknown,
  environments: readonly string[] | undefined,
): string {
  const folded = foldEnvironment(name);
  return environments === undefined || environments.includes(folded) ? folded : OTHER;
}

/**
 * Whether the operator states with `"noticeGiven": true` that people were told by other means. It
 * applies only to the endpoint in the same file, and it is not allowed in a user's file.
 *
 * @param endpoint - The endpoint that is used.
 */
export function noticeGivenBy(
  operator: ConfigFile,
  user: ConfigFile,
  endpoint: unknown,
  problems: string[],
): boolean {
  if (user.values.noticeGiven !== undefined)
    problems.push(`noticeGiven in ${user.name} does not count; only ${operator.name} can say it`);
  const { noticeGiven, endpoint: named } = operator.values;
  if (noticeGiven === undefined || noticeGiven === false) return false;
  if (noticeGiven !== true) {
    problems.push(
      `noticeGiven in ${operator.name} is ${printable(JSON.stringify(noticeGiven))}; ` +
        'it must be true or false',
    );
    return false;
  }
  if (named === undefined)
    problems.push(
      `noticeGiven in ${operator.name} needs an endpoint in the same file: ` +
        'people are told of one endpoint',
    );
  return named !== undefined && named === endpoint;
}
