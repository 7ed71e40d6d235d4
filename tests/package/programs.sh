#!/usr/bin/env bash
# programs.sh COMPILER PREFIX BUILD: the installed programs find each other,
# wherever they were moved.
set -euo pipefail
prefix=$2 build=$3

"$prefix/bin/wallprof" run -o "$build/sleep.folded" -- sleep 0.5
grep nanosleep "$build/sleep.folded"
