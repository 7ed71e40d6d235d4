#!/usr/bin/env bash
# The tests that tests/run.sh has only time to begin: takes two hours.
set -euo pipefail
exec </dev/null
# shellcheck source=tests/steps.sh
. "$(dirname "$0")/steps.sh"

install_packages long

say "Fuzzing, 10 minutes"
configure_fuzzing -O1
fuzz 600

say "Address and undefined behaviour sanitizers, all tests"
configure asan-all "${sanitized[@]}" -DWALLPROF_SANITIZE=address,undefined
build asan-all
run_ctest asan-all --repeat until-pass:3

say "Thread sanitizer, all tests of what several threads use at once"
threaded_tests=(handler_test label_registry_test server_test snapshot_test
  stack_table_race_test symbolizer_test)
configure tsan-all "${sanitized[@]}" -DWALLPROF_SANITIZE=thread \
  -DWALLPROF_BUILD_PROGRAMS=OFF
build tsan-all "${threaded_tests[@]}"
run_built tsan-all "${threaded_tests[@]}"

say "Accuracy, ten runs of a minute for each program"
configure release -DCMAKE_BUILD_TYPE=Release
build release
"$source_dir/bench/accuracy" --build "$builds/release"

say "Shares of CPU time, beside gperftools' CPU profiler"
"$source_dir/bench/cpu_profilers" --build "$builds/release" --check ||
  fail "the CPU-only profile is further off than chance, see above."

say "Overhead, beside bare"
"$builds/release/bench/overhead"

say "What a bundle of ten thousand stacks costs"
"$builds/release/bench/bundle"

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

say "A store whose program is killed two hundred times"
WALLPROF_TEST_KILLS=200 python3 "$source_dir/tests/fleet/store/kill_test.py" \
  "$builds/release/tests/fleet/store/store_subject" ||
  fail "a store lost or doubled profiles, see above."

say "Workers of one base, killed two hundred times, and engines that fail"
WALLPROF_TEST_KILLS=200 python3 \
  "$source_dir/tests/fleet/pgo/base/kill_test.py" \
  "$builds/release/tests/fleet/pgo/base/worker_subject" ||
  fail "a base is not what was uploaded, see above."
WALLPROF_TEST_RACES=20 "$builds/release/tests/fleet/pgo/base/worker_test" \
  --gtest_filter='*RaceTest*' --gtest_brief=1 ||
  fail "a base is not what was uploaded, see above."

say "Profiles for builds, of 50 instances, and of a server killed fifty times"
WALLPROF_TEST_INSTANCES=50 WALLPROF_TEST_KILLS=50 python3 \
  "$source_dir/tests/fleet/pgo/pipeline_test.py" "$builds/release/wallprof" \
  "$builds/release/tests/fleet/pgo/pgo_subject_1" \
  "$builds/release/tests/fleet/pgo/pgo_subject_2" InstancesTest KillsTest ||
  fail "a base is not what was sent, see above."

say "A build with what 40 instances were seen doing, and the guide to it"
WALLPROF_TEST_INSTANCES=40 python3 \
  "$source_dir/tests/fleet/pgo/build_test.py" "$builds/release/wallprof" \
  "$source_dir/examples/pgo" || fail "a build is not faster, see above."

say "Workers over S3, NATS and PostgreSQL, killed 100 times each"
WALLPROF_TEST_KILLS=100 python3 \
  "$source_dir/tests/fleet/pgo/distributed_test.py" "$builds/release/wallprof" \
  "$builds/release/tests/fleet/objects/node_modules" ||
  fail "a base is not what was sent, see above."

say "Collectors of one store, killed 25 times with PostgreSQL"
WALLPROF_TEST_KILLS=25 python3 \
  "$source_dir/tests/fleet/store/shared/shared_kill_test.py" \
  "$builds/release/tests/fleet/store/store_subject" \
  "$builds/release/tests/fleet/objects/node_modules" ||
  fail "a shared store lost or doubled profiles, see above."

say "Collectors that are killed, and a day of three hundred processes"
for group in Directory Shared; do
  WALLPROF_TEST_KILLS=100 python3 \
    "$source_dir/tests/fleet/collector/collector_test.py" \
    "$builds/release/wallprof" \
    "$builds/release/tests/fleet/objects/node_modules" "${group}Test" ||
    fail "a collector lost or doubled profiles, see above."
done
WALLPROF_TEST_DAY_PROFILES=96 python3 \
  "$source_dir/tests/fleet/collector/day_test.py" "$builds/release/wallprof" ||
  fail "a day's sums are not what was sent, see above."

say "What a collector takes in, keeps and adds up"
"$source_dir/bench/collector" --build "$builds/release"

say "What a base for the next build costs, beside Go's pprof"
"$source_dir/bench/pgo_merge/run" --build "$builds/release" --count 2000 \
  --go-count 300 --check || fail "a base costs too much, see above."

say "Programs that are built with profiles, beside AutoFDO's and instrumented ones"
"$source_dir/bench/pgo_speed/run" --build "$builds/release" --check ||
  fail "too little is gained, see above."

say "Servers under load, beside bare"
"$source_dir/bench/real_programs" --build "$builds/release"

say "All tests that write nothing here, as an unprivileged user"
run_ctest_as_nobody release -E 'package|accuracy|examples'

say "All tests, ten times over"
run_ctest release --repeat until-fail:10
