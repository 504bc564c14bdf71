// bash.ts: the completion script for bash 3.2 and later. The command after `run` is completed by
// bash-completion. Without that package there are only names of programs, and files.
import type { CompletedCommand, CompletedProgram } from './model.ts';

export function bashCompletion({ name, options, commands }: CompletedProgram): string {
  const words = [
    ...commands.map((command) => command.name),
    ...options.flatMap(({ names }) => names),
  ];
  return `# Made by \`${name} completion bash\`.
_lhp_otel() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words='' at
  COMPREPLY=()
  # bash splits --option=value into three words.
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = && $COMP_CWORD -gt 2 ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if ((COMP_CWORD == 1)); then
    words='${words.join(' ')}'
  else
    case \${COMP_WORDS[1]} in
${commands.map(commandCase).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

# Completes a command line that begins at this word.
_lhp_otel_command() {
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$1"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    COMPREPLY=($(compgen -c -- "$cur"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}

complete -F _lhp_otel ${name}
`;
}

function commandCase({ name, options, values, wraps }: CompletedCommand): string {
  const own = [...options.flatMap(({ names }) => names), ...values].join(' ');
  const given = options.filter((option) => option.takesValue);
  return [
    `      ${name})`,
    ...(wraps ? [WRAPPED[wraps]] : []),
    ...(given.length === 0
      ? [`        words='${own}'`]
      : [
          '        case $prev in',
          ...given.map(
            (option) =>
              `          ${option.names.join(' | ')}) words='${option.values.join(' ')}' ;;`,
          ),
          `          *) words='${own}' ;;`,
          '        esac',
        ]),
    '        ;;',
  ].join('\n');
}

const WRAPPED: Record<NonNullable<CompletedCommand['wraps']>, string> = {
  'first word': `        at=2
        [[ \${COMP_WORDS[2]} == -- ]] && ((COMP_CWORD > 2)) && at=3
        if ((COMP_CWORD > at)) || [[ $cur != -* ]]; then
          _lhp_otel_command $at
          return
        fi`,
  'behind --': `        for ((at = 2; at < COMP_CWORD; at += 1)); do
          if [[ \${COMP_WORDS[at]} == -- ]]; then
            _lhp_otel_command $((at + 1))
            return
          fi
        done`,
};
