// `lhp-otel doctor` names what keeps the shell hook from recording, and its advice repairs it.
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import type { Diagnosis } from '../../src/doctor/doctor.ts';
import { entry, leave, type Place, place, RC_FILES, SHELLS } from '../support/shells.ts';
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

it('a hook that is installed in no shell is no failure', () => {
  expect(probe(place('bash'))).toMatchObject({
    result: 'skipped',
    detail: expect.stringContaining('--install'),
  });
});

describe.each(SHELLS)('%s', (shell) => {
  const installed = () => {
    const where = place(shell);
    where.box.run(['hook', '--install', shell]);
    return where;
  };

  it.concurrent('an installed hook is ok', () => {
    expect(probe(installed())).toMatchObject({
      result: 'ok',
      detail: expect.stringMatching(
        `^${shell}: .*${RC_FILES[shell]} loads it; it starts ${entry}, and its Node ` +
          `${process.versions.node} runs$`,
      ),
    });
  });

  sampled(it.concurrent, 8).each<[string, (where: Place) => void, string]>([
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
      (where) => madeWith(where, shell, entry, '/nowhere/hook-entry.cjs'),
      'package is gone',
    ],
    ['the file is gone', (where) => rmSync(hookFile(where, shell)), 'cannot be read'],
    [
      'the file does not name its version',
      (where) => writeFileSync(hookFile(where, shell), '# x\n'),
      'of another version',
    ],
  ])('%s: a failure, and the advice repairs it', (_, spoil, detail) => {
    const where = installed();
    spoil(where);
    const found = probe(where);
    expect(found).toMatchObject({ result: 'failure', detail: expect.stringContaining(detail) });
    const [name, ...args] = found?.advice?.split(' ') ?? [];
    expect(name).toBe('lhp-otel');
    expect(where.box.run(args).status).toBe(0);
    expect(probe(where)?.result).toBe('ok');
  });

  it.concurrent('a hook of another version that works: a warning, and the advice renews it', () => {
    const where = installed();
    madeWith(where, shell, '"version":"', '"version":"0.0.');
    expect(probe(where)).toMatchObject({
      result: 'warning',
      advice: `lhp-otel hook --install ${shell}`,
    });
    where.box.run(['hook', '--install', shell]);
    expect(probe(where)?.result).toBe('ok');
  });

  it.concurrent('half of our lines in the rc file: a failure that names the file', () => {
    const where = installed();
    const rc = join(where.box.home, RC_FILES[shell]);
    writeFileSync(rc, '# >>> lhp-otel hook >>>\n');
    expect(probe(where)).toMatchObject({ result: 'failure', detail: expect.stringContaining(rc) });
  });
});

it('every shell is checked, and the worst one decides', () => {
  const where = place('bash');
  for (const shell of SHELLS) where.box.run(['hook', '--install', shell]);
  madeWith(where, 'bash', process.execPath, '/nowhere/node');
  const found = probe(where);
  expect(found).toMatchObject({ result: 'failure', advice: 'lhp-otel hook --install bash' });
  for (const shell of SHELLS) expect(found?.detail).toContain(`${shell}: `);
});

it('the oldest Node is that of package.json', () => {
  const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  const source = readFileSync(join(projectRoot, 'src', 'doctor', 'hook.ts'), 'utf8');
  const [, major, minor] = /OLDEST_NODE = \[(\d+), (\d+)\]/.exec(source) ?? [];
  expect(engines.node).toBe(`>=${major}.${minor}`);
});
