#!/usr/bin/env node
// cli.ts: the program `lhp-otel`. `run` is the hot path and is imported statically; the other
// commands are loaded only when they are called.
import { SET_ASIDE, WHOLE_ENVIRONMENT } from '../system/host.ts';
import { say } from '../system/log.ts';
import { run } from '../wrap/run.ts';

const [name, ...rest] = process.argv.slice(2);

// Set by the command that pip installs.
exitWith(process.env[WHOLE_ENVIRONMENT] === undefined ? begin() : restoreVariables().then(begin));

async function restoreVariables(): Promise<void> {
  const { restoreEnvironment } = await import('../system/whole-environment.ts');
  restoreEnvironment(process.env);
}

function begin(): Promise<number> {
  const delivers = name === 'flush' || name === 'doctor';
  const { NODE_DEBUG, NODE_DEBUG_NATIVE, [SET_ASIDE]: setAside } = process.env;
  if (!delivers && !NODE_DEBUG && !NODE_DEBUG_NATIVE && setAside === undefined) return start();
  return import('../wrap/start-again.ts').then(({ startAgain }) => {
    startAgain(delivers, process.env);
    return start();
  });
}

function start(): Promise<number> {
  if (name === 'run' && rest.length > 0 && !(rest[0] ?? '').startsWith('-')) return run(rest);
  if (name === 'run' && rest[0] === '--' && rest.length > 1) return run(rest.slice(1));
  return command();
}

async function command(): Promise<number> {
  const { refusal } = await import('../system/node-version.ts');
  const refused = refusal(process.argv.slice(2));
  if (refused !== undefined) throw new Error(refused);
  const { main } = await import('../commands/commands.ts');
  return main(process.argv, run);
}

function exitWith(status: Promise<number>): void {
  status.then(
    (code) => process.exit(code),
    (error: unknown) => {
      say(error instanceof Error ? error.message : String(error));
      process.exit(1);
    },
  );
}
