// man-page.ts: the manual page in mdoc(7), from the commander program: commands, options, remarks,
// statuses and examples are those of --help. `mandoc -Tlint` has nothing to say about it.
import type { Command, Option } from 'commander';
import { moreOf } from '../src/commands/help.ts';
import { CONFIGURATION, OTHERS } from './variables.ts';

/** When the text last changed in substance. */
const DATE = 'November 25, 2026';

const FILES: readonly (readonly [path: string, what: string])[] = [
  ['~/.config/lhp-otel/config.json', 'The configuration of the user.'],
  ['~/.config/lhp-otel/consent.json', 'The choice of `lhp-otel off`.'],
  ['~/.config/lhp-otel/hook.*', 'The shell hook, where it is installed.'],
  ['/etc/lhp-otel/config.json', 'The configuration of the operator.'],
  ['~/.local/state/lhp-otel/spool', 'Recorded runs that wait to be delivered, a file each.'],
  ['~/.local/state/lhp-otel/history', 'Recorded runs that were delivered, kept or given up.'],
  ['.lhp_do_not_track', 'Beside lhp.yaml: nothing of this project is recorded.'],
];

export function manPage(program: Command): string {
  const sections: [title: string, lines: string[]][] = [
    ['NAME', [`.Nm ${program.name()}`, '.Nd record lhp generate runs as OpenTelemetry metrics']],
    ['SYNOPSIS', program.commands.flatMap(synopsis)],
    ['DESCRIPTION', description(program)],
    ['COMMANDS', ['.Bl -tag -width Ds', ...program.commands.flatMap(commandItem), '.El']],
    ['ENVIRONMENT', list(environment())],
    ['FILES', list(FILES.map(([path, what]) => [`.Pa ${escaped(path)}`, what]))],
    ['EXIT STATUS', list(statuses(program).map(([status, meaning]) => [text(status), meaning]))],
    ['EXAMPLES', program.commands.flatMap(examples)],
    [
      'SEE ALSO',
      prose(
        '`lhp --help`, and the documentation in the package: README.md, docs/usage.md, ' +
          'docs/configuration.md, docs/faq.md, docs/privacy.md, docs/metrics.md, docs/library.md.',
      ),
    ],
  ];
  const head = [
    '.\\" Made from the program by `npm run generate`; do not edit.',
    `.Dd ${DATE}`,
    '.Dt LHP-OTEL 1',
    '.Os',
  ];
  return `${[...head, ...sections.flatMap(([title, lines]) => [`.Sh ${title}`, ...lines])].join('\n')}\n`;
}

function synopsis(command: Command): string[] {
  const options = command.options.map((option) => {
    return `.Op Fl ${escaped((option.short ?? option.long ?? '').slice(1))}${valueName(option)}`;
  });
  const words = command.registeredArguments.map((argument) => {
    const name = `Ar ${argument.name()}${argument.variadic ? ' ...' : ''}`;
    return argument.required ? `.${name}` : `.Op ${name}`;
  });
  return ['.Nm', `.Cm ${command.name()}`, ...options, ...words];
}

const valueName = ({ flags }: Option): string =>
  /<(.+)>/.exec(flags)?.[1]?.replace(/^/, ' Ar ') ?? '';

const description = (program: Command): string[] => [
  '.Nm',
  ...prose(program.description().replace(/^R/, 'r')),
  '.Pp',
  ...prose(
    'Without an endpoint every record stays on the machine. With one it is delivered over OTLP/HTTP to that collector and to nobody else. `lhp-otel show` prints every byte that was recorded, and `lhp-otel off` ends it.',
  ),
];

function commandItem(command: Command): string[] {
  const { remarks = [], exits = [] } = moreOf(command) ?? {};
  const options: [string, string][] = command.options.map((option) => {
    const flags = [option.short, option.long].filter((flag) => flag !== undefined);
    const legal = option.argChoices ? ` (${option.argChoices.join(', ')})` : '';
    return [
      `.Fl ${flags.map((flag) => escaped(flag.slice(1))).join(' , Fl ')}${valueName(option)}`,
      `${option.description}${legal}`,
    ];
  });
  const words: [string, string][] = command.registeredArguments.map((argument) => {
    const legal = argument.argChoices ? ` (${argument.argChoices.join(', ')})` : '';
    return [`.Ar ${argument.name()}`, `${argument.description}${legal}`];
  });
  return [
    `.It Cm ${command.name()}`,
    ...prose(command.description()),
    ...remarks.flatMap((remark) => ['.Pp', ...prose(remark)]),
    ...(words.length + options.length > 0 ? list([...words, ...options]) : []),
    ...(exits.length > 0
      ? ['.Pp', ...prose(`Exit status: ${exits.map(([n, why]) => `${n}, ${why}`).join('; ')}.`)]
      : []),
  ];
}

const statuses = (program: Command) => moreOf(program)?.exits ?? [];

function environment(): [string, string][] {
  return [
    ...CONFIGURATION.filter(({ name }) => name !== '').map((variable): [string, string] => [
      `.Ev ${variable.name}`,
      `${variable.meaning}${variable.default ? `; default: ${variable.default}` : ''}`,
    ]),
    ...OTHERS.map(([names, meaning]): [string, string] => [
      `.Ev ${names.split(', ').join(' , Ev ')}`,
      meaning,
    ]),
  ];
}

function examples(command: Command): string[] {
  return (moreOf(command)?.examples ?? [])
    .flatMap(([line, what]) => [
      ...prose(`${(what || command.summary()).replace(/^./, (letter) => letter.toUpperCase())}:`),
      `.Dl ${escaped(line)}`,
      '.Pp',
    ])
    .slice(0, command.name() === 'help' ? -1 : undefined);
}

/** Terms are lines of mdoc, their meanings Markdown. */
function list(items: readonly (readonly [term: string, meaning: string])[]): string[] {
  return [
    '.Bl -tag -width Ds',
    ...items.flatMap(([term, meaning]) => [
      `.It ${term.replace(/^\./, '')}`,
      ...prose(sentence(meaning)),
    ]),
    '.El',
  ];
}

/** But for one that begins with a word to be typed. */
const sentence = (meaning: string) =>
  meaning.replace(/[^.]$/, '$&.').replace(/^[a-z](?!\w*:)/, (letter) => letter.toUpperCase());

const WIDTH = 78;

/**
 * A paragraph: a line at least for each sentence, as roff wants it, and none that begins like a
 * request.
 */
function prose(paragraph: string): string[] {
  return paragraph.split(/(?<=[.?!]) (?=[A-Z`])/).flatMap((part) => {
    const lines: string[] = [''];
    for (const word of text(part).split(' ')) {
      const line = lines.at(-1) ?? '';
      if (line && line.length + 1 + word.length > WIDTH) lines.push(word);
      else lines[lines.length - 1] = line ? `${line} ${word}` : word;
    }
    return lines.map((line) => line.replace(/^[.']/, '\\&$&'));
  });
}

/** Markdown's `code` in bold, and what roff would read as its own. */
const text = (markdown: string): string => escaped(markdown).replace(/`([^`]*)`/g, '\\fB$1\\fR');

const escaped = (plain: string): string =>
  plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', "'")
    .replaceAll('"', '\\(dq');
