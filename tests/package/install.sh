#!/usr/bin/env bash
# install.sh CMAKE BUILD PREFIX: installs the build in BUILD, then moves what
# was installed to PREFIX, where it must work as well.
set -euo pipefail
cmake=$1 build=$2 prefix=$3

rm -rf "$prefix" "$prefix.first"
"$cmake" --install "$build" --prefix "$prefix.first"
mv "$prefix.first" "$prefix"
if grep -rF "$prefix.first" "$prefix/lib"*; then
  echo "The files above name the directory that they were installed to." >&2
  exit 1
fi
