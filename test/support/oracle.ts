// oracle.ts: what the real lhp itself says of a project. Two witnesses: the event that lhp 0.9.2 and later keeps of the very
// run under test, and the Python API of any version (oracle.py). The sandbox sees to it that the event goes nowhere.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot, type Sandbox } from './sandbox.ts';

/** Path in the project → its text, or where a symbolic link of that name points. */
export type Tree = Record<string, string | { link: string }>;

/** A project in the sandbox's folder: the named trees of test/fixtures/projects over each other, then `tree`. */
export function layOut(box: Sandbox, bases: string[], tree: Tree): string {
  const root = join(box.dir, 'project');
  for (const base of bases) cpSync(join(projectRoot, 'test', 'fixtures', 'projects', base), root, { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === 'string') writeFileSync(target, content);
    else symlinkSync(content.link, target);
  }
  return root;
}

/** Waits for a child of `Sandbox.start` and gives its exit status and everything it printed. */
export async function ended(child: ChildProcess): Promise<{ status: number | null; output: string }> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const status = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { status, output };
}

/** lhp's own event of its last `generate` in this sandbox. `project` is null when its quarter of a second was over. */
export interface OwnEvent {
  files_written: number;
  bundle_enabled: boolean;
  project: { flowgroups: number; flowgroups_using_templates: number; pipelines: number } | null;
}

export function ownEvent(box: Sandbox): OwnEvent {
  const lines = readFileSync(join(box.dir, 'lhp-config', 'telemetry', 'spool.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean);
  const runs = lines.map((line) => JSON.parse(line)).filter(({ props }) => props.command === 'generate');
  return runs.at(-1).props;
}

interface Counts {
  flowgroups: number;
  flowgroupsUsingTemplates: number;
  templates: number;
  pipelines: number;
  /** The Python that gave the answer, which is the one that runs lhp: `3.11`. */
  python: string;
}

export interface Oracle {
  /** The totals of the project by lhp's Python API; `pipelineConfig` is what `-pc` names. */
  count(root: string, pipelineConfig?: string): Promise<Counts>;
  close(): void;
}

/** One Python process for a whole test file, beside the given `lhp`. */
export function startOracle(lhp: string): Oracle {
  const script = join(projectRoot, 'test', 'support', 'oracle.py');
  const child = spawn(join(dirname(lhp), 'python'), [script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  child.on('exit', (code) => {
    for (const answer of waiting.splice(0)) answer(JSON.stringify({ error: `oracle.py ended with ${code}` }));
  });
  return {
    count: async (root, pipelineConfig) => {
      const line = await new Promise<string>((resolve) => {
        waiting.push(resolve);
        child.stdin.write(`${JSON.stringify({ root, pipelineConfig })}\n`);
      });
      const answer = JSON.parse(line) as Counts | { error: string };
      if ('error' in answer) throw new Error(`lhp's API: ${answer.error}`);
      return answer;
    },
    close: () => child.stdin.end(),
  };
}
