// windows.ts: the path of one of Windows' own programs. For a name without a path Windows searches
// the current folder first.
import { win32 } from 'node:path';
import type { Env } from './host.ts';

export function windowsProgram(name: string, env: Env): string {
  const root = env.SystemRoot ?? env.windir ?? '';
  return win32.join(/^[a-z]:\\/i.test(root) ? root : 'C:\\Windows', 'System32', name);
}
