// lhp-models.ts: src/scan/models.ts from the packages themselves: each release of lhp that the
// scanner knows is fetched from PyPI and asked for its models (lhp_models.py); a line for each
// field, and one more for each release that changed its type. Not part of `npm run generate`,
// because it needs PyPI:
//   npm run lhp-models                      makes the file again
//   npm run lhp-models -- 0.9.4 0.10.0      and takes these releases in, once their rules were read
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RELEASES } from '../src/scan/models.ts';
import { ensureLhp } from './setup/install.mjs';
import { LHP_VERSIONS } from './setup/programs.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Model → field → type, as one release has them. */
export type Description = Record<string, Record<string, string>>;

/** What lhp_models.py says of the lhp of this Python, or of the one in a folder. */
export function describeModels(python: string, folder?: string): Description {
  const script = join(root, 'scripts', 'lhp_models.py');
  const args = ['-W', 'ignore', script, ...(folder === undefined ? [] : [folder])];
  return JSON.parse(output(python, args)) as Description;
}

function output(command: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** `since model.field type`, a line for each release that changed the type of a field. */
function table(releases: [release: string, models: Description][]): string[] {
  const lines = new Map<string, string[]>();
  const last = new Map<string, string>();
  for (const [release, models] of releases) {
    const fields = new Map(
      Object.entries(models).flatMap(([model, types]) =>
        Object.entries(types).map(([field, type]): [string, string] => [`${model}.${field}`, type]),
      ),
    );
    for (const name of new Set([...last.keys(), ...fields.keys()])) {
      const type = fields.get(name) ?? '-';
      if (last.get(name) === type) continue;
      last.set(name, type);
      lines.set(name, [...(lines.get(name) ?? []), `${release} ${name} ${type}`]);
    }
  }
  const models = [...new Set([...last.keys()].map((name) => name.split('.')[0]))];
  return models.flatMap((model) =>
    [...lines].filter(([name]) => name.split('.')[0] === model).flatMap(([, of]) => of),
  );
}

const HEADER = `\
// models.ts: the type of each field in lhp's YAML files, by release of lhp. Generated from the
// published packages by \`npm run lhp-models\`; do not edit. model.ts implements the types:
//   [t]         a list of t           {t}  a mapping from strings to t
//   a|b         a or b                =a,b one of these words
//   int(1..20)  a number in a range   !    required
//   -           removed               @…   a check beyond types

/** The releases that the table contains. */
export const RELEASES = \`
`;

async function main(more: string[]): Promise<void> {
  const newest = join(dirname(await ensureLhp(LHP_VERSIONS[0])), 'python');
  const releases = [...new Set([...RELEASES, ...more])];
  const found = releases.map((release): [string, Description] => {
    const folder = mkdtempSync(join(tmpdir(), 'lhp-models-'));
    try {
      const wanted = ['--no-deps', '--quiet', '--target', folder, `lakehouse-plumber==${release}`];
      output(newest, ['-m', 'pip', 'install', '--disable-pip-version-check', ...wanted]);
      return [release, describeModels(newest, folder)];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  const path = join(root, 'src', 'scan', 'models.ts');
  const listed = releases.join(' ').replace(/(.{1,98})( |$)/g, '$1\n');
  const end = '`\n  .trim()\n  .split(/\\s+/);';
  const models = `export const MODELS = \`\n${table(found).join('\n')}\n\`;\n`;
  const text = `${HEADER}${listed}${end}\n\n${models}`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  writeFileSync(path, text);
  console.log('src/scan/models.ts was made again');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
