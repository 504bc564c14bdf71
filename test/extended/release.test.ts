// @module-tag extended
// `npm run release:dry-run`: everything of a release but the publishing, and what the workflow
// does.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeWheel, twine } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { lacking } from '../support/lacking.ts';

const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));

describe('the dry run of a release', () => {
  if (lacking(nodeWheel(), twine())) return;
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-dry-run-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('builds, checks and installs each package, and publishes nothing', () => {
    const script = join(projectRoot, 'scripts', 'release-dry-run.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stdout).toContain('\ninstalled with npm, in ');
    expect(stdout).toContain('\ninstalled with pip, in ');
    expect(stdout).toMatch(/\nNothing was published\.\n$/);
    expect(readdirSync(folder).toSorted()).toEqual(
      [
        'SHA256SUMS',
        `lhp-otel-${version}.tgz`,
        `lhp_otel-${version}-py3-none-any.whl`,
        `lhp_otel-${version}-py3-none-win_amd64.win_arm64.whl`,
        `lhp_otel-${version}.tar.gz`,
        'sbom.cdx.json',
      ].toSorted(),
    );
  });
});

it('the workflow publishes only what it has built once and tested', () => {
  const path = join(projectRoot, '.github', 'workflows', 'release.yml');
  const { jobs } = load(readFileSync(path, 'utf8')) as {
    jobs: Record<string, { needs?: string | string[]; steps: { run?: string; uses?: string }[] }>;
  };
  const scripts = (name: string) => (jobs[name]?.steps ?? []).map(({ run = '' }) => run).join('\n');
  expect(Object.keys(jobs)).toEqual(['build', 'test', 'npm', 'pypi', 'github']);
  expect(jobs.test?.needs).toBe('build');
  expect([jobs.npm?.needs, jobs.pypi?.needs]).toEqual(['test', 'test']);
  expect(jobs.github?.needs).toEqual(['npm', 'pypi']);
  for (const name of ['npm', 'pypi', 'github']) {
    expect(scripts(name)).toContain('sha256sum --check --strict SHA256SUMS');
    expect(jobs[name]?.steps.some(({ uses }) => uses?.includes('checkout'))).toBe(false);
  }
  expect(scripts('test')).toContain('LHP_OTEL_WHEEL=');
  expect(scripts('npm')).toContain('--provenance');
});
