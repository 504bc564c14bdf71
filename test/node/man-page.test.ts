// The manual page: `mandoc` finds no fault, `man` shows it, and every command, option and variable
// is in it. `npm run generate -- --check` holds that it is up to date.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { program } from '../../scripts/harness/needs.ts';
import { projectRoot } from '../../scripts/harness/sandbox.ts';
import { CONFIGURATION } from '../../scripts/variables.ts';
import { commandLine } from '../../src/commands/commands.ts';
import { notesOf } from '../../src/commands/help.ts';
import { lacking } from '../support/lacking.ts';

const page = join(projectRoot, 'docs', 'lhp-otel.1');
const line = commandLine();

describe('mandoc', () => {
  if (lacking(program('mandoc'))) return;
  it('finds no fault, not in the style either', () => {
    const { status, stdout, stderr } = spawnSync('mandoc', ['-Tlint', '-W', 'all', page], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

describe('man', () => {
  if (lacking(program('man'))) return;
  const shown = spawnSync('man', ['-l', page], {
    env: {
      PATH: process.env.PATH,
      MANWIDTH: '80',
      MANPAGER: 'cat',
      LC_ALL: 'C.UTF-8',
      MAN_KEEP_FORMATTING: '',
    },
    encoding: 'utf8',
  });
  // Without line breaks, also those within words.
  const words = ` ${shown.stdout.replace(/\s+/g, ' ').replaceAll('‐ ', '')} `;
  it('shows it without a warning', () => expect(shown).toMatchObject({ status: 0, stderr: '' }));
  it.each(line.commands.map((command) => [command.name(), command] as const))(
    'has %s with its options and examples',
    (name, command) => {
      expect(words).toContain(` lhp-otel ${name} `);
      for (const { long } of command.options) expect(words).toContain(` ${long}`);
      for (const [example] of notesOf(command)?.examples ?? []) expect(words).toContain(example);
    },
  );
  it('has every variable', () => {
    for (const { name } of CONFIGURATION) expect(words).toContain(name);
  });
});

it('is in the package', () => {
  const { man, files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  // A list: npm links no page that is given as a string.
  expect(man).toEqual(['./docs/lhp-otel.1']);
  expect(files).toContain('docs/lhp-otel.1');
});
