#!/bin/sh
# Says in words what is wrong with the gateway's settings in .env, and fails then. The compose files
# run it once before the gateway, which would not start either, but with an error about YAML or a
# path inside the container. It writes nothing and connects to nothing.
#
#   LHP_OTEL_COMPOSE   which compose file runs it: prometheus, victoriametrics or cluster
#   LHP_OTEL_SECRETS   folder of the files that switches read (/etc/otelcol/secrets)
#   and the variables of .env that it checks
set -u

secrets=${LHP_OTEL_SECRETS:-/etc/otelcol/secrets}
folder=/etc/otelcol/switches
compose=${LHP_OTEL_COMPOSE:-prometheus}
status=0

wrong() {
  echo "settings: $1" >&2
  status=1
}

# Is the second word one of the words of the first?
has() {
  case " $1 " in
    *" $2 "*) return 0 ;;
  esac
  return 1
}

# The table of deploy/generate/switches.ts. The words of a row: name, switches that it needs,
# switches that it cannot be combined with, files that it reads, variables that it needs, compose
# files with which it works.
# Rows: made from deploy/generate/switches.ts by `npm run generate`; do not edit.
names='tls mtls tokens grpc ci-queue remote-write vendor vendor-copy tenant victoriametrics second'
table() {
  "$1" tls '' '' \
    'server.crt server.key' '' 'prometheus victoriametrics'
  "$1" mtls 'tls' '' \
    'clients.crt' '' 'prometheus victoriametrics'
  "$1" tokens '' '' \
    'tokens' '' 'prometheus victoriametrics cluster'
  "$1" grpc '' '' \
    'server.crt server.key clients.crt' '' 'prometheus victoriametrics'
  "$1" ci-queue 'tokens' 'remote-write vendor vendor-copy' \
    '' '' 'prometheus victoriametrics cluster'
  "$1" remote-write '' 'ci-queue vendor vendor-copy tenant victoriametrics second' \
    '' 'LHP_OTEL_BACKEND' 'prometheus'
  "$1" vendor '' 'ci-queue remote-write vendor-copy' \
    '' 'LHP_OTEL_VENDOR_KEY LHP_OTEL_BACKEND' 'prometheus'
  "$1" vendor-copy '' 'ci-queue remote-write vendor second' \
    '' 'LHP_OTEL_COPY LHP_OTEL_VENDOR_KEY' 'prometheus victoriametrics cluster'
  "$1" tenant '' 'remote-write' \
    '' 'LHP_OTEL_TENANT' 'cluster'
  "$1" victoriametrics '' 'remote-write' \
    '' '' 'prometheus victoriametrics'
  "$1" second '' 'remote-write vendor-copy' \
    '' 'LHP_OTEL_SECOND_BACKEND' 'victoriametrics'
}
# End of rows.

# What a variable means.
meaning() {
  # Meanings: made from deploy/generate/switches.ts by `npm run generate`; do not edit.
  case $1 in
    LHP_OTEL_BACKEND) echo "the address of the backend that you run" ;;
    LHP_OTEL_VENDOR_KEY) echo "value of the HTTP header that holds the vendor's key" ;;
    LHP_OTEL_COPY) echo "the vendor's OTLP endpoint" ;;
    LHP_OTEL_TENANT) echo "the tenant that the gateways' runs belong to" ;;
    LHP_OTEL_SECOND_BACKEND) echo "OTLP endpoint of the second backend" ;;
  # End of meanings.
  esac
}

# A switch of another compose file.
elsewhere() {
  case $compose/$1 in
    cluster/tls | cluster/mtls)
      wrong "in a cluster nginx does TLS: write LHP_OTEL_EDGE=$1 instead of the switch $1." ;;
    cluster/*) wrong "$1 does not work with deploy/docker-compose.cluster.yml." ;;
    */*)
      file=deploy/docker-compose.$2.yml
      [ "$2" = prometheus ] && file=docker-compose.yml
      wrong "$1 works only with $file (COMPOSE_FILE in .env)." ;;
  esac
}

check() {
  name=$1 needs=$2 excludes=$3 files=$4 variables=$5 works=$6
  has "$chosen" "$name" || return 0
  has "$works" "$compose" || {
    elsewhere "$name" "$works"
    return
  }
  for other in $needs; do
    has "$chosen" "$other" ||
      wrong "$name needs $other: add --config=$folder/$other.yaml in front of it."
  done
  for other in $excludes; do
    # Each pair once.
    has "$chosen" "$other" && has "${chosen%%" $name"*}" "$other" &&
      wrong "$other and $name cannot be combined: remove one of them."
  done
  for file in $files; do
    if [ ! -e "$secrets/$file" ]; then
      wrong "$name reads deploy/secrets/$file, which does not exist."
    elif [ ! -r "$secrets/$file" ]; then
      wrong "$name reads deploy/secrets/$file, which user $(id -u) cannot read:\
 chown $(id -u) deploy/secrets/$file"
    elif [ ! -s "$secrets/$file" ]; then
      wrong "$name reads deploy/secrets/$file, which is empty."
    fi
  done
  for variable in $variables; do
    eval "value=\${$variable:-}"
    [ -n "$value" ] || wrong "$name needs $variable in .env: $(meaning "$variable")."
  done
}

chosen=''
for word in ${LHP_OTEL_SWITCHES:-}; do
  name=${word#"--config=$folder/"}
  name=${name%.yaml}
  path=--config=$folder/$name.yaml
  # A file of your own is a switch, too.
  if ! has "$names" "$name" && [ ! -f "$(dirname "$0")/switches/$name.yaml" ]; then
    wrong "LHP_OTEL_SWITCHES has \"$word\", which is not a switch. Switches: $names."
  elif [ "$word" != "$path" ]; then
    wrong "LHP_OTEL_SWITCHES has \"$word\": write $path."
  fi
  if has "$chosen" "$name"; then
    wrong "LHP_OTEL_SWITCHES has $name twice."
  else
    chosen="$chosen $name"
  fi
done

ordered=''
for name in $names; do
  has "$chosen" "$name" && ordered="$ordered $name"
done
given=''
for name in $chosen; do
  has "$names" "$name" && given="$given $name"
done
[ "$given" = "$ordered" ] || {
  wrong "LHP_OTEL_SWITCHES must name switches in this order:$ordered."
  chosen=$ordered
}

table check

pepper=$(printf %s "${LHP_OTEL_PEPPER:-}" | wc -c)
[ "$pepper" -ge 32 ] ||
  wrong "LHP_OTEL_PEPPER has $((pepper)) bytes and needs 32: openssl rand -hex 32 makes one."

if [ "$compose" = cluster ]; then
  [ -z "${LHP_OTEL_BACKEND:-}" ] ||
    wrong "LHP_OTEL_BACKEND has no effect in a cluster, which is its own backend: remove it."
  case ${LHP_OTEL_EDGE:-plain} in
    plain | balancer) files='' ;;
    tls) files='server.crt server.key' ;;
    mtls) files='server.crt server.key clients.crt' ;;
    *)
      files=''
      wrong "LHP_OTEL_EDGE is \"$LHP_OTEL_EDGE\": write plain, tls, mtls or balancer."
      ;;
  esac
  for file in $files; do
    [ -e "$secrets/$file" ] ||
      wrong "LHP_OTEL_EDGE=$LHP_OTEL_EDGE reads deploy/secrets/$file, which does not exist."
  done
fi

[ $status = 0 ] || echo 'settings: correct .env, then run "docker compose up -d" again.
settings: docs/operators.md, "Switches", has a table of all of them.' >&2
exit $status
