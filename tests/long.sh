#!/usr/bin/env bash
# The tests that tests/run.sh has only time to begin: takes two hours.
set -euo pipefail
exec </dev/null
# shellcheck source=tests/steps.sh
. "$(dirname "$0")/steps.sh"

install_packages

say "Fuzzing, 10 minutes"
fuzz 600

say "Accuracy, ten runs of a minute for each program"
configure release -DCMAKE_BUILD_TYPE=Release
build release
"$source_dir/bench/accuracy" --build "$builds/release"

say "Overhead, beside bare"
"$builds/release/bench/overhead"

say "All tests, ten times over"
run_ctest release --repeat until-fail:10
