// own-collector.ts: the gateway as a part of a collector that an operator has already.
// otel-collector.yaml's receiver, rules, exporter and pipeline under names of their own, so that a
// second --config adds them and replaces nothing. Nothing is decided here a second time: what the
// gateway does is in otel-collector.yaml alone. What concerns the whole process (memory, log,
// extensions) stays the operator's.
import { dump, load } from 'js-yaml';
import { RESOURCE_ATTRIBUTES, SCOPE_NAME } from '../../src/contract/contract.ts';

/**
 * The operator's own, by the name that it nearly always has: a second limit of one process's memory
 * would contradict the first.
 */
const MEMORY_LIMITER = 'memory_limiter';
/** 4318 is taken there. */
const PORT = { gateway: '-4318}', own: '-4319}' };
const PIPELINE = 'metrics/lhp';
/** The alerts take `route_` for no loss: what is left out goes the other way. */
const ROUTE = { keep: 'filter/lhp_route_keep', drop: 'filter/lhp_route_drop' };

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

const yaml = (value: unknown) => dump(value, { lineWidth: -1, noRefs: true, quoteStyle: 'double' });

/** deploy/stacks/lhp.yaml: by a port of its own. */
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
  return `# Made from otel-collector.yaml by \`npm run generate\`; do not edit. The gateway as a part of a collector that you have already:
#   otelcol --config=yours.yaml --config=lhp.yaml
# adds a receiver on port 4319 (LHP_OTEL_HTTP_PORT) and the pipeline ${PIPELINE}; all that is new
# has \`lhp\` in its name, nothing of yours is replaced. It wants a processor of yours that is
# called ${MEMORY_LIMITER}, LHP_OTEL_PEPPER and LHP_OTEL_BACKEND. docs/stacks.md says the rest.
${text.replace(PORT.gateway, PORT.own)}`;
}

/** deploy/stacks/same-port.yaml: by the receiver that the operator's other applications use. */
export function samePort(gateway: string): string {
  const { processors } = (load(gateway) as Collector).service.pipelines.metrics;
  const [limiter, ...rules] = processors.map(renamed);
  // What has one of our ids must not leave unhashed, whoever it says it is.
  const ids = RESOURCE_ATTRIBUTES.filter(({ key }) => key.endsWith('.id')).map(
    ({ key }) => `resource.attributes["${key}"] != nil`,
  );
  const ours = [`scope.name == "${SCOPE_NAME}"`, ...ids].join(' or ');
  const route = (condition: string) => ({
    error_mode: 'propagate',
    metric_conditions: [{ context: 'scope', conditions: [condition] }],
  });
  return `# Made by \`npm run generate\`; do not edit. After lhp.yaml: no port of its own, runs come by your receiver \`otlp\` among everything else.
#   otelcol --config=yours.yaml --config=lhp.yaml --config=same-port.yaml
# Put ${ROUTE.drop} into each metrics pipeline of yours that reads that receiver, first after
# ${MEMORY_LIMITER}: without it your own exporters get the runs too, with ids that are not hashed
# with the secret.
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
