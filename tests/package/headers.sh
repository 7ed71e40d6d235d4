#!/usr/bin/env bash
# headers.sh COMPILER PREFIX: each installed header compiles on its own, as
# plain C++17.
set -euo pipefail
compiler=$1 prefix=$2

headers=$(cd "$prefix/include" && find wallprof -name '*.h' | sort)
[ -n "$headers" ] || { echo "No header was installed." >&2; exit 1; }
for header in $headers; do
  echo "$header"
  echo "#include <$header>" |
    "$compiler" -std=c++17 -pedantic-errors -Wall -Wextra -Werror \
      -I "$prefix/include" -fsyntax-only -x c++ -
done
