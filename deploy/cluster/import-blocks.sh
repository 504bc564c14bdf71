#!/bin/sh
# Copies the history of a single Prometheus into the cluster:
#   import-blocks.sh SNAPSHOT BUCKET TENANT
# SNAPSHOT is a folder of blocks (POST /api/v1/admin/tsdb/snapshot), BUCKET the folder of the
# cluster's bucket, TENANT the tenant that the blocks will belong to. A block appears in the bucket
# complete, with the tenant's label in meta.json. Cortex can read a block without this label, but
# then compaction of the whole tenant fails. Nothing is deleted, and blocks that are already there
# are skipped.
set -eu
if [ "$#" -ne 3 ]; then
  echo "usage: import-blocks.sh SNAPSHOT BUCKET TENANT" >&2
  exit 2
fi
snapshot=$1 bucket=$2 tenant=$3
case $tenant in
  '' | *[!A-Za-z0-9_-]*)
    echo "invalid tenant: $tenant (use letters, digits, _ and -)" >&2
    exit 2
    ;;
esac
mkdir -p "$bucket/$tenant"
# Not beside the tenants' folders, where it would count as a tenant. In here only folders named like
# blocks count.
staging=$(mktemp -d "$bucket/$tenant/.import.XXXXXX")
trap 'rm -rf "$staging"' EXIT
label='"thanos":{"labels":{"__org_id__":"'$tenant'"},'
label=$label'"downsample":{"resolution":0},"source":"compactor"}'
count=0
for meta in "$snapshot"/*/meta.json; do
  [ -f "$meta" ] || { echo "no blocks in $snapshot" >&2 && exit 1; }
  block=$(basename "$(dirname "$meta")")
  [ ! -e "$bucket/$tenant/$block" ] || continue
  cp -R "$(dirname "$meta")" "$staging/$block"
  sed "1s/^{/{$label,/" "$meta" >"$staging/$block/meta.json"
  mv "$staging/$block" "$bucket/$tenant/$block"
  count=$((count + 1))
done
echo "$count blocks imported"
