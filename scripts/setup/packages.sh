#!/usr/bin/env bash
# Installs the Debian packages that a target needs, and nothing where they are
# there already. "build": what `make run` needs beside Go. "test": the real
# clients, registry and browser of the end-to-end tests. "clients": every container
# client of docs/clients.md that Debian has.
set -euo pipefail

declare -A package_of
case "${1:?usage: packages.sh build|test|clients|bench}" in
build) package_of=([gcc]=gcc [g++]=g++ [git]=git [node]=nodejs [npm]=npm) ;;
test) package_of=([curl]=curl [skopeo]=skopeo [docker-registry]=docker-registry [chromium]=chromium [wget]=wget [python3]=python3 [podman]=podman [ip]=iproute2) ;;
clients) package_of=([dockerd]=docker.io [containerd]=containerd [ctr]=containerd [runc]=runc [podman]=podman [buildah]=buildah [skopeo]=skopeo
	[docker-registry]=docker-registry [ip]=iproute2 [iptables]=iptables) ;;
bench) package_of=([wrk]=wrk [taskset]=util-linux) ;;
*) echo "packages.sh: unknown group $1: use build, test, clients or bench" >&2; exit 2 ;;
esac

missing=()
for command in "${!package_of[@]}"; do
	command -v "$command" >/dev/null || missing+=("${package_of[$command]}")
done
((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
	echo "missing: ${missing[*]}. Install them with your system's package manager and run this again." >&2
	exit 1
fi
sudo=()
[[ $(id -u) == 0 ]] || sudo=(sudo)
echo "installing ${missing[*]}" >&2
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
