#!/usr/bin/env bash
# The tests that tests/run.sh has only time to begin: takes two hours.
set -euo pipefail
exec </dev/null
# shellcheck source=tests/steps.sh
. "$(dirname "$0")/steps.sh"

install_packages long

say "Fuzzing, 10 minutes"
fuzz 600

say "Address and undefined behaviour sanitizers, the programs' tests too"
configure asan-all -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-g1 \
  -DCMAKE_CXX_FLAGS=-g1 -DWALLPROF_SANITIZE=address,undefined
build asan-all
run_ctest asan-all

say "Accuracy, ten runs of a minute for each program"
configure release -DCMAKE_BUILD_TYPE=Release
build release
"$source_dir/bench/accuracy" --build "$builds/release"

say "Overhead, beside bare"
"$builds/release/bench/overhead"

say "What blocked threads notice, a minute of each"
for hz in 99 999; do
  "$builds/release/bench/harm" --rounds 6 --seconds 10 --hz "$hz" --check ||
    fail "a program noticed that it was sampled, see above."
done

say "Storms of a minute"
WALLPROF_STORM_SECONDS=60 "$builds/release/tests/storms/storm_test" ||
  fail "a storm did harm, see above."

say "Ten thousand images of one process"
WALLPROF_TEST_IMAGES=10000 python3 "$source_dir/tests/preload/process_test.py" \
  "$builds/release" "$builds/release/tests/preload/subjects" \
  ExecTest.test_many_images || fail "an exec went wrong, see above."

say "Servers under load, beside bare"
"$source_dir/bench/real_programs" --build "$builds/release"

say "All tests that write nothing here, as an unprivileged user"
run_ctest_as_nobody release -E 'package|accuracy|examples'

say "All tests, ten times over"
run_ctest release --repeat until-fail:10
