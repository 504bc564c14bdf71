// pty.ts: a real terminal for tests, which pty.py opens. A test reads what the terminal shows,
// types, changes the window's size, and closes the window. It waits for text, never for a time.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot, until } from '../../scripts/harness/sandbox.ts';

/** Nothing here takes a second on an idle machine. */
const PATIENCE_MS = 10_000;

const program = join(projectRoot, 'test', 'support', 'pty.py');

export interface Terminal {
  /** Everything shown so far. */
  shown(): string;
  /** Waits until this text is shown, after the text of the previous call. */
  expect(text: string): Promise<void>;
  type(text: string): void;
  resize(rows: number, columns: number): void;
  /** A signal to the command's process, as from another window. */
  kill(name: 'INT' | 'TERM'): void;
  /** Closes the window. */
  hangUp(): void;
  /** Waits for the end of the command. Its exit status, as a shell reports it. */
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
  child.stdin?.on('error', () => {}); // The command may end before it has read everything.
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
