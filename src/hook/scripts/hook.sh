# Made by `lhp-otel hook @shell@`. lhp runs as before; after a successful generate a background
# process records the run.
# @about@
# Nothing is defined if the package is gone, if there is another function called lhp, or if this
# shell has no clock (bash before 5). No program except lhp is looked up in PATH.
if [ -r @program@ ] && @has-clock@ &&
  { ! @is-function@ lhp || @is-function@ __lhp_otel_finish; } >/dev/null; then

# Reads the value of a switch: empty, `no` (0, false, no, off) or `yes` (anything else).
function __lhp_otel_switch {
  __lhp_otel_value=${1#"${1%%[![:space:]]*}"}
  __lhp_otel_value=${__lhp_otel_value%"${__lhp_otel_value##*[![:space:]]}"}
  case $__lhp_otel_value in
    '') ;;
    0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) __lhp_otel_value=no ;;
    *) __lhp_otel_value=yes ;;
  esac
}

# Finds the first variable that opts out. LHP_TELEMETRY does so with `off`, the others with `1`.
function __lhp_otel_consent {
  \local name off
  for name in @switches@; do
    __lhp_otel_switch "@value-of-name@"
    off=yes
    if [ "$name" = LHP_TELEMETRY ]; then
      off=no
      [ "$__lhp_otel_upstream" = no ] && \continue
    fi
    if [ "$__lhp_otel_value" = "$off" ]; then
      __lhp_otel_layer=$name
      \return
    fi
  done
}

# Shows the notice that an earlier run left. It is shown once: by the shell that moves the file.
# Anybody may have changed the file, so at most 4,000 characters are read, and only printable ASCII
# is shown.
function __lhp_otel_show_notice {
  \local state rest line text LC_ALL=C
  case ${XDG_STATE_HOME-} in
    /*) state=$XDG_STATE_HOME/lhp-otel ;;
    *) state=${HOME-}/.local/state/lhp-otel ;;
  esac
  [ -f "$state/notice.pending" ] && [ -r "$state/notice.pending" ] || \return
  @read-4000-characters@ rest <"$state/notice.pending"
  while [ "$rest" ]; do
    line=${rest%%$'\n'*}
    case $line in lhp-otel:*) text+=${line//[^[:print:]]/?}$'\n' ;; esac
    [ "$line" = "$rest" ] && \break
    rest=${rest#*$'\n'}
  done
  \command @mv@ "$state/notice.pending" "$state/notice.json" 2>/dev/null || \return
  \printf %s "$text" >&2
  __lhp_otel_notice=shown
}

# Finds lhp.yaml, from this folder upwards, and whether the project is a bundle. This is done before
# the prompt is back, because the next command may change or move both.
function __lhp_otel_find_project {
  \local folder=.
  until [ -e "$folder/lhp.yaml" ]; do
    if [ ! -d "$folder" ] || [ "$folder" -ef / ]; then \return; fi
    folder+=/..
  done
  if [ -f "$folder/lhp.yaml" ] && [ -r "$folder/lhp.yaml" ]; then
    __lhp_otel_file=$folder/lhp.yaml
  fi
  __lhp_otel_bundle=nobundle
  if [ -f "$folder/databricks.yml" ]; then __lhp_otel_bundle=bundle; fi
}

# Starts the background process with the standard input of this function. A subshell starts it, so
# that the shell has neither a job nor a $! of it. Descriptors 3 to 9 are closed, because the reader
# of a pipe waits until every process has closed the other end.
function __lhp_otel_start_process {
  (
    \trap '' HUP # closing the terminal would end the process before it has its own session
    NODE_OPTIONS='' \command @nice@ @setsid@ @node@ @program@ @entry@ "$@" <&3 3<&- &
  ) \
    3<&0 </dev/null >/dev/null 2>&1 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

# After a successful generate. Arguments: start, end, and the arguments of lhp.
function __lhp_otel_finish {
  \local __lhp_otel_notice=none __lhp_otel_file=/dev/null __lhp_otel_bundle=unknown
  if [ -t 2 ]; then
    __lhp_otel_notice=terminal
    __lhp_otel_show_notice
  fi
  __lhp_otel_find_project
  \set -- "$1" "$2" "$__lhp_otel_notice" "$__lhp_otel_bundle" lhp "${@:3}"
  __lhp_otel_start_process "$@" 2>/dev/null <"$__lhp_otel_file" ||
    __lhp_otel_start_process "$@" </dev/null
}

function lhp {
  # Options for this function only. To the caller's `set -e` and `set -x` it is one command.
  @own-options@
  \local __lhp_otel_value='' __lhp_otel_upstream='' __lhp_otel_layer='' __lhp_otel_generate=''
  \local __lhp_otel_verbose='' __lhp_otel_message='' __lhp_otel_word __lhp_otel_start
  \local __lhp_otel_status
  for __lhp_otel_word in "$@"; do
    case $__lhp_otel_word in
      generate) __lhp_otel_generate=yes ;;
      -v | -vv | --verbose) __lhp_otel_verbose=yes ;;
    esac
  done
  [ "${LHP_OTEL_LOG-}" = debug ] && __lhp_otel_verbose=yes
  __lhp_otel_switch "${LHP_OTEL_UPSTREAM-}"
  __lhp_otel_upstream=$__lhp_otel_value
  __lhp_otel_consent

  __lhp_otel_start=$EPOCHREALTIME
  if [ "$__lhp_otel_upstream" = no ]; then
    LHP_TELEMETRY=off \command lhp "$@"
  else
    \command lhp "$@"
  fi
  __lhp_otel_status=$?

  if [ ! "$__lhp_otel_generate" ]; then
    __lhp_otel_message='this is no lhp generate: nothing recorded, no network activity'
  elif [ "$__lhp_otel_layer" ]; then
    __lhp_otel_message="telemetry is off ($__lhp_otel_layer): nothing recorded, no network activity"
  elif [ "$__lhp_otel_status" != 0 ]; then
    __lhp_otel_message="the command ended with $__lhp_otel_status"
    __lhp_otel_message+=': nothing recorded, no network activity'
  elif [ ! -r @program@ ]; then
    __lhp_otel_verbose='' # the package was uninstalled: nothing is recorded or said
  elif [ ! -x @node@ ]; then
    __lhp_otel_message='nothing recorded: the Node of this hook is gone (lhp-otel doctor)'
  elif __lhp_otel_finish "$__lhp_otel_start" "$EPOCHREALTIME" "$@"; then
    __lhp_otel_message='started a background process that looks at this run'
    __lhp_otel_message+='; what became of it: lhp-otel status'
  else
    __lhp_otel_message='nothing recorded: no background process could be started'
  fi
  if [ "$__lhp_otel_verbose" ] && [ -r @program@ ]; then
    \printf 'lhp-otel: %s\n' "$__lhp_otel_message" >&2
  fi
  \return "$__lhp_otel_status"
}
@keep-private@
fi
