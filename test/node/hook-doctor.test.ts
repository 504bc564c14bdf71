// `lhp-otel doctor` on the shell hook: what keeps it from recording is named, with what to do, and
// doing it helps.
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import { finished, leave, type Place, place, SHELLS } from '../support/shells.ts';
import { sampled } from '../support/tags.ts';

afterAll(async () => expect(await leave()).toEqual([]));

function probe({ box }: Place) {
  const { probes } = JSON.parse(box.run(['doctor', '--json']).stdout) as Diagnosis;
  return probes.find(({ name }) => name === 'hook');
}
const hookFile = ({ box }: Place, shell: string) =>
  join(box.home, '.config', 'lhp-otel', `hook.${shell}`);

/** Rewrites the installed hook as if it had been made with other paths. */
function madeWith(where: Place, shell: string, from: string, to: string): void {
  const file = hookFile(where, shell);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(from, to));
}
function script(where: Place, text: string): string {
  const path = join(where.box.dir, 'other-node');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

it('installed in no shell: said, and no failure', () => {
  expect(probe(place('bash'))).toMatchObject({
    result: 'skipped',
    detail: expect.stringContaining('--install'),
  });
});

describe.each(SHELLS)('%s', (shell) => {
  const RC = { bash: '.bashrc', zsh: '.zshrc', fish: '.config/fish/config.fish' };
  const installed = () => {
    const where = place(shell);
    where.box.run(['hook', '--install', shell]);
    return where;
  };

  it.concurrent('installed, and everything in its place', () => {
    expect(probe(installed())).toMatchObject({
      result: 'ok',
      detail: expect.stringMatching(
        `^${shell}: .*${RC[shell]} loads it, and its Node ${process.versions.node} runs$`,
      ),
    });
  });

  sampled(it.concurrent, 2).each<[string, (where: Place) => void, string]>([
    [
      'its Node is gone',
      (where) => madeWith(where, shell, process.execPath, '/nowhere/node'),
      'its Node is gone',
    ],
    [
      'its Node does not run',
      (where) => madeWith(where, shell, process.execPath, script(where, 'exit 1')),
      'its Node does not run',
    ],
    [
      'its Node is too old',
      (where) => madeWith(where, shell, process.execPath, script(where, 'echo v20.19.4')),
      'its Node is 20.19.4, older than 22.15',
    ],
    [
      'the package is gone',
      (where) => madeWith(where, shell, finished, '/nowhere/hook-entry.cjs'),
      'package is gone',
    ],
    ['the file is gone', (where) => rmSync(hookFile(where, shell)), 'cannot be read'],
    [
      'the file is of a version that said nothing',
      (where) => writeFileSync(hookFile(where, shell), '# x\n'),
      'of another version',
    ],
  ])('%s: a failure, and the advice mends it', (_, spoil, detail) => {
    const where = installed();
    spoil(where);
    const found = probe(where);
    expect(found).toMatchObject({ result: 'failure', detail: expect.stringContaining(detail) });
    const [name, ...args] = found?.advice?.split(' ') ?? [];
    expect(name).toBe('lhp-otel');
    expect(where.box.run(args).status).toBe(0);
    expect(probe(where)?.result).toBe('ok');
  });

  it.concurrent('of another version that still works: a warning, and the advice renews it', () => {
    const where = installed();
    madeWith(where, shell, '"version":"', '"version":"0.0.');
    expect(probe(where)).toMatchObject({
      result: 'warning',
      advice: `lhp-otel hook --install ${shell}`,
    });
    where.box.run(['hook', '--install', shell]);
    expect(probe(where)?.result).toBe('ok');
  });

  it.concurrent('half of our lines in the start file: a failure that names it', () => {
    const where = installed();
    const rc = join(where.box.home, RC[shell]);
    writeFileSync(rc, '# >>> lhp-otel hook >>>\n');
    expect(probe(where)).toMatchObject({ result: 'failure', detail: expect.stringContaining(rc) });
  });
});

it('two shells are looked at, and the worse one decides', () => {
  const where = place('bash');
  for (const shell of SHELLS) where.box.run(['hook', '--install', shell]);
  madeWith(where, 'bash', process.execPath, '/nowhere/node');
  const found = probe(where);
  expect(found).toMatchObject({ result: 'failure', advice: 'lhp-otel hook --install bash' });
  for (const shell of SHELLS) expect(found?.detail).toContain(`${shell}: `);
});

it('what counts as too old is what the package says', () => {
  const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  const source = readFileSync(join(projectRoot, 'src', 'doctor', 'hook.ts'), 'utf8');
  const [, major, minor] = /OLDEST_NODE = \[(\d+), (\d+)\]/.exec(source) ?? [];
  expect(engines.node).toBe(`>=${major}.${minor}`);
});
