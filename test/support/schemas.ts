// schemas.ts: makes a JSON schema per kind from Kubernetes' own OpenAPI description, for
// kubeconform, which has no schemas and would download them. The schemas are strict: an unknown
// field is an error, as with `kubectl --validate=strict`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';

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
 * Writes `<kind>.json` for each of these (group, version, kind).
 *
 * @returns the path pattern for kubeconform's -schema-location.
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

/** The same for each kind that a CustomResourceDefinition of the folder `definitions` describes. */
export function writeCustomSchemas(definitions: string, folder: string): void {
  for (const file of readdirSync(definitions)) {
    const { spec } = load(readFileSync(join(definitions, file), 'utf8')) as {
      spec: {
        names: { kind: string };
        versions: { schema: { openAPIV3Schema: Schema } }[];
      };
    };
    const [version] = spec.versions;
    if (spec.versions.length !== 1 || version === undefined)
      throw new Error(`${file} has ${spec.versions.length} versions`);
    writeFileSync(
      join(folder, `${spec.names.kind.toLowerCase()}.json`),
      JSON.stringify(strict(version.schema.openAPIV3Schema)),
    );
  }
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
