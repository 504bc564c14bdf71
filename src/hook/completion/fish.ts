// fish.ts: the completion script for fish. The command after `run` is completed as fish completes a
// command after `nice` or `time`.
import type { CompletedCommand, CompletedOption, CompletedProgram } from './model.ts';

export const fishCompletion = ({
  name,
  options,
  commands,
}: CompletedProgram): string => `# Made by \`${name} completion fish\`.

# Whether the command line is of this command.
function __lhp_otel_in
    set -l words (commandline -opc)
    test "$words[2]" = $argv[1]
end

complete -c ${name} -f
${options.map((option) => optionLine(name, '__fish_is_first_token', option)).join('\n')}
${commands.map((command) => commandLines(name, command)).join('\n')}
`;

function commandLines(program: string, command: CompletedCommand): string {
  const { name, about, options, values, wraps } = command;
  const inside = `__lhp_otel_in ${name}`;
  const dashes = 'contains -- -- (commandline -opc)';
  const [own, behind] =
    wraps === 'first word'
      ? [`${inside}; and test (count (commandline -opc)) = 2`, inside]
      : wraps
        ? [`${inside}; and not ${dashes}`, `${inside}; and ${dashes}`]
        : [inside];
  const taking = options.filter(({ takesValue }) => takesValue).flatMap(({ names }) => names);
  const other = ['(__fish_complete_subcommand --fcs-skip=2', ...taking].join(' ');
  return [
    `complete -c ${program} -n __fish_is_first_token -a ${name} -d ${quote(about)}`,
    ...options.map((option) => optionLine(program, own, option)),
    ...(values.length > 0
      ? [`complete -c ${program} -n ${quote(own)} -a ${quote(values.join(' '))}`]
      : []),
    ...(behind ? [`complete -c ${program} -n ${quote(behind)} -a '${other})'`] : []),
  ].join('\n');
}

function optionLine(
  program: string,
  condition: string,
  { names, about, takesValue, values }: CompletedOption,
): string {
  const spellings = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const value = takesValue ? ` -x${values.length > 0 ? ` -a ${quote(values.join(' '))}` : ''}` : '';
  const when = `-n ${quote(condition)}`;
  return `complete -c ${program} ${when} ${spellings.join(' ')}${value} -d ${quote(about)}`;
}

const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
