// zsh.ts: the completion script for zsh, which uses zsh's own _arguments. It works as a file in
// $fpath, and when it is evaluated after compinit.
import type { CompletedCommand, CompletedOption, CompletedProgram } from './model.ts';

export const zshCompletion = ({
  name,
  options,
  commands,
}: CompletedProgram): string => `#compdef ${name}
# Made by \`${name} completion zsh\`.
_${name}() {
  local -a subcommands=(
${commands.map((command) => `    ${quote(`${command.name}:${command.about}`)}`).join('\n')}
  )
  if ((CURRENT == 2)); then
    _arguments -s ${options.map(optionSpec).join(' ')} '1:command:{_describe command subcommands}'
    return
  fi
  local command=$words[2]
  local -i dashes=1
  shift words
  ((CURRENT -= 1))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}

if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;

/** Removes our own words, so that zsh completes the other command alone. */
const WRAPPED: Record<NonNullable<CompletedCommand['wraps']>, string> = {
  'first word': `      ((CURRENT > 2)) && [[ $words[2] == -- ]] && dashes=2
      if ((CURRENT > dashes + 1)) || [[ $PREFIX != -* ]]; then
        shift $dashes words
        ((CURRENT -= dashes))
        _normal -p $service
        return
      fi`,
  'behind --': `      dashes=$words[(i)--]
      if ((dashes < CURRENT)); then
        shift $dashes words
        ((CURRENT -= dashes))
        _normal -p $service
        return
      fi`,
};

function commandCase({ name, options, values, wraps }: CompletedCommand): string {
  const own = [
    ...options.map(optionSpec),
    ...(values.length > 0 ? [`'1:value:(${values.join(' ')})'`] : []),
  ];
  return [
    `    ${name})`,
    ...(wraps ? [WRAPPED[wraps]] : []),
    `      _arguments -s -S \\\n        ${own.join(' \\\n        ')}`,
    '      ;;',
  ].join('\n');
}

function optionSpec({ names, about, takesValue, values }: CompletedOption): string {
  const action = values.length > 0 ? `(${values.join(' ')})` : ' ';
  const rest = `[${about.replace(/[[\]\\]/g, '\\$&')}]${takesValue ? `:value:${action}` : ''}`;
  // The value of a short option is in the same word or in the next one; that of a long option
  // follows a = or is the next word.
  const taking = (name: string) =>
    takesValue ? `${name}${name.startsWith('--') ? '=' : '+'}` : name;
  const others = names.length > 1 ? `(${names.join(' ')})` : '';
  return names.map((name) => quote(`${others}${taking(name)}${rest}`)).join(' ');
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
