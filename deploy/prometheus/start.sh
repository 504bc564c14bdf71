#!/bin/sh
# Starts Prometheus when its database holds a sample of the present, and not before:
#   start.sh /bin/prometheus --config.file=… --storage.tsdb.path=… …
# An empty database, and one that was away for hours, can lose a request that was answered with 200
# while the newest sample jumps by hours (docs/upstream/prometheus-head-compaction.md). Behind a
# sample of the present there is no such jump. So Prometheus is started twice: first with start.yml,
# whose rule writes that sample, and with no door but LHP_START_ADDRESS, where this script asks for
# it; senders cannot connect, and keep what they have. Then as the flags say.
set -eu

config=$(dirname "$0")/start.yml
address=${LHP_START_ADDRESS:-127.0.0.1:9099}
promtool=${LHP_PROMTOOL:-promtool}
command -v "$promtool" >/dev/null || { echo "start.sh: $promtool is not here" >&2; exit 127; }

# The flags of the database, as `--flag=value` or `--flag value`; the others are for the second
# start.
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

# One flag a line: a path may have spaces.
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
