#!/usr/bin/env bash
# Runs all tests, from setting up on: with sanitizers, fuzzing, and as they are
# built for users. Ends with the summary of the last, or with the first failure.
set -euo pipefail
exec </dev/null
# shellcheck source=tests/steps.sh
. "$(dirname "$0")/steps.sh"

# Tests of what several threads use at once; the others have nothing for TSan.
threaded_tests=(handler_test label_registry_test server_test snapshot_test
  stack_table_race_test symbolizer_test)

# Code under a sanitizer is built for speed of building: optimized, it takes
# twice as long. Reports need no more than lines.
sanitized=(-DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-g1 -DCMAKE_CXX_FLAGS=-g1
  -DWALLPROF_BUILD_BENCHMARKS=OFF -DWALLPROF_BUILD_EXAMPLES=OFF)

# Tests that watch real threads can fail when a shared machine stands still for
# a while. ctest shows each failure, and tries again before it counts.
again=(--repeat until-pass:3)

install_packages

say "Address and undefined behaviour sanitizers, all tests of the libraries"
configure asan "${sanitized[@]}" -DWALLPROF_SANITIZE=address,undefined \
  -DWALLPROF_BUILD_PROGRAMS=OFF
build asan
run_ctest asan "${again[@]}"

say "Thread sanitizer: ${threaded_tests[*]}"
configure tsan "${sanitized[@]}" -DWALLPROF_SANITIZE=thread \
  -DWALLPROF_BUILD_PROGRAMS=OFF
build tsan "${threaded_tests[@]}"
for test in "${threaded_tests[@]}"; do
  program=$(find "$builds/tsan" -name "$test" -type f)
  "$program" --gtest_brief=1 || fail "$test failed under the thread sanitizer."
done

say "Fuzzing, 20 seconds"
fuzz 20

say "All tests, as built for users"
configure release -DCMAKE_BUILD_TYPE=Release
build release
run_ctest release "${again[@]}"

say "What looks at threads and processes, as an unprivileged user"
run_ctest_as_nobody release "${again[@]}" \
  -R '^(Sampler|Mask|Fallback|Privacy)|preload.(behaviour|output|process)|cli.run'
