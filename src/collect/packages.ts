// packages.ts: the versions of lhp and PyYAML that an interpreter imports, from the names of their
// dist-info folders.
import { existsSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import type { Host } from '../system/host.ts';
import { list, readText } from '../system/try-read.ts';
import { realPath } from '../system/which.ts';

export interface Installation {
  lhpVersion: string | undefined;
  /** `major.minor` of the Python that runs lhp. */
  pythonVersion: string | undefined;
  /** lhp reads projects with PyYAML, whose rules for merge keys changed (src/scan/mapping.ts). */
  pyyamlVersion: string | undefined;
}

/**
 * Looks in the venv of the interpreter. Without a venv it looks in the user's packages, then beside
 * the interpreter.
 */
export function fromInterpreter(path: string, host: Host): Installation {
  const venv = dirname(dirname(path));
  const config = readText(join(venv, 'pyvenv.cfg'));
  const target = realPath(path);
  const fromConfig = /^version(?:_info)?\s*=\s*(\d+\.\d+)/m.exec(config ?? '')?.[1];
  const fromName = /^(?:python|pypy)(\d\.\d+)/.exec(basename(target))?.[1];
  const version = fromConfig ?? fromName;
  const nothing = { lhpVersion: undefined, pythonVersion: version, pyyamlVersion: undefined };
  if (isShadowed(host)) return nothing;
  for (const prefix of config === undefined
    ? prefixesOf(path, host)
    : [venv, ...sharedPrefixes(config, host)]) {
    for (const { folder, python } of sitePackages(prefix)) {
      if (version && python && python !== version) continue;
      const found = installedIn(folder);
      if (found.lhpVersion) return { ...found, pythonVersion: version ?? python };
    }
  }
  return nothing;
}

/** Whether PYTHONPATH names an lhp, which comes before an installed one. */
function isShadowed({ cwd, env }: Host): boolean {
  const folders = (env.PYTHONPATH ?? '').split(delimiter).filter(Boolean);
  return folders.some((folder) => existsSync(resolve(cwd, folder, 'lhp')));
}

/** The prefixes without a venv, in Python's order: those of the user, then those of the machine. */
function prefixesOf(path: string, { env, home }: Host): string[] {
  const own = [...new Set([dirname(dirname(path)), dirname(dirname(realPath(path)))])];
  const user = env.PYTHONUSERBASE || (home === undefined ? undefined : join(home, '.local'));
  return [
    ...(user ? [user] : []),
    ...own.flatMap((prefix) => (prefix === '/usr' ? ['/usr/local', prefix] : [prefix])),
  ];
}

/** The prefixes of the base, for a venv that includes them. */
function sharedPrefixes(config: string, host: Host): string[] {
  if (!/^include-system-site-packages\s*=\s*true\s*$/im.test(config)) return [];
  const base = /^home\s*=\s*(.+?)\s*$/m.exec(config)?.[1];
  return base === undefined ? [] : prefixesOf(join(base, 'python3'), host);
}

/** The versions in a folder of packages. */
export const installedIn = (folder: string): Installation => ({
  lhpVersion: installedVersion(folder, LHP),
  pythonVersion: undefined,
  pyyamlVersion: installedVersion(folder, PYYAML),
});

function sitePackages(prefix: string): { folder: string; python: string | undefined }[] {
  const found = ['lib', 'lib64'].flatMap((lib) =>
    list(join(prefix, lib)).flatMap((name) => {
      const python = /^(?:python|pypy)(\d(?:\.\d+)?)$/.exec(name)?.[1];
      if (!python) return [];
      return ['site-packages', 'dist-packages'].map((kind) => ({
        folder: join(prefix, lib, name, kind),
        python: python.includes('.') ? python : undefined,
      }));
    }),
  );
  return [...found, { folder: join(prefix, 'Lib', 'site-packages'), python: undefined }];
}

const LHP = /^lakehouse[_-]plumber-(.+)\.(dist|egg)-info$/i;
const PYYAML = /^pyyaml-([^-]+?)(-py[\d.]+)?\.(dist|egg)-info$/i;

/**
 * The folder's name is the distribution's name and version (PyPA, "Recording installed projects").
 */
function installedVersion(folder: string, distribution: RegExp): string | undefined {
  for (const name of list(folder)) {
    const version = distribution.exec(name)?.[1];
    if (version) return version;
  }
  return undefined;
}
