// own-collector.ts: the gateway as part of a collector that an operator already runs. It takes the
// receiver, rules, exporter and pipeline of otel-collector.yaml and gives them names with `lhp`, so
// that a second --config adds them and replaces nothing. Memory limit, log and extensions belong to
// the whole process and stay the operator's.
import { dump, load } from 'js-yaml';
import { RESOURCE_ATTRIBUTES, SCOPE_NAME } from '../../src/contract/contract.ts';
import { comment } from './text.ts';

/**
 * The operator's own memory limiter, by its usual name. A process must not have two: each would
 * count the memory that the other one allows.
 */
const MEMORY_LIMITER = 'memory_limiter';
/** The operator's own receiver listens on 4318, so lhp's default is 4319. */
const PORT = { gateway: '-4318}', own: '-4319}' };
const PIPELINE = 'metrics/lhp';
/** The alerts ignore filters named `route_`: what one of them leaves out, the other keeps. */
const ROUTE = { keep: 'filter/lhp_route_keep', drop: 'filter/lhp_route_drop' };

const MADE =
  'Made by deploy/generate/own-collector.ts from otel-collector.yaml (`npm run generate`). ' +
  'Do not edit.';

type Parts = Record<string, unknown>;

interface Collector {
  receivers: Parts;
  processors: Parts;
  exporters: Parts;
  service: {
    pipelines: { metrics: { receivers: string[]; processors: string[]; exporters: string[] } };
  };
}

/** `filter/time` → `filter/lhp_time`, `otlp` → `otlp/lhp`. */
function renamed(id: string): string {
  if (id === MEMORY_LIMITER) return id;
  const [type, name] = id.split('/');
  return `${type}/lhp${name === undefined ? '' : `_${name}`}`;
}

const renamedParts = (parts: Parts) =>
  Object.fromEntries(
    Object.entries(parts)
      .filter(([id]) => id !== MEMORY_LIMITER)
      .map(([id, settings]) => [renamed(id), settings]),
  );

const yaml = (value: unknown) =>
  dump(value, { lineWidth: 100, noRefs: true, quoteStyle: 'double' });

/** deploy/stacks/lhp.yaml: lhp's part, with a receiver on its own port. */
export function ownCollector(gateway: string): string {
  const { receivers, processors, exporters, service } = load(gateway) as Collector;
  const { metrics } = service.pipelines;
  const text = yaml({
    receivers: renamedParts(receivers),
    processors: renamedParts(processors),
    exporters: renamedParts(exporters),
    service: {
      pipelines: {
        [PIPELINE]: {
          receivers: metrics.receivers.map(renamed),
          processors: metrics.processors.map(renamed),
          exporters: metrics.exporters.map(renamed),
        },
      },
    },
  });
  if (!text.includes(PORT.gateway)) throw new Error('otel-collector.yaml has lost its port');
  return `${comment([MADE, 'The gateway as a part of a collector that you already run:'])}\
#   otelcol --config=yours.yaml --config=lhp.yaml
${comment([
  `It adds a receiver on port 4319 (LHP_OTEL_HTTP_PORT) and the pipeline ${PIPELINE}. All names ` +
    'contain `lhp`, so nothing of yours is replaced. It needs a processor of yours named ' +
    `${MEMORY_LIMITER}, and the variables LHP_OTEL_PEPPER and LHP_OTEL_BACKEND. docs/stacks.md ` +
    'explains it.',
])}\
${text.replace(PORT.gateway, PORT.own)}`;
}

/** deploy/stacks/same-port.yaml: uses the receiver of the operator's other applications instead. */
export function samePort(gateway: string): string {
  const { processors } = (load(gateway) as Collector).service.pipelines.metrics;
  const [limiter, ...rules] = processors.map(renamed);
  // Whatever has one of our ids counts as ours, so that no id leaves without being hashed.
  const ids = RESOURCE_ATTRIBUTES.filter(({ key }) => key.endsWith('.id')).map(
    ({ key }) => `resource.attributes["${key}"] != nil`,
  );
  const ours = [`scope.name == "${SCOPE_NAME}"`, ...ids].join(' or ');
  const route = (condition: string) => ({
    error_mode: 'propagate',
    metric_conditions: [{ context: 'scope', conditions: [condition] }],
  });
  return `${comment([
    MADE,
    'Use it after lhp.yaml if runs should arrive on the port of your own receiver `otlp`:',
  ])}\
#   otelcol --config=yours.yaml --config=lhp.yaml --config=same-port.yaml
${comment([
  `Add ${ROUTE.drop} to each of your metrics pipelines that reads this receiver, directly after ` +
    `${MEMORY_LIMITER}. Without it your own exporters receive the runs too, with ids that are ` +
    'not hashed with the secret.',
])}\
${yaml({
  processors: {
    [ROUTE.keep]: route(`not (${ours})`),
    [ROUTE.drop]: route(ours),
  },
  service: {
    pipelines: { [PIPELINE]: { receivers: ['otlp'], processors: [limiter, ROUTE.keep, ...rules] } },
  },
})}`;
}
