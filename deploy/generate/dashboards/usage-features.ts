// usage-features.ts: the row of usage.ts about features: which are used, by how many projects and
// in how many runs.
import type { Dialect } from './dialects.ts';
import {
  BUNDLE,
  CHOSEN,
  CI,
  DRY,
  distinct,
  ENVIRONMENT,
  named,
  orZero,
  overRuns,
  PROJECT,
  R,
  seen,
  TEMPLATED,
  where,
} from './queries.ts';
import { COUNT, FEATURES, type Line, SHARE, table } from './spec.ts';

const FLAGS: [name: string, label: string][] = [
  ['CI', CI],
  ['dry run', DRY],
  ['bundle', BUNDLE],
];

/** The named answers, each divided by one number, which is asked only once. */
const sharesOf = (parts: [name: string, expr: string][], whole: string): string =>
  `(${parts.map(([name, expr]) => named(orZero(expr), 'feature', name)).join(' or ')}) ` +
  `/ on () group_left () ${whole}`;

export function features({ sum, shareAbove }: Dialect): Line {
  const runs = FLAGS.map(([name, key]): [string, string] => [
    name,
    overRuns(R, '', where(key, 'true')),
  ]);
  const projects = FLAGS.map(([name, key]): [string, string] => [
    name,
    `count(${seen(PROJECT, R, CHOSEN + where(key, 'true'))})`,
  ]);
  const templated = `count(${sum({ name: TEMPLATED, range: R, by: PROJECT })} > 0)`;
  const templatedRuns = named(shareAbove(0, { name: TEMPLATED, range: R }), 'feature', 'templates');
  return {
    height: 7,
    panels: [
      table({
        ...{ title: 'Features in use', question: FEATURES, width: 14 },
        what:
          'Of projects: the share that used a feature at least once; each project counts once. ' +
          'Of runs: the share that used it, which one busy project can decide. Templates: runs ' +
          'of which at least one flowgroup uses a template.',
        keys: [{ label: 'feature', title: 'Feature', width: 110 }],
        columns: [
          {
            ...{ title: 'Of projects', ...SHARE, bar: true, max: 1 },
            expr: sharesOf([...projects, ['templates', templated]], distinct(PROJECT, R)),
          },
          {
            ...{ title: 'Of runs', ...SHARE, bar: true, max: 1 },
            expr: `${sharesOf(runs, overRuns(R))} or ${templatedRuns}`,
          },
        ],
        sort: { column: 'Of projects', desc: true },
      }),
      table({
        ...{ title: 'Environments', question: FEATURES, width: 10 },
        what: 'Runs for each environment of `lhp generate --env`.',
        keys: [{ label: ENVIRONMENT, title: 'Environment', width: 130 }],
        columns: [{ title: 'Runs', expr: overRuns(R, ENVIRONMENT), ...COUNT, bar: true }],
        sort: { column: 'Runs', desc: true },
      }),
    ],
  };
}
