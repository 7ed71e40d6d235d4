#!/usr/bin/env bash
# Runs the tests, from setting up on: fuzzing, all but the longest as they are
# built for users, and a part of them with sanitizers; tests/long.sh runs all, and
# all with sanitizers. Ends with the summary of the last, or with the first failure.
set -euo pipefail
exec </dev/null
# shellcheck source=tests/steps.sh
. "$(dirname "$0")/steps.sh"

# Tests that watch real threads can fail when a shared machine stands still for
# a while. ctest shows each failure, and tries again before it counts.
again=(--repeat until-pass:3)

install_packages

say "Address and undefined behaviour sanitizers: what reads what others wrote"
# Not optimized: what is fuzzed for seconds is to be built quickly.
configure_fuzzing -O0
build fuzz tests/encode/all
run_ctest fuzz/tests/encode "${again[@]}"

say "Thread sanitizer: what is used without locks"
lock_free=(label_registry_test snapshot_test stack_table_race_test)
configure tsan "${sanitized[@]}" -DWALLPROF_SANITIZE=thread \
  -DWALLPROF_BUILD_PROGRAMS=OFF "-DWALLPROF_TEST_ROOMS=threads;stacks"
build tsan "${lock_free[@]}"
run_built tsan "${lock_free[@]}"

say "Fuzzing, 20 seconds"
fuzz 20

say "All tests, as built for users"
configure release -DCMAKE_BUILD_TYPE=Release -DWALLPROF_BUILD_BENCHMARKS=TESTED \
  -DWALLPROF_PRECOMPILE_HEADERS=ON -DWALLPROF_FLEET_OPTIONS=-O1 \
  -DWALLPROF_TEST_LINKER=lld
build release
run_ctest release -LE long "${again[@]}"

say "What looks at threads and processes, as an unprivileged user"
run_ctest_as_nobody release "${again[@]}" \
  -R '^(Sampler|Mask|Fallback|Privacy)|preload.(behaviour|output|process)|cli.run'
