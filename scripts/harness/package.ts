// package.ts: the packages that a release publishes, for `npm run packages` and for the tests that
// install them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { projectRoot } from './sandbox.ts';

/**
 * Path of the tarball for npm. It is packed into `folder` from dist/ as it is, without running the
 * build, because other tests read dist/ at the same time. The release workflow names the tarball
 * that will be published in `LHP_OTEL_TARBALL`, so that the tests run that one.
 *
 * @throws Error if npm cannot pack.
 */
export function packageTarball(folder: string): string {
  const given = process.env.LHP_OTEL_TARBALL;
  return given ? resolve(projectRoot, given) : packTarball(folder);
}

/** Packs the tarball of this checkout into `folder`. */
export function packTarball(folder: string): string {
  const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(must('npm', words)) as [{ filename: string }];
  return join(folder, filename);
}

/**
 * Path of the wheel for Linux and macOS, made from the tarball. `LHP_OTEL_WHEEL` names the one that
 * will be published.
 */
export function packageWheel(folder: string): string {
  const given = process.env.LHP_OTEL_WHEEL;
  if (given) return resolve(projectRoot, given);
  const wheel = pypiPackages(packageTarball(folder), folder).find((path) =>
    /-any\.whl$/.test(path),
  );
  if (wheel === undefined) throw new Error('no wheel was built');
  return wheel;
}

/**
 * Builds the packages for PyPI from the one for npm: the source distribution, and from it the
 * wheels. Returns their paths.
 *
 * @param version - in the place of the version that the tarball has.
 */
export function pypiPackages(tarball: string, folder: string, version?: string): string[] {
  const work = mkdtempSync(join(tmpdir(), 'lhp-otel-packages-'));
  try {
    cpSync(join(projectRoot, 'scripts', 'wheel'), work, {
      recursive: true,
      filter: (path) => !path.endsWith('__pycache__'),
    });
    mkdirSync(join(work, 'package'));
    must('tar', ['-xf', tarball, '-C', join(work, 'package'), '--strip-components=1']);
    if (version !== undefined) {
      const manifest = join(work, 'package', 'package.json');
      const text = readFileSync(manifest, 'utf8');
      writeFileSync(manifest, text.replace(/"version": ".*"/, `"version": "${version}"`));
    }
    const python = process.env.PYTHON || 'python3';
    const built = must(python, ['-B', join(work, 'backend.py'), folder])
      .trim()
      .split('\n');
    return built.map((name) => join(folder, name));
  } finally {
    rmSync(work, { recursive: true });
  }
}

export interface Built {
  name: string;
  bytes: number;
  /** In hexadecimal. */
  sha256: string;
}

/** Writes SHA256SUMS beside the files, and the SBOM of what they contain. */
export function writeSums(folder: string, files: readonly string[]): Built[] {
  const sbom = join(folder, 'sbom.cdx.json');
  cpSync(join(projectRoot, 'dist', 'sbom.cdx.json'), sbom);
  const built = [...files, sbom].map((path) => {
    const content = readFileSync(path);
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { name: basename(path), bytes: content.length, sha256 };
  });
  const lines = built.map(({ name, sha256 }) => `${sha256}  ${name}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), lines.join(''));
  return built;
}

function must(file: string, words: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, words, {
    cwd: projectRoot,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}`, { cause: error });
  return stdout;
}
