// etc.ts: an /etc/lhp-otel/config.json for one process, in a mount namespace of its own: no
// variable can move that file.
import { spawnSync } from 'node:child_process';
import type { Need } from '../../scripts/harness/needs.ts';

/** What starts a command so that it sees this folder's files in /etc. */
export const overEtc = (folder: string) => {
  const mount = 'mount -t overlay overlay -o "lowerdir=$1:/etc" /etc && shift && exec "$@"';
  return ['unshare', process.getuid?.() === 0 ? '-m' : '-rm', 'sh', '-c', mount, 'sh', folder];
};

export function mountNamespaces(): Need {
  const [file = '', ...args] = [...overEtc('/usr'), 'true'];
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0
    ? { path: file }
    : { path: '', lacks: `no /etc of their own for processes here: ${error?.message ?? stderr}` };
}
