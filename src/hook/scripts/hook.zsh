# Made by `lhp-otel hook zsh`: lhp runs as ever; after a successful generate a background process
# records it.
# @about@
# It leaves a function called lhp that is somebody else's alone, and defines nothing when the
# package is gone. It looks up no program in PATH, except lhp.
if [ -r @program@ ] && zmodload zsh/datetime 2>/dev/null &&
  { ! typeset -f lhp || typeset -f __lhp_otel_finish; } >/dev/null; then

# Reads a switch as src/consent/consent.ts does: nothing, `no` (0, false, no, off) or `yes`
# (anything else).
function __lhp_otel_switch {
  __lhp_otel_value=${1#"${1%%[![:space:]]*}"}
  __lhp_otel_value=${__lhp_otel_value%"${__lhp_otel_value##*[![:space:]]}"}
  case $__lhp_otel_value in
    '') ;;
    0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) __lhp_otel_value=no ;;
    *) __lhp_otel_value=yes ;;
  esac
}

# The first variable that says off, in the order of src/consent/consent.ts.
function __lhp_otel_consent {
  \local name off
  for name in LHP_DISABLE_ANALYTICS DO_NOT_TRACK LHP_TELEMETRY OTEL_SDK_DISABLED PYTEST_CURRENT_TEST; do
    __lhp_otel_switch "${(P)name-}"
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

# Shows the notice that an earlier run left, once; the one that moves the file shows it. The file
# may have been changed by anybody: it is read up to a bound, and only printable ASCII is shown.
function __lhp_otel_show_notice {
  \local state all line text LC_ALL=C
  case ${XDG_STATE_HOME-} in
    /*) state=$XDG_STATE_HOME/lhp-otel ;;
    *) state=${HOME-}/.local/state/lhp-otel ;;
  esac
  [ -f "$state/notice.pending" ] && [ -r "$state/notice.pending" ] || \return
  \read -r -u 0 -k 4000 all <"$state/notice.pending"
  for line in "${(@f)all}"; do
    case $line in lhp-otel:*) text+=${line//[^[:print:]]/?}$'\n' ;; esac
  done
  \command @mv@ "$state/notice.pending" "$state/notice.json" 2>/dev/null || \return
  \printf %s "$text" >&2
  __lhp_otel_notice=shown
}

# Finds the project as src/consent/resolve-mode.ts does, from here upwards: its lhp.yaml, and
# whether it is a bundle. The next command may change or move both, so they are looked at before the
# prompt is back.
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

# Starts the background process, which gets the standard input of this function. In a subshell, so
# that no job and no $! are left; without any descriptor that a pipe's reader waits for.
function __lhp_otel_start_process {
  (
    \trap '' HUP # until it has a session of its own, a terminal that is closed at once would end it
    NODE_OPTIONS='' \command @nice@ @setsid@ @node@ @program@ "$@" <&3 3<&- &
  ) \
    3<&0 </dev/null >/dev/null 2>&1 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

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
  # The caller's options are back when this returns: -e and -x see one command, as without us.
  { \emulate -L zsh; \unsetopt allexport errexit errreturn nounset xtrace bgnice warncreateglobal; } 2>/dev/null
  \local __lhp_otel_value='' __lhp_otel_upstream='' __lhp_otel_layer='' __lhp_otel_generate='' __lhp_otel_speaks=''
  \local __lhp_otel_word __lhp_otel_start __lhp_otel_status
  for __lhp_otel_word in "$@"; do
    case $__lhp_otel_word in
      generate) __lhp_otel_generate=yes ;;
      -v | -vv | --verbose) __lhp_otel_speaks=yes ;;
    esac
  done
  [ "${LHP_OTEL_LOG-}" = debug ] && __lhp_otel_speaks=yes
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
  __lhp_otel_value='started a background process that looks at this run'
  __lhp_otel_value+='; what became of it: lhp-otel status'
  if [ "$__lhp_otel_generate" ] && [ ! "$__lhp_otel_layer" ] && [ "$__lhp_otel_status" = 0 ]; then
    # The package is gone with `npm uninstall`: then nothing is done or said.
    if [ ! -r @program@ ]; then
      __lhp_otel_speaks=''
    elif [ ! -x @node@ ]; then
      __lhp_otel_value='nothing recorded: the Node of this hook is gone (lhp-otel doctor)'
    elif ! __lhp_otel_finish "$__lhp_otel_start" "$EPOCHREALTIME" "$@"; then
      __lhp_otel_value='nothing recorded: no background process could be started'
    fi
  fi

  if [ "$__lhp_otel_speaks" ] && [ -r @program@ ]; then
    if [ ! "$__lhp_otel_generate" ]; then
      __lhp_otel_value='this is no lhp generate: nothing recorded, no network activity'
    elif [ "$__lhp_otel_layer" ]; then
      __lhp_otel_value="telemetry is off ($__lhp_otel_layer): nothing recorded, no network activity"
    elif [ "$__lhp_otel_status" != 0 ]; then
      __lhp_otel_value="the command ended with $__lhp_otel_status: nothing recorded, no network activity"
    fi
    \printf 'lhp-otel: %s\n' "$__lhp_otel_value" >&2
  fi
  \return "$__lhp_otel_status"
}
fi
