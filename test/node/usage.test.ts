// Usage errors: what can be wrong with each command and option is reported in words for a user. The
// cases are made from the commander program, so a new option is tested, too. And the values that
// `stats --since` accepts.
import type { Command, Option } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { sandbox } from '../../scripts/harness/sandbox.ts';
import { commandLine } from '../../src/commands/commands.ts';
import { parseSince } from '../../src/commands/since.ts';
import { UsageError } from '../../src/commands/usage.ts';

const box = sandbox();
afterAll(() => box.dispose());
const program = commandLine();
const commands = program.commands.filter((command) => command.name() !== 'run');

/** The terms of a parser, which no message may use. */
const PARSER = /argument|invalid|operand|error:|excess|unknown|expected|must be/i;

/** The message for this command line. help.test.ts tests the built program. */
function wrong(words: string[]): string {
  const parser = commandLine();
  for (const each of parser.commands) each.action(() => {});
  try {
    parser.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(error.message).not.toMatch(PARSER);
    return error.message;
  }
  throw new Error(`taken for right: ${words.join(' ')}`);
}

const values = (command: Command): [string, Option, string][] =>
  command.options
    .filter((option) => option.required)
    .flatMap((option) =>
      [option.short, option.long].flatMap((flag) => (flag ? [[command.name(), option, flag]] : [])),
    ) as [string, Option, string][];

describe.each(
  commands
    .flatMap(values)
    .map(([name, option, flag]) => [`${name} ${flag}`, name, option, flag] as const),
)('%s', (_, name, option, flag) => {
  const legal = option.argChoices?.length
    ? option.argChoices
    : [/\d/.exec(option.description)?.[0] ?? 'from 1'];
  it('without a value says what it takes', () => {
    const said = wrong([name, flag]);
    expect(said).toContain(`${option.long} needs a value: `);
    for (const word of legal) expect(said).toContain(word);
  });
  it.each(['', 'nonsense', '-1', '1e99', '0x10', '１', ' ', '1 2'])(
    'rejects %j and says what it takes',
    (value) => {
      const said = wrong([name, `${option.long}=${value}`]);
      expect(said).toContain(`${option.long} takes `);
      expect(said).toContain(`, not '${value}'`);
      for (const word of legal) expect(said).toContain(word);
    },
  );
});

describe.each(commands.map((command) => [command.name(), command] as const))(
  '%s',
  (name, command) => {
    it('an unknown option', () =>
      expect(wrong([name, '--nonsense'])).toContain(`${name} has no option '--nonsense'`));
    it('too many words', () => {
      // The words of `show` are a command line of any length.
      if (command.registeredArguments.some(({ variadic }) => variadic)) return;
      const own = command.registeredArguments.flatMap(
        ({ argChoices }) => argChoices?.[0] ?? 'word',
      );
      const said = wrong([name, ...own, 'nonsense', 'more']);
      expect(said).toMatch(
        own.length === 0
          ? /takes no further words, but got 'nonsense' 'more'$/
          : /takes one word, but also got 'nonsense' 'more'$/,
      );
    });
    it.each(command.options.filter((option) => !option.required).map(({ long }) => long ?? ''))(
      '%s takes no value',
      (long) => {
        expect(wrong([name, `${long}=yes`])).toContain(`${long} takes no value, but got 'yes'`);
      },
    );
    it('a wrong word for its argument', () => {
      for (const { argChoices } of command.registeredArguments.filter(
        (argument) => argument.argChoices,
      )) {
        const said = wrong([name, 'tcsh']);
        expect(said).toMatch(new RegExp(`^${name} takes .* or \\w+, not 'tcsh'$`));
        for (const word of argChoices ?? []) expect(said).toContain(word);
      }
    });
    it('a missing argument', () => {
      for (const { argChoices } of command.registeredArguments.filter(
        (argument) => argument.required,
      ))
        expect(wrong([name])).toMatch(
          new RegExp(`${name} needs the shell: .* or ${argChoices?.at(-1)}$`),
        );
    });
  },
);

it('an option before its command', () =>
  expect(wrong(['--json', 'status'])).toContain('--json goes after its command, like: lhp-otel '));

it.each([
  ['show', '--for\nmat=x'],
  ['show', '--format', 'x\nlhp-otel: all is well\x1b[31m\u202e\x9b'],
  ['completion', '\x1b]0;title\x07'],
  ['no\rcommand'],
  ['off', '\u2066\u2028'],
  ['show', '\x1b[2J'],
])('the message contains what was typed as text: %j', (...words) => {
  const ran = box.run(words);
  expect(ran.status).toBe(2);
  expect(ran.stderr).not.toMatch(/[^\n\P{Cc}]|\p{Cf}|\p{Zl}/u);
  expect(ran.stderr.split('\n').filter((line) => line.startsWith('lhp-otel: '))).toHaveLength(1);
});

describe('stats --since', () => {
  const now = new Date(2026, 10, 28, 15, 30).getTime();
  const HOUR = 3_600_000;
  it.each([
    ['1h', now - HOUR],
    ['90m', now - 1.5 * HOUR],
    ['90min', now - 1.5 * HOUR],
    ['36H', now - 36 * HOUR],
    ['30d', now - 30 * 24 * HOUR],
    ['2w', now - 14 * 24 * HOUR],
    ['2 w', now - 14 * 24 * HOUR],
    ['1y', now - 365 * 24 * HOUR],
    ['today', new Date(2026, 10, 28).getTime()],
    ['yesterday', new Date(2026, 10, 27).getTime()],
    ['2026-11-01', new Date(2026, 10, 1).getTime()],
    ['2026-11-01T09:30', new Date(2026, 10, 1, 9, 30).getTime()],
    ['2026-11-01 09:30:15', new Date(2026, 10, 1, 9, 30, 15).getTime()],
    ['2024-02-29', new Date(2024, 1, 29).getTime()],
  ])('accepts %s', (text, time) => expect(parseSince(text, now)).toBe(time));
  it.each([
    '',
    '10',
    'h',
    '1x',
    '1.5h',
    '-1h',
    '2026-02-30',
    '2026-13-01',
    '2026-11',
    '2026-11-01T24:00',
    '2026-11-01T09:60',
    '01.11.2026',
    'tomorrow',
    '1h30m',
    'constructor',
    '1constructor',
  ])('rejects %j', (text) => expect(parseSince(text, now)).toBeUndefined());
});
