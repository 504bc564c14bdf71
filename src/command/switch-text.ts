// switch-text.ts: what a text of assignments (dotenv, TOML, JSON, shell) says about the opt-outs
// that are environment variables. Lines are searched, and no format is parsed: this runs before the
// user's command, where no package may be loaded (docs/adr/0002-hot-path.md). A value that cannot
// be read this way counts as unknown.
import { environmentLayer } from '../consent/consent.ts';
import { type Layer, OPT_OUT_VARIABLES } from '../consent/layers.ts';
import { errorCode } from '../system/error.ts';
import { readRegular } from '../system/files.ts';
import type { Env } from '../system/host.ts';

/** The opt-out that is set, or a phrase for what could not be read. */
export type Between = { layer: Layer } | { unknown: string };

/** Variables that decide in which folder lhp keeps its own `telemetry off`. */
export const PLACES = ['LHP_CONFIG_DIR', 'XDG_CONFIG_HOME', 'HOME', 'APPDATA', 'USERPROFILE'];
/** One of these variables was changed, so lhp may find another `telemetry off` than we do. */
export const WHERE_LHP_LOOKS: Between = { unknown: 'where lhp keeps its own consent' };
/** Environment files and settings have a few lines. */
const MAX_BYTES = 1024 * 1024;

/**
 * The opt-outs among these variables. Those of our own environment were asked before; of it only
 * LHP_OTEL_UPSTREAM is needed, with which LHP_TELEMETRY is no opt-out.
 */
export const switchesOf = (env: Env, set: ReadonlyMap<string, string>): Env => ({
  LHP_OTEL_UPSTREAM: env.LHP_OTEL_UPSTREAM,
  ...Object.fromEntries(
    [...set].filter(([name]) => (OPT_OUT_VARIABLES as readonly string[]).includes(name)),
  ),
});

/** Whether the value of an option names an opt-out. */
export const mentionsSwitch = (text: string): boolean =>
  [...OPT_OUT_VARIABLES, 'LHP_CONFIG_DIR', 'XDG_CONFIG_HOME'].some((name) => text.includes(name));

/** The text of a file; `null` if there is no such file, `undefined` if it cannot be read. */
export function textOf(path: string): string | null | undefined {
  try {
    return readRegular(path, { maxBytes: MAX_BYTES }).toString('utf8');
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '') ? null : undefined;
  }
}

const MENTION = new RegExp(`\\b(${OPT_OUT_VARIABLES.join('|')})\\b(.*)`, 'g');
/** What follows a name: `=value`, `": "value",`. Nothing that a shell would have to expand. */
const PLAIN = /^["']?\s*[=:]\s*(?:"([^"\\$`]*)"|'([^'\\]*)'|([\w.-]*))\s*[,;}\]]*\s*(?:#.*)?$/;
const MOVES = new RegExp(`^\\s*(?:export\\s+)?["']?(?:${PLACES.join('|')})["']?\\s*[=:]`, 'm');

/** @param text - as {@link textOf} gives it. */
export function fromText(text: string | null | undefined, env: Env): Between | undefined {
  if (text === null) return undefined;
  if (text === undefined) return { unknown: 'an environment file' };
  for (const line of text.split('\n')) {
    if (/^\s*#/.test(line)) continue;
    for (const [, name = '', rest = ''] of line.matchAll(MENTION)) {
      const plain = PLAIN.exec(rest.trimEnd());
      const value = plain?.[1] ?? plain?.[2] ?? plain?.[3];
      if (value === undefined) return { unknown: `the value of ${name}` };
      const layer = environmentLayer(switchesOf(env, new Map([[name, value]])));
      if (layer) return { layer };
    }
  }
  return MOVES.test(text) ? WHERE_LHP_LOOKS : undefined;
}

/** The lines of a TOML file that can set something in a table, or in a table above or below it. */
export function linesOfTable(text: string, table: string): string {
  let inside = true;
  const lines = text.split('\n').filter((line) => {
    const [, indent, header] =
      /^(\s*)\[\[?([\w\s."'-]+)\]\]?\s*(?:#.*)?$/.exec(line.trimEnd()) ?? [];
    if (header !== undefined) {
      const name = header.replace(/[\s"']/g, '');
      const related = `${name}.`.startsWith(`${table}.`) || `${table}.`.startsWith(`${name}.`);
      // An indented header may be a list inside a value, so it does not end a table.
      inside = related || (inside && indent !== '');
    }
    return inside;
  });
  return lines.join('\n');
}

/**
 * The environment files and activation scripts that settings name. `undefined` stands for one whose
 * name cannot be read.
 */
export function filesNamedIn(text: string): (string | undefined)[] {
  const values = text.matchAll(/\bscripts\s*=\s*(\[[^\]]*\])|\benv[-_]file[\w.]*\s*=([^\n]*)/g);
  return [...values].flatMap(([, scripts, file]) => {
    const quoted = [...(scripts ?? file ?? '').matchAll(/"([^"\\]*)"|'([^']*)'/g)].map(
      ([, double, single]) => double ?? single,
    );
    return quoted.length > 0 || scripts !== undefined ? quoted : [undefined];
  });
}
