// man-page.ts: the manual page in mdoc(7), made from the commander program: commands, options,
// remarks, exit statuses and examples are those of --help. `mandoc -Tlint` finds no fault in it.
import type { Command, Option } from 'commander';
import { notesOf } from '../src/commands/help.ts';
import { OWN_FILES, type OwnFile } from '../src/system/own-files.ts';
import { CONFIGURATION, OTHERS } from './variables.ts';

const FOLDERS: Readonly<Record<string, string>> = {
  config: '~/.config/lhp-otel',
  state: '~/.local/state/lhp-otel',
  spool: '~/.local/state/lhp-otel/spool',
  history: '~/.local/state/lhp-otel/history',
};

/** Date of the last change of meaning. */
const DATE = 'November 25, 2026';

const FILES: readonly (readonly [path: string, what: string])[] = [
  ...Object.values(OWN_FILES).flatMap(({ folder, shown, holds }: OwnFile): [string, string][] =>
    shown === undefined ? [] : [[`${FOLDERS[folder]}/${shown}`, holds]],
  ),
  ['/etc/lhp-otel/config.json', 'The configuration of the operator.'],
  ['.lhp_do_not_track', 'If it is beside lhp.yaml, no run of this project is recorded.'],
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
    '.\\" Made from src/commands/ by scripts/man-page.ts (`npm run generate`); do not edit.',
    `.Dd ${DATE}`,
    '.Dt LHP-OTEL 1',
    '.Os',
  ];
  const body = sections.flatMap(([title, lines]) => [`.Sh ${title}`, ...lines]);
  return `${[...head, ...body].join('\n')}\n`;
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
    'Without an endpoint, each recorded run stays on this machine. With an endpoint, it is ' +
      'delivered over OTLP/HTTP to that collector and nowhere else. `lhp-otel show` prints ' +
      'exactly what was recorded, and `lhp-otel off` switches recording off.',
  ),
];

function commandItem(command: Command): string[] {
  const { remarks = [], exits = [] } = notesOf(command) ?? {};
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

const statuses = (program: Command) => notesOf(program)?.exits ?? [];

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
  return (notesOf(command)?.examples ?? [])
    .flatMap(([line, what]) => [
      ...prose(`${(what || command.summary()).replace(/^./, (letter) => letter.toUpperCase())}:`),
      `.Dl ${escaped(line)}`,
      '.Pp',
    ])
    .slice(0, command.name() === 'help' ? -1 : undefined);
}

/** The terms are in mdoc, the meanings in Markdown. */
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

/** With a capital letter and a full stop; a word that is typed keeps its first letter. */
const sentence = (meaning: string) =>
  meaning.replace(/[^.]$/, '$&.').replace(/^[a-z](?!\w*:)/, (letter) => letter.toUpperCase());

const WIDTH = 78;

/**
 * A paragraph. Each sentence begins on a new line, as roff expects, and no line begins with the
 * character of a request.
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

/** Markdown as roff: `code` in bold, special characters escaped. */
const text = (markdown: string): string => escaped(markdown).replace(/`([^`]*)`/g, '\\fB$1\\fR');

const escaped = (plain: string): string =>
  plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', "'")
    .replaceAll('"', '\\(dq');
