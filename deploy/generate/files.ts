// files.ts: every generated file of the operator's side. scripts/generate.ts writes them, and in CI
// compares them with what is committed. A file with marks is written by hand except between them.
import { dashboardFiles } from './dashboards/dashboards.ts';
import { gatewayRules, RULE_PROCESSORS } from './gateway-rules.ts';
import { ownCollector, samePort } from './own-collector.ts';
import { prometheusRule } from './prometheus-rule.ts';
import {
  checkMeanings,
  checkRows,
  environmentLines,
  kustomizeFiles,
  switchTable,
} from './switches.ts';
import { between, flowList } from './text.ts';

const FROM_SWITCHES = 'made from deploy/generate/switches.ts by `npm run generate`; do not edit';

const CHECK = 'deploy/check-settings.sh';

/** The first and the last line of the generated part of a file. */
const MARKS = {
  'otel-collector.yaml': [
    '  # ── rules: made by deploy/generate/gateway-rules.ts (`npm run generate`) ──\n',
    '  # ── end of rules ──\n',
  ],
  'deploy/kustomization.yaml': [`      # ${FROM_SWITCHES}\n`, '      # end of switches\n'],
  'docs/operators.md': [`<!-- switches: ${FROM_SWITCHES} -->\n`, '<!-- end of switches -->'],
  '.env.example': [`# Switches: ${FROM_SWITCHES}.\n`, '# End of switches.\n'],
} as const satisfies Record<string, [string, string]>;

/**
 * Path in the repository → text.
 *
 * @param read - returns the text of a file of the repository, empty if there is none.
 */
export function deployFiles(read: (path: string) => string): Record<string, string> {
  const marked = (path: keyof typeof MARKS, text: string) =>
    between(path, read(path), [...MARKS[path]], text);
  const collector = withRules(marked('otel-collector.yaml', gatewayRules()));
  return {
    'otel-collector.yaml': collector,
    // A copy, because kustomize reads only files beside or below its own.
    'deploy/kubernetes/otel-collector.yaml': collector,
    'deploy/stacks/lhp.yaml': ownCollector(collector),
    'deploy/stacks/same-port.yaml': samePort(collector),
    'deploy/collector/ci-queue.yaml': withRules(read('deploy/collector/ci-queue.yaml')),
    'deploy/kustomization.yaml': marked('deploy/kustomization.yaml', kustomizeFiles()),
    'docs/operators.md': marked('docs/operators.md', switchTable(read)),
    '.env.example': marked('.env.example', environmentLines(read)),
    [CHECK]: checkSettings(read),
    'deploy/kubernetes/kube-prometheus/rules.json': prometheusRule(
      read('deploy/prometheus/rules.yml'),
    ),
    ...dashboardFiles(),
  };
}

/** The script that says in words what is wrong with the switches. */
function checkSettings(read: (path: string) => string): string {
  const part = (name: string): [string, string] => [
    `${name}: ${FROM_SWITCHES}.\n`,
    `# End of ${name.toLowerCase()}.\n`,
  ];
  const rows = between(CHECK, read(CHECK), part('Rows'), checkRows(read));
  return between(CHECK, rows, part('Meanings'), `${checkMeanings()}  `);
}

/**
 * Puts the processors of the rules, in their order, into each pipeline of a configuration: into
 * each list that names `filter/resource` and `transform/backend`, between these two.
 *
 * @throws Error if there is no such pipeline.
 */
function withRules(text: string): string {
  const pipeline =
    /^( +)processors:\s*\[([^\]]*filter\/resource[^\]]*transform\/backend[^\]]*)\]/gm;
  if (!pipeline.test(text)) throw new Error('no pipeline of the gateway has the rules');
  return text.replaceAll(pipeline, (_, indent: string, list: string) => {
    const names = list.split(',').map((name) => name.trim());
    return flowList(
      'processors',
      [
        ...names.slice(0, names.indexOf('filter/resource')),
        ...RULE_PROCESSORS,
        ...names.slice(names.indexOf('transform/backend')),
      ],
      indent.length,
    );
  });
}
