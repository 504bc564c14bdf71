// whole-environment.ts: sets the environment again as it was before a shell had it. The command
// that pip installs is a shell script. Shells drop variables whose names are not theirs (a.b, a-b)
// and change some of their own (IFS). Where there are such variables, the script passes all of them
// in one more variable, in base64 (scripts/wheel/launcher.sh).
import { WHOLE_ENVIRONMENT } from './host.ts';

export function restoreEnvironment(env: NodeJS.ProcessEnv): void {
  const text = Buffer.from(env[WHOLE_ENVIRONMENT] ?? '', 'base64').toString('utf8');
  const before = new Map<string, string>();
  for (const each of text.split('\0')) {
    const at = each.indexOf('=', 1);
    if (at > 0 && !before.has(each.slice(0, at))) before.set(each.slice(0, at), each.slice(at + 1));
  }
  if (before.size === 0) return void delete env[WHOLE_ENVIRONMENT];
  for (const name of Object.keys(env)) if (!before.has(name)) delete env[name];
  for (const [name, value] of before) env[name] = value;
  delete env[WHOLE_ENVIRONMENT];
}
