# Made by `lhp-otel hook bash`: lhp runs as ever; after a successful generate a process of its own records it.
# It needs bash 5 for a clock that costs nothing, and leaves a function called lhp that is somebody else's alone.
if [ -n "${EPOCHREALTIME-}" ] && { ! declare -F lhp || declare -F __lhp_otel_finish; } >/dev/null; then

# Reads a switch as src/decide/consent.ts does: nothing, `no` (0, false, no, off) or `yes` (anything else).
function __lhp_otel_switch {
  __lhp_otel_value=${1#"${1%%[![:space:]]*}"}
  __lhp_otel_value=${__lhp_otel_value%"${__lhp_otel_value##*[![:space:]]}"}
  case $__lhp_otel_value in
    '') ;;
    0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) __lhp_otel_value=no ;;
    *) __lhp_otel_value=yes ;;
  esac
}

# The first variable that says off, in the order of src/decide/consent.ts.
function __lhp_otel_consent {
  \local name off
  for name in LHP_DISABLE_ANALYTICS DO_NOT_TRACK LHP_TELEMETRY OTEL_SDK_DISABLED PYTEST_CURRENT_TEST; do
    __lhp_otel_switch "${!name-}"
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

# Shows the notice that an earlier run left, once; the one that moves the file shows it.
function __lhp_otel_show_notice {
  \local state line text
  case ${XDG_STATE_HOME-} in
    /*) state=$XDG_STATE_HOME/lhp-otel ;;
    *) state=${HOME-}/.local/state/lhp-otel ;;
  esac
  [ -r "$state/notice.pending" ] || \return
  while IFS= \read -r line; do
    case $line in lhp-otel:*) text+=$line$'\n' ;; esac
  done <"$state/notice.pending"
  \command mv "$state/notice.pending" "$state/notice.json" 2>/dev/null || \return
  \printf %s "$text" >&2
  __lhp_otel_notice=shown
}

# In a subshell, so that no job and no $! are left; without any descriptor that a pipe's reader waits for.
function __lhp_otel_finish {
  [ -x @node@ ] && [ -r @program@ ] || \return
  \local __lhp_otel_notice=none
  if [ -t 2 ]; then
    __lhp_otel_notice=terminal
    __lhp_otel_show_notice
  fi
  (NODE_OPTIONS='' \command nice -n 10 @setsid@ @node@ @program@ "$1" "$2" "$__lhp_otel_notice" lhp "${@:3}" &) \
    </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

function lhp {
  # The caller's options are back when this returns: -e and -x see one command, as without us.
  { \local -; \set +aefuxET; } 2>/dev/null
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
  if [ "$__lhp_otel_generate" ] && [ ! "$__lhp_otel_layer" ] && [ "$__lhp_otel_status" = 0 ]; then
    __lhp_otel_finish "$__lhp_otel_start" "$EPOCHREALTIME" "$@"
  fi

  if [ "$__lhp_otel_speaks" ]; then
    if [ ! "$__lhp_otel_generate" ]; then
      __lhp_otel_value='this is no lhp generate: nothing recorded, no network activity'
    elif [ "$__lhp_otel_layer" ]; then
      __lhp_otel_value="telemetry is off ($__lhp_otel_layer): nothing recorded, no network activity"
    elif [ "$__lhp_otel_status" != 0 ]; then
      __lhp_otel_value="the command ended with $__lhp_otel_status: nothing recorded, no network activity"
    else
      __lhp_otel_value='a process of its own looks at this run now; what became of it: lhp-otel status'
    fi
    \printf 'lhp-otel: %s\n' "$__lhp_otel_value" >&2
  fi
  \return "$__lhp_otel_status"
}
\export -nf lhp __lhp_otel_switch __lhp_otel_consent __lhp_otel_show_notice __lhp_otel_finish

fi
