// server.ts: starts a server of the operator as a process on this machine, with its command from a
// compose file and the paths of the container replaced by local ones.
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
 * The service's command with local paths: `files` maps paths of the container, bind mounts are in
 * the repository, and named volumes are in `folder`.
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

/** Whether this address answers, and with success. */
export const isReady = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

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
      while (!(await isReady(ready))) {
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
