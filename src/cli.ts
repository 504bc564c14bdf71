#!/usr/bin/env node
// cli.ts: the program. `run` is the hot path and goes straight to run.ts; every other command is a module that only they load.
import { say } from './system/log.ts';
import { run } from './wrap/run.ts';

const [name, ...rest] = process.argv.slice(2);

if (name === 'run' && rest.length > 0 && !(rest[0] ?? '').startsWith('-')) {
  finish(run(rest));
} else if (name === 'run' && rest[0] === '--' && rest.length > 1) {
  finish(run(rest.slice(1)));
} else {
  finish(command());
}

async function command(): Promise<number> {
  const { refusal } = await import('./system/node-version.ts');
  const refused = refusal(process.argv.slice(2));
  if (refused !== undefined) throw new Error(refused);
  const { main } = await import('./commands/commands.ts');
  return main(process.argv, run);
}

function finish(status: Promise<number>): void {
  status.then(
    (code) => process.exit(code),
    (error: unknown) => {
      say(error instanceof Error ? error.message : String(error));
      process.exit(1);
    },
  );
}
