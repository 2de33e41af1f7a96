#!/usr/bin/env bash
# Runs govulncheck. Where its database can't be reached, says so and passes: a
# machine without the internet must still be able to check its changes.
set -euo pipefail
govulncheck=${1:?usage: vulnerabilities.sh GOVULNCHECK}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
if timeout 300 "$govulncheck" ./... >"$out" 2>&1; then
	tail -n 3 "$out"
	exit 0
fi
if grep -qE 'fetching vulnerabilities|no such host|connection refused|dial tcp|403 Forbidden|i/o timeout' "$out"; then
	echo "govulncheck skipped: the vulnerability database can't be reached from here"
	exit 0
fi
cat "$out"
exit 1
