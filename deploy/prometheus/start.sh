#!/bin/sh
# Starts Prometheus so that it accepts data only when its database has a sample with the current
# time:
#   start.sh /bin/prometheus --config.file=… --storage.tsdb.path=… …
#
# A database that is empty, or was down for hours, can lose a request that it answered with 200
# while its newest sample jumps by hours (docs/upstream/prometheus-head-compaction.md). With a
# sample of the current time there is no such jump. So this script starts Prometheus twice. The
# first time it uses start.yml, whose rule writes the sample, and listens only on LHP_START_ADDRESS,
# where the script asks for the sample. Senders cannot connect yet and keep their data. The second
# time it uses the given flags.
set -eu

config=$(dirname "$0")/start.yml
address=${LHP_START_ADDRESS:-127.0.0.1:9099}
promtool=${LHP_PROMTOOL:-promtool}
command -v "$promtool" >/dev/null || { echo "start.sh: $promtool not found" >&2; exit 127; }

# Prints the flags that concern the database (`--flag=value` or `--flag value`), one word a line.
# The other flags are for the second start.
database() {
  kept=no
  for word in "$@"; do
    case $word in
      --storage.* | --enable-feature | --enable-feature=*) kept=yes ;;
      -*) kept=no ;;
    esac
    [ $kept = no ] || printf '%s\n' "$word"
  done
}

# Split at line breaks only, because a path may contain spaces.
IFS='
'
set -f
"$1" $(database "$@") --config.file="$config" --web.listen-address="$address" --log.level=warn &
first=$!
unset IFS
trap 'kill -TERM "$first"; wait "$first"; exit 143' TERM INT

until "$promtool" query instant "http://$address" lhp:backend_start:seconds 2>&1 | grep -q '=>'; do
  if ! kill -0 "$first" 2>/dev/null; then
    wait "$first" || exit
    exit 1
  fi
  sleep 0.2
done
kill -TERM "$first"
wait "$first"
trap - TERM INT
exec "$@"
