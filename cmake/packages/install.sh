#!/usr/bin/env bash
# install.sh LIST...: installs those Debian packages of the lists beside this
# file that are missing. Says which; does nothing when all are there.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
for package in $(for list in "$@"; do sed 's/#.*//' "$list.txt"; done | sort -u); do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "These packages of Debian 12 are missing, and there is no apt-get to install them: ${missing[*]}" >&2
  exit 1
fi
as_root=(env)
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing: ${missing[*]}. Install them as root (there is no sudo here)." >&2
    exit 1
  fi
  as_root=(sudo env)
fi
echo "Installing with apt-get: ${missing[*]}"
apt() { "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null; }
if ! apt update || ! apt install -y --no-install-recommends "${missing[@]}"; then
  echo "apt-get could not install: ${missing[*]}" >&2
  exit 1
fi
