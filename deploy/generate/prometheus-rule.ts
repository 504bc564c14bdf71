// prometheus-rule.ts: deploy/prometheus/rules.yml → the object PrometheusRule, by which Prometheus
// Operators get rules. JSON, because indented YAML would be wider than the files of this project.
import { load } from 'js-yaml';

/**
 * @param rules - the text of deploy/prometheus/rules.yml.
 * @returns the object's text. The job of the single machine's Prometheus has another name there,
 *   because an operator's own Prometheus may be called `prometheus`.
 */
export function prometheusRule(rules: string): string {
  const { groups } = load(rules.replaceAll('job="prometheus"', 'job="lhp-prometheus"')) as {
    groups: unknown[];
  };
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name: 'lhp-otel',
      annotations: {
        'lhp-otel/generated': 'from deploy/prometheus/rules.yml by npm run generate; do not edit',
      },
    },
    spec: { groups },
  };
  return `${JSON.stringify(object, null, 2)}\n`;
}
