#!/bin/sh
# import-blocks.sh SNAPSHOT BUCKET TENANT: the history of a single Prometheus → the cluster.
# SNAPSHOT is a folder of its blocks (POST /api/v1/admin/tsdb/snapshot), BUCKET the folder of the
# cluster's bucket, TENANT whose it becomes. A block appears there whole, and already with what the
# compactor wants to know: without the tenant's label in meta.json a block can be read, but
# compaction of the whole tenant fails from then on. Nothing is deleted; blocks that are there are
# passed over.
set -eu
if [ "$#" -ne 3 ]; then
  echo "usage: import-blocks.sh SNAPSHOT BUCKET TENANT" >&2
  exit 2
fi
snapshot=$1 bucket=$2 tenant=$3
case $tenant in
  '' | *[!A-Za-z0-9_-]*) echo "not a tenant: $tenant (letters, digits, _ and -)" >&2 && exit 2 ;;
esac
mkdir -p "$bucket/$tenant"
# Not beside the tenants, where it would be taken for one of them; here only folders that are called
# like blocks count.
staging=$(mktemp -d "$bucket/$tenant/.import.XXXXXX")
trap 'rm -rf "$staging"' EXIT
count=0
for meta in "$snapshot"/*/meta.json; do
  [ -f "$meta" ] || { echo "no blocks in $snapshot" >&2 && exit 1; }
  block=$(basename "$(dirname "$meta")")
  [ ! -e "$bucket/$tenant/$block" ] || continue
  cp -R "$(dirname "$meta")" "$staging/$block"
  sed "1s/^{/{\"thanos\":{\"labels\":{\"__org_id__\":\"$tenant\"},\"downsample\":{\"resolution\":0},\"source\":\"compactor\"},/" \
    "$meta" >"$staging/$block/meta.json"
  mv "$staging/$block" "$bucket/$tenant/$block"
  count=$((count + 1))
done
echo "$count blocks imported"
