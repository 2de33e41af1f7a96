#!/usr/bin/env bash
# Fetches the free network data (which country, which network) into a directory,
# as country.mmdb and asn.mmdb with their credits. A node takes files of these
# names from DATA/geo, or where --geo-country and --geo-asn say. The data is CC BY
# 4.0, is never committed and never part of the binary.
set -euo pipefail
to=${1:?usage: geo.sh DIRECTORY}
here=$(cd "$(dirname "$0")" && pwd)
work=$here/../../.cache/geo-packages
mkdir -p "$work" "$to"
cp "$here"/geo/package.json "$here"/geo/package-lock.json "$here"/geo/.npmrc "$work"/
(cd "$work" && npm ci --no-audit --no-fund --loglevel=error)

packages=$work/node_modules/@ip-location-db
cp "$packages"/dbip-country-mmdb/dbip-country.mmdb "$to"/country.mmdb.new
(cd "$here/../.." && go run ./scripts/setup/geo "$packages/asn" "$(realpath "$to")/asn.mmdb.new")
printf 'IP Geolocation by DB-IP\nhttps://db-ip.com/\n' >"$to"/country.mmdb.credit
# A running node takes a file up as soon as it changes: let it be whole then.
mv "$to"/country.mmdb.new "$to"/country.mmdb
mv "$to"/asn.mmdb.new "$to"/asn.mmdb
echo "country.mmdb and asn.mmdb are in $to: start a node with --geo-country and --geo-asn, or put them into DATA/geo"
