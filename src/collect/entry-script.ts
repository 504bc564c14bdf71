// entry-script.ts: finds the interpreter of an entry script (`bin/lhp`) in its first lines. It
// reads the forms that pip, distlib, `installer` (Poetry, PDM), uv with and without --relocatable,
// pipx, virtualenv and conda write.
import { dirname, join } from 'node:path';
import type { Host } from '../system/host.ts';
import { readText } from '../system/try-read.ts';
import { realPath } from '../system/which.ts';

/** A path, or the name of a program on PATH. */
export function interpreterOfEntryScript(script: string, { platform }: Host): string | undefined {
  // On Windows the script is an .exe that starts the Python beside it.
  if (platform === 'win32') return join(dirname(script), 'python.exe');
  const real = realPath(script);
  const text = readText(real) ?? '';
  const [first = '', second = ''] = text.split('\n', 2).map((line) => line.replace(/\r$/, ''));
  if (!first.startsWith('#!')) return undefined;
  const line = first.slice(2).trim();
  if (/^\/bin\/(ba|da)?sh$/.test(line)) return fromExec(second, real);
  const env = /^\S*\/env\s+(.*)$/.exec(line)?.[1];
  if (env !== undefined) return fromEnv(env);
  const [path = ''] = line.split(/\s/);
  return isPython(path) ? path : undefined;
}

/** The arguments of env(1), such as `python3`, or `-S "/a b/python" -I`. */
function fromEnv(words: string): string | undefined {
  const rest = words.replace(/^(-S|--split-string=?|-vS)\s*/, '');
  const word = shellWord(rest);
  return word !== undefined && isPython(word) ? word : undefined;
}

/**
 * The second line of a script that is both sh and Python: `'''exec' "/a b/python" "$0" "$@"`.
 * Installers write it if the path is too long for a first line or has a space, and, with the folder
 * of the script in place of the path, for an environment that can be moved.
 */
function fromExec(line: string, script: string): string | undefined {
  const target = /^(?:'''exec'|"""exec"|''':'?; ?exec|"exec"|'exec')\s+(.*)$/.exec(line)?.[1];
  if (target === undefined) return undefined;
  // uv: "$(dirname -- "$(realpath -- "$0")")"/'python'. Others use readlink -f, or dirname alone.
  const name = /^"?(?:\$\(|`)\s*dirname\b[^/]*\$\{?0\}?[^/]*\/["']?([\w.+-]+)/.exec(target)?.[1];
  const word = name === undefined ? shellWord(target) : join(dirname(script), name);
  return word !== undefined && isPython(word) ? word : undefined;
}

/** The first word without its quotes. `undefined` if a shell would have to expand it. */
function shellWord(text: string): string | undefined {
  let word = '';
  let rest = text;
  while (rest !== '' && !/^\s/.test(rest)) {
    const [whole, single, double, escaped, plain] =
      /^(?:'([^']*)'|"((?:[^"\\$`]|\\.)*)"|\\(.)|([^\s'"\\$`;&|<>()]+))/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    word += single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '';
    rest = rest.slice(whole.length);
  }
  return word || undefined;
}

const isPython = (path: string) => /(^|\/)(python|pypy)[\d.]*[a-z]?$/.test(path);
