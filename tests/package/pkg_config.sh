#!/usr/bin/env bash
# pkg_config.sh COMPILER PREFIX BUILD: compiles, links and runs a program with
# what pkg-config says of each installed library.
set -euo pipefail
compiler=$1 prefix=$2 build=$3
here=$(dirname "$0")
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name wallprof-profile.pc)")
export PKG_CONFIG_PATH

# use MODULE SOURCE: with flags of MODULE alone.
use() {
  local program=$build/pkg_config_$1
  # shellcheck disable=SC2046  # flags are words
  "$compiler" -std=c++17 $(pkg-config --cflags "$1") -o "$program" \
    "$here/$2" $(pkg-config --libs "$1")
  "$program"
}
use wallprof-profile read_profile.cc
use wallprof-profiler collect.cc
use wallprof-bundle bundle.cc
use wallprof-http serve.cc
use wallprof-agent send.cc
if pkg-config --exists wallprof-objects; then use wallprof-objects keep.cc; fi

if pkg-config --libs wallprof-profile | grep -E -- '-lelf|-ldw|-llzma|httplib|cares'; then
  echo "wallprof-profile requires more than it needs." >&2
  exit 1
fi
