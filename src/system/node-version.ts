// node-version.ts: refuses an older Node, before anything else is loaded. The commands that switch
// telemetry off, and the one that runs the user's command, are tried on any Node.
import { oldestNode } from './version.ts';

/** The commands that are tried on any Node; `hook --uninstall` is another. */
const ANYWHERE = ['run', 'off', 'purge', 'help', '--help', '-h', '--version', '-V'];

/**
 * Why the command cannot run; `undefined` where it can.
 *
 * @param words - The command line.
 */
export function refusal(
  words: readonly string[],
  node: string = process.versions.node,
  program: string = process.execPath,
): string | undefined {
  const name = words[0] === '--' ? words[1] : words[0];
  const works =
    name === undefined ||
    ANYWHERE.includes(name) ||
    (name === 'hook' && words.includes('--uninstall'));
  if (works || isAtLeast(node, oldestNode)) return undefined;
  return [
    `lhp-otel needs Node ${oldestNode} or newer, and ${program} is ${node}: install one from`,
    'https://nodejs.org/en/download or with your version manager (nvm install 24),',
    'then lhp-otel with its npm.',
    'In this one work run, off, purge and hook --uninstall',
  ].join(' ');
}

function isAtLeast(version: string, oldest: string): boolean {
  const numbers = (text: string) => text.split('.').map(Number);
  const [[major = 0, minor = 0], [least = 0, leastMinor = 0]] = [numbers(version), numbers(oldest)];
  return major > least || (major === least && minor >= leastMinor);
}
