// schemas.ts: Kubernetes' own OpenAPI description of its objects → a JSON schema for each kind, for
// kubeconform, which has none with it and would fetch them. Strict: a field that the API does not
// know is an error, as for `kubectl --validate=strict`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Schema {
  type?: string;
  format?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  $ref?: string;
  [other: string]: unknown;
}

const REF = '#/definitions/';

/**
 * Writes `<kind>.json` for each of these (group, version, kind); gives kubeconform's pattern of
 * their places.
 */
export function writeSchemas(
  swagger: string,
  folder: string,
  kinds: readonly (readonly [string, string, string])[],
): string {
  const { definitions } = JSON.parse(readFileSync(swagger, 'utf8')) as {
    definitions: Record<string, Schema>;
  };
  for (const [group, version, kind] of kinds) {
    const name = Object.keys(definitions).find((one) =>
      isKind(definitions[one] as Schema, group, version, kind),
    );
    if (name === undefined) throw new Error(`the API has no ${group}/${version} ${kind}`);
    const needed: Record<string, Schema> = {};
    const collect = (one: string) => {
      if (needed[one]) return;
      needed[one] = strict(definitions[one] as Schema);
      for (const [, other] of JSON.stringify(needed[one]).matchAll(/"#\/definitions\/([^"]+)"/g))
        collect(other as string);
    };
    collect(name);
    writeFileSync(
      join(folder, `${kind.toLowerCase()}.json`),
      JSON.stringify({ $ref: REF + name, definitions: needed }),
    );
  }
  return join(folder, '{{ .ResourceKind }}.json');
}

function isKind(schema: Schema, group: string, version: string, kind: string): boolean {
  const known = (schema['x-kubernetes-group-version-kind'] ?? []) as {
    group: string;
    version: string;
    kind: string;
  }[];
  return known.some((one) => one.group === group && one.version === version && one.kind === kind);
}

function strict(schema: Schema): Schema {
  if (schema.format === 'int-or-string')
    return { oneOf: [{ type: 'string' }, { type: 'integer' }] };
  const { properties, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    ...(items ? { items: strict(items) } : {}),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: strict(additionalProperties) }
      : {}),
    ...(properties
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, one]) => [key, strict(one)]),
          ),
          additionalProperties: false,
        }
      : {}),
  };
}
