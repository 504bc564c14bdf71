// pty.ts: a real terminal for tests. A Python program (pty.py: os.forkpty) holds it; here is what a
// person does with it: read what it shows, type, change the window's size, close the window. Every
// wait is for something shown.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot, until } from '../../scripts/harness/sandbox.ts';

/** Nothing here takes a second, and other programs have the processor too. */
const PATIENCE_MS = 10_000;

const program = join(projectRoot, 'test', 'support', 'pty.py');

export interface Terminal {
  /** Everything shown so far. */
  shown(): string;
  /** Waits until this text is shown, after what was waited for before. */
  expect(text: string): Promise<void>;
  type(text: string): void;
  resize(rows: number, columns: number): void;
  /** A signal to the command's process, as from another window. */
  kill(name: 'INT' | 'TERM'): void;
  /** The window is closed. */
  hangUp(): void;
  /** Waits for the command's end; gives its exit status as a shell reports it. */
  ended(): Promise<number>;
}

interface TerminalOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  size?: [rows: number, columns: number];
}

export function openTerminal(
  command: string[],
  { cwd, env, size = [24, 80] }: TerminalOptions,
): Terminal {
  const child = spawn('python3', ['-I', '-S', program, ...size.map(String), ...command], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  });
  child.stdin?.on('error', () => {}); // the command ended before it was told
  let shown = '';
  let seen = 0;
  let status = '';
  let closed = false;
  child.on('close', () => {
    closed = true;
  });
  child.stdout?.setEncoding('latin1').on('data', (text: string) => {
    shown += text;
  });
  (child.stdio[3] as NodeJS.ReadableStream).on('data', (bytes: Buffer) => {
    status += bytes;
  });
  const order = (what: object) =>
    child.stdin?.writable && child.stdin.write(`${JSON.stringify(what)}\n`);
  return {
    shown: () => shown,
    expect: async (text) => {
      const found = () => shown.indexOf(text, seen);
      await until(
        () => found() >= 0,
        `${JSON.stringify(text)} on the terminal, which shows ${JSON.stringify(shown)}`,
        15_000,
      );
      seen = found() + text.length;
    },
    type: (text) => order({ type: text }),
    resize: (rows, columns) => order({ size: [rows, columns] }),
    kill: (name) => order({ kill: name }),
    hangUp: () => order({ hangup: true }),
    ended: async () => {
      await until(() => closed, 'the command on the terminal to end', PATIENCE_MS).catch(
        (error: Error) => {
          throw new Error(`${error.message}; it shows ${JSON.stringify(shown)}`);
        },
      );
      if (status === '') throw new Error('the terminal failed');
      return Number(status);
    },
  };
}
