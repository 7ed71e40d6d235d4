# shellcheck shell=bash
# What the test scripts share. Sourced; expects bash with -euo pipefail.

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
builds=$source_dir/build-test
jobs=$(nproc)

say() { printf '\n==> %s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# install_packages [LIST...]: those, besides what all tests need.
install_packages() {
  "$source_dir/cmake/packages/install.sh" build test "$@" ||
    fail "packages are missing, see above."
}

# configure NAME OPTION...: makes the build directory NAME.
configure() {
  local name=$1
  shift
  local launcher=()
  command -v ccache >/dev/null &&
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  cmake -S "$source_dir" -B "$builds/$name" -G Ninja "${launcher[@]}" "$@" ||
    fail "cmake cannot configure $builds/$name, see above."
}

# build NAME [TARGET...]
build() {
  local name=$1
  shift
  cmake --build "$builds/$name" -j "$jobs" ${1:+--target "$@"} ||
    fail "the build in $builds/$name failed, see above."
}

# Code under a sanitizer is built for speed of building: optimized, it takes
# twice as long. Reports need no more than lines.
# shellcheck disable=SC2034  # used by those who source this
sanitized=(-DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-g1 -DCMAKE_CXX_FLAGS=-g1
  -DWALLPROF_BUILD_BENCHMARKS=OFF -DWALLPROF_BUILD_EXAMPLES=OFF)

# run_built NAME TEST...: those programs of the build NAME.
run_built() {
  local name=$1 test program
  shift
  for test in "$@"; do
    program=$(find "$builds/$name" -name "$test" -type f)
    "$program" --gtest_brief=1 || fail "$test failed in $builds/$name."
  done
}

# run_ctest NAME OPTION...: all tests of the build NAME.
run_ctest() {
  local name=$1
  shift
  ctest --test-dir "$builds/$name" -j "$jobs" --output-on-failure "$@" ||
    fail "tests failed in $builds/$name, see above."
}

# run_ctest_as_nobody NAME OPTION...: the same as a user without privileges, where
# we are root and others may enter the source directory.
run_ctest_as_nobody() {
  local name=$1
  shift
  [ "$(id -u)" -eq 0 ] || return 0
  chmod -R a+rwX "$builds/$name/Testing"
  as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups
    env HOME=/nonexistent)
  if ! "${as_nobody[@]}" test -r "$builds/$name/CTestTestfile.cmake"; then
    echo "Left out: other users may not read $source_dir."
    return 0
  fi
  "${as_nobody[@]}" ctest --test-dir "$builds/$name" -j "$jobs" \
    --output-on-failure "$@" ||
    fail "tests failed as an unprivileged user, see above."
}

# configure_fuzzing -O0|-O1: makes the build directory fuzz, in which all is
# instrumented and has the address and undefined behaviour sanitizers.
configure_fuzzing() {
  configure fuzz -DCMAKE_BUILD_TYPE=None "-DCMAKE_CXX_FLAGS=$1 -g1" \
    -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang \
    -DWALLPROF_BUILD_FUZZERS=ON -DWALLPROF_SANITIZE=address,undefined \
    -DWALLPROF_BUILD_BENCHMARKS=OFF -DWALLPROF_BUILD_EXAMPLES=OFF \
    -DWALLPROF_BUILD_PROGRAMS=OFF -DWALLPROF_PRECOMPILE_HEADERS=ON
}

# fuzz SECONDS: the fuzzers that long together, each from its corpus.
fuzz() {
  local fuzzers=(encode/pprof encode/pprof_merge encode/folded encode/perf_script
    encode/gperftools_cpu record/spool_decode
    fleet/agent/labels fleet/agent/parcel fleet/agent/http_answer
    fleet/bundle/zip_names fleet/collector/upload
    fleet/pgo/profile/accept fleet/pgo/profile/prune_rules
    fleet/store/columns fleet/store/record fleet/store/selector http/request
    symbolize/jit_dump symbolize/perf_map)
  local names=("${fuzzers[@]##*/}") fuzzer found
  build fuzz "${names[@]/%/_fuzz}"
  for fuzzer in "${fuzzers[@]}"; do
    found=$builds/fuzz/found/${fuzzer##*/}
    mkdir -p "$found"
    "$builds/fuzz/tests/${fuzzer}_fuzz" \
      -max_total_time=$(($1 / ${#fuzzers[@]})) -print_final_stats=1 \
      -artifact_prefix="$found/" "$found" \
      "$source_dir/tests/${fuzzer%/*}/corpus/${fuzzer##*/}" ||
      fail "fuzzing found the input named above."
  done
}
