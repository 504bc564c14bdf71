// package.ts: the tarball of the package, for the tests that install it.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { projectRoot } from './sandbox.ts';

/**
 * Path of the tarball. It is packed into `folder` from dist/ as it is, without running the build,
 * because other tests read dist/ at the same time. The release workflow names the tarball that will
 * be published in `LHP_OTEL_TARBALL`, so that the tests run that one.
 *
 * @throws Error if npm cannot pack.
 */
export function packageTarball(folder: string): string {
  const given = process.env.LHP_OTEL_TARBALL;
  if (given) return resolve(projectRoot, given);
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    { cwd: projectRoot, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`npm pack ended with ${status}: ${stderr}`);
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(folder, filename);
}
