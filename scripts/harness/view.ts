// view.ts: starts the built `lhp-otel view` for the user of a sandbox, sends it plain HTTP
// requests, and ends it with a signal. Also starts the real browser for its page.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { type Browser, chromium } from 'playwright-core';
import { cli, type Env, until } from './sandbox.ts';

export interface View {
  child: ChildProcess;
  /** As it was printed, with the token. */
  url: string;
  origin: string;
  port: number;
  token: string;
  stderr(): string;
  /** Ends it, and gives its exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** @param command - the program, by default the built one. */
export async function startView(
  place: { cwd: string; env: Env },
  args: string[] = ['--no-open'],
  [file = '', ...words]: readonly string[] = [process.execPath, cli],
): Promise<View> {
  const child = spawn(file, [...words, 'view', ...args], {
    cwd: place.cwd,
    env: place.env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  await until(() => stdout.includes('\n') || child.exitCode !== null, 'the address of the page');
  const url = stdout.split('\n')[0] ?? '';
  if (!URL.canParse(url)) throw new Error(`no address of a page: ${stdout}${stderr}`);
  const { origin, port, pathname } = new URL(url);
  return {
    child,
    url,
    origin,
    port: Number(port),
    token: pathname.slice(1, -1),
    stderr: () => stderr,
    stop: async (signal = 'SIGINT') => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** Sends one request as given. Only the header Host is added, and it can be replaced. */
export function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, ...options, agent: false },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        });
      },
    );
    asked.on('error', reject).end(options.body);
  });
}

/**
 * The browser resolves no host name and sends no requests of its own, so each request that is seen
 * comes from the page.
 */
export const startBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // A page of the same server loads faster in a process that has shown it before.
      '--process-per-site',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
