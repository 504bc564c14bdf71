// links.ts: the links from a row of a table to another dashboard. They keep the time range and the
// variables.
import { PROJECT, VARIABLES } from './queries.ts';
import type { Link } from './spec.ts';

const kept = ['datasource', ...Object.keys(VARIABLES)]
  .filter((name) => name !== 'project')
  .map((name) => `\${${name}:queryparam}`);

const toProject = (uid: string, title: string): Link => ({
  title,
  url: [
    `/d/${uid}?var-project=\${__data.fields.${PROJECT}}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variable
    '${__url_time_range}',
    ...kept,
  ].join('&'),
});

/** For a table with the hidden column {@link PROJECT}; the links at the top lead on from there. */
export const PROJECT_LINKS = {
  performance: [toProject('lhp-performance', 'Performance of this project')],
  projects: [toProject('lhp-projects', 'Size and growth of this project')],
};
