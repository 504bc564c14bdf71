// entry-script.ts: the interpreter of an entry script (`bin/lhp`), from its first lines, in every
// form that installers write: pip, distlib, `installer` (Poetry, PDM), uv with and without
// --relocatable, pipx, virtualenv, conda.
import { dirname, join } from 'node:path';
import type { Host } from '../system/host.ts';
import { readText } from '../system/try-read.ts';
import { realPath } from '../system/which.ts';

/** A path, or the name of a program to look for on PATH. */
export function interpreterOfEntryScript(script: string, { platform }: Host): string | undefined {
  // A Windows launcher is a program that starts the Python beside it.
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

/**
 * `env python3`, `env -S "/a b/python" -I`: variables and options of env do not change which Python
 * it is.
 */
function fromEnv(words: string): string | undefined {
  const rest = words.replace(/^(-S|--split-string=?|-vS)\s*/, '');
  const word = shellWord(rest);
  return word !== undefined && isPython(word) ? word : undefined;
}

/**
 * The second line of a script that is both sh and Python, for a path that is too long for a first
 * line or has a space: `'''exec' "/a b/python" "$0" "$@"`; or with the folder of the script, for an
 * environment that can be moved.
 */
function fromExec(line: string, script: string): string | undefined {
  const target = /^(?:'''exec'|"""exec"|''':'?; ?exec|"exec"|'exec')\s+(.*)$/.exec(line)?.[1];
  if (target === undefined) return undefined;
  // uv: "$(dirname -- "$(realpath -- "$0")")"/'python'; others have readlink -f, or only dirname.
  const name = /^"?(?:\$\(|`)\s*dirname\b[^/]*\$\{?0\}?[^/]*\/["']?([\w.+-]+)/.exec(target)?.[1];
  const word = name === undefined ? shellWord(target) : join(dirname(script), name);
  return word !== undefined && isPython(word) ? word : undefined;
}

/**
 * The first word, without the shell's quotes; `undefined` where the shell would have to work
 * something out.
 */
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
