// server.ts: a server of the operator as a process of this machine: its command from a compose
// file, with the paths of the container made local.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from './compose.ts';
import { projectRoot } from './sandbox.ts';

/** A server on this machine that can be killed and started again at the same place. */
export interface Server {
  port: number;
  url: string;
  start(): Promise<void>;
  /** SIGKILL: no time to write anything. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  pid(): number;
  /** Everything it has written to its log. */
  log(): string;
}

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lhp-otel-stack-'));
  folders.push(folder);
  return folder;
}

/**
 * The service's command with container paths made local: `files` say where, bind mounts → the
 * repository, named volumes → `folder`.
 */
export function localize(
  service: Service,
  folder: string,
  files: Record<string, string> = {},
): string[] {
  const mounts = (service.volumes ?? []).map((volume) => volume.split(':') as [string, string]);
  const command = service.command ?? [];
  return (typeof command === 'string' ? command.split(' ').filter(Boolean) : command).map(
    (argument) => {
      for (const [host, container] of mounts) {
        if (!argument.includes(container)) continue;
        const local =
          files[container] ?? (host.startsWith('.') ? join(projectRoot, host) : join(folder, host));
        return argument.replace(container, local);
      }
      return argument;
    },
  );
}

export function server(
  program: string,
  args: () => string[],
  env: NodeJS.ProcessEnv,
  port: number,
  ready: string,
): Server {
  let child: ChildProcess | undefined;
  let log = '';
  const ended = () => !child || child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (!child || ended()) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    start: async () => {
      const started = spawn(program, args(), { env, stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      for (const stream of [started.stdout, started.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          log += text;
        });
      const deadline = Date.now() + 60_000;
      while (
        !(await fetch(ready).then(
          (answer) => answer.ok,
          () => false,
        ))
      ) {
        if (ended())
          throw new Error(
            `${program} ended with ${started.exitCode ?? started.signalCode}:\n${log}`,
          );
        if (Date.now() > deadline) throw new Error(`${program} is not ready:\n${log}`);
        await sleep(50);
      }
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    pid: () => child?.pid ?? 0,
    log: () => log,
  };
}
