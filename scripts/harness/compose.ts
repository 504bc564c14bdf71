// compose.ts: reads the services of a compose file and resolves them as compose does: anchors and
// merges, `extends`, compose's own tags, and variables with their defaults. It reads only what the
// tests need to start servers.
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import {
  CORE_SCHEMA,
  defineMappingTag,
  defineSequenceTag,
  load,
  mapTag,
  mergeTag,
  seqTag,
} from 'js-yaml';
import { projectRoot } from './sandbox.ts';

export interface Service {
  image: string;
  entrypoint?: string[];
  /** A list, or one string that compose splits at its spaces. */
  command?: string[] | string;
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  tmpfs?: string[];
  /** As `600m`, in units of 1024. */
  mem_limit?: string;
  /** As `2m`. */
  stop_grace_period?: string;
  /** Service that must have started, or have ended, before this one. */
  depends_on?: Record<string, { condition: string }>;
  extends?: { file: string; service: string };
}

// The tags say how compose merges; what they mark is read as it stands.
const SCHEMA = CORE_SCHEMA.withTags(
  mergeTag,
  ...['!reset', '!override'].flatMap((tag) => [
    defineSequenceTag(tag, seqTag),
    defineMappingTag(tag, mapTag),
  ]),
);

/**
 * The services of a compose file of this repository, with these variables in place of the
 * operator's environment.
 */
export function composeServices(
  file: string,
  variables: Record<string, string> = {},
): Record<string, Service> {
  const { services } = load(readFileSync(join(projectRoot, file), 'utf8'), { schema: SCHEMA }) as {
    services: Record<string, Service>;
  };
  return Object.fromEntries(
    Object.entries(services).map(([name, service]) => [
      name,
      filled(extended(located(service, dirname(file)), variables), variables),
    ]),
  );
}

/** The same service, with paths of files relative to the root of the repository. */
function located(service: Service, folder: string): Service {
  const path = (from: string) => normalize(join(folder, from));
  const volumes = service.volumes?.map((volume) =>
    /^\.\.?\//.test(volume)
      ? `./${path(volume.slice(0, volume.indexOf(':')))}${volume.slice(volume.indexOf(':'))}`
      : volume,
  );
  const base = service.extends && { ...service.extends, file: path(service.extends.file) };
  return { ...service, ...(volumes && { volumes }), ...(base && { extends: base }) };
}

function extended(service: Service, variables: Record<string, string>): Service {
  if (service.extends === undefined) return service;
  const base = composeServices(service.extends.file, variables)[service.extends.service];
  if (base === undefined)
    throw new Error(`${service.extends.file} has no service ${service.extends.service}`);
  // Compose identifies a volume by its path in the container.
  const volumes = new Map(
    [...(base.volumes ?? []), ...(service.volumes ?? [])].map((volume) => [
      volume.split(':')[1],
      volume,
    ]),
  );
  return {
    ...base,
    ...service,
    environment: { ...base.environment, ...service.environment },
    volumes: [...volumes.values()],
  };
}

/**
 * Expands `${NAME:-default}`, `${NAME:+if it is set}` and `${NAME:?what is missing}`. A required
 * variable that is missing stays as it is.
 */
function filled<T>(value: T, variables: Record<string, string>): T {
  if (typeof value === 'string')
    return value.replace(
      /\$\{(\w+)(?::([-+?])([^}]*))?\}/g,
      (whole, name: string, kind: string | undefined, rest = '') => {
        if (kind === '+') return variables[name] ? rest : '';
        return variables[name] ?? (kind === '-' ? rest : whole);
      },
    ) as T;
  if (Array.isArray(value)) return value.map((one) => filled(one, variables)) as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, filled(one, variables)]),
    ) as T;
  return value;
}
