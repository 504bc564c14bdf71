// oracle.ts: the counts that the real lhp has for a project, from two sources: the event that lhp
// 0.9.2 and later records of the same run, and the Python API of any version (oracle.py). The
// sandbox keeps lhp from sending the event.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot, type Sandbox } from '../../scripts/harness/sandbox.ts';

/** The text of each path in the project, or the target of a symbolic link. */
export type Tree = Record<string, string | { link: string }>;

/**
 * Creates a project in the sandbox's folder: the named trees of test/fixtures/projects, one over
 * the other, and then `tree`.
 */
export function layOut(box: Sandbox, bases: string[], tree: Tree): string {
  const root = join(box.dir, 'project');
  for (const base of bases)
    cpSync(join(projectRoot, 'test', 'fixtures', 'projects', base), root, { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === 'string') writeFileSync(target, content);
    else symlinkSync(content.link, target);
  }
  return root;
}

/** Waits for a child of `Sandbox.start`; gives its exit status and all its output. */
export async function ended(
  child: ChildProcess,
): Promise<{ status: number | null; output: string }> {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const status = await new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  );
  return { status, output };
}

/**
 * lhp's own event of its last `generate` in this sandbox. `project` is null when counting took lhp
 * longer than 0.25 s.
 */
export interface OwnEvent {
  files_written: number;
  bundle_enabled: boolean;
  project: { flowgroups: number; flowgroups_using_templates: number; pipelines: number } | null;
}

export function ownEvent(box: Sandbox): OwnEvent {
  const folder = join(box.dir, 'lhp-config', 'telemetry');
  // On a slow machine lhp ends before its sender has renamed spool.inflight-….jsonl.
  const lines = readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean));
  const runs = lines
    .map((line) => JSON.parse(line))
    .filter(({ props }) => props.command === 'generate');
  return runs.sort((a, b) => a.ts.localeCompare(b.ts)).at(-1).props;
}

export interface WarmLhp {
  /** A folder for PATH that contains `lhp`. */
  bin: string;
  close(): void;
}

/**
 * Starts a server that has imported the given lhp and forks a process for each run (warm_lhp.py).
 * The start of lhp takes most of the time of a small generate.
 */
export async function warmLhp(lhp: string): Promise<WarmLhp> {
  const bin = mkdtempSync(join(tmpdir(), 'lhp-otel-warm-'));
  const python = join(dirname(lhp), 'python');
  const socket = join(bin, 'socket');
  // With -I and -S it starts in 15 ms, because it does not load lhp's site-packages. lhp-otel finds
  // lhp's interpreter in the first line.
  writeFileSync(
    join(bin, 'lhp'),
    `#!${python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(${JSON.stringify(socket)})
    request = json.dumps({"argv": sys.argv, "cwd": os.getcwd(), "env": dict(os.environ)})
    socket.send_fds(server, [request.encode() + b"\\n"], [0, 1, 2])
    sys.exit(int(server.recv(16)))
`,
    { mode: 0o755 },
  );
  const server = spawn(python, [join(projectRoot, 'test', 'support', 'warm_lhp.py'), socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    server.stdout.once('data', resolve);
    server.once('exit', (code) => reject(new Error(`warm_lhp.py ended with ${code}`)));
  });
  return {
    bin,
    close: () => {
      server.kill();
      rmSync(bin, { recursive: true, force: true });
    },
  };
}

interface Counts {
  flowgroups: number;
  flowgroupsUsingTemplates: number;
  templates: number;
  pipelines: number;
  /** The version of the Python that runs lhp, such as `3.11`. */
  python: string;
}

/** The part of lhp that reads a text: the loader of lhp.yaml, or a parser of other files. */
type TextReader = 'project' | 'flowgroups' | 'blueprint' | 'instance';

export interface Oracle {
  /** lhp's result for each text as the content of `path`; `ended` where lhp raises an error. */
  read(
    root: string,
    reader: TextReader,
    path: string,
    texts: readonly string[],
  ): Promise<unknown[]>;
  /** The counts of the project by lhp's Python API. `pipelineConfig` is the value of `-pc`. */
  count(root: string, pipelineConfig?: string): Promise<Counts>;
  close(): void;
}

/** Starts one Python process, that of the given `lhp`, for a whole test file. */
export function startOracle(lhp: string): Oracle {
  const script = join(projectRoot, 'test', 'support', 'oracle.py');
  const child = spawn(join(dirname(lhp), 'python'), [script], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  child.on('exit', (code) => {
    for (const answer of waiting.splice(0))
      answer(JSON.stringify({ error: `oracle.py ended with ${code}` }));
  });
  const ask = async <T>(question: object): Promise<T> => {
    const line = await new Promise<string>((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${JSON.stringify(question)}\n`);
    });
    const answer = JSON.parse(line) as T | { error: string };
    if (typeof answer === 'object' && answer !== null && 'error' in answer)
      throw new Error(`lhp's API: ${answer.error}`);
    return answer as T;
  };
  return {
    count: (root, pipelineConfig) => ask<Counts>({ root, pipelineConfig }),
    read: async (root, reader, path, texts) => {
      const { answers } = await ask<{ answers: unknown[] }>({ root, reader, path, texts });
      return answers;
    },
    close: () => child.stdin.end(),
  };
}
