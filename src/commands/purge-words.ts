// purge-words.ts: what `purge --all` is about to delete, a line for each kind of file.
import { basename, dirname } from 'node:path';
import type { Paths } from '../system/paths.ts';
import type { Traces } from './purge-all.ts';

export const runsInWords = (count: number) => `${count} recorded ${count === 1 ? 'run' : 'runs'}`;

export function tracesInWords(
  { hooks, files, folders }: Traces,
  paths: Paths,
  home: string | undefined,
): string[] {
  const short = (path: string) =>
    home && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
  const below = (folder: string) => files.filter((path) => path.startsWith(`${folder}/`));
  const [config, cache] = [paths.configFolder, dirname(paths.cache)];
  const recorded = files.filter(
    (path) => [paths.spool, paths.history].includes(dirname(path)) && /json$/.test(path),
  );
  const configuration = files.filter((path) => dirname(path) === config);
  const compiled = below(cache);
  const known = [...below(paths.state), ...configuration, ...compiled];
  const empty = (folder: string) =>
    folders.includes(folder) ? [`the empty folder ${short(folder)}`] : [];
  return [
    ...(below(paths.state).length > 0
      ? [
          `${runsInWords(recorded.length)} and what is known of their delivery, ` +
            `in ${short(paths.state)}`,
        ]
      : empty(paths.state)),
    ...(configuration.length > 0
      ? [
          `your configuration, in ${short(config)}: ` +
            configuration.map((path) => basename(path)).join(', '),
        ]
      : empty(config)),
    ...hooks.map((rc) => `the hook in ${short(rc)}`),
    ...(compiled.length > 0
      ? [`compiled code, which lhp-otel makes anew where it needs it, in ${short(cache)}`]
      : empty(paths.cache)),
    ...files
      .filter((path) => !known.includes(path))
      .map((path) => `what an interrupted hook --install has left: ${short(path)}`),
  ];
}
