#!/usr/bin/env bash
# From a fresh clone to a first profile: installs what is missing, builds, runs
# gprof's example for ten seconds and compares what the profile says with what
# the example measured. Leaves quickstart.folded, quickstart.pb.gz and
# quickstart.svg in the current directory.
set -euo pipefail
exec </dev/null

source=$(cd "$(dirname "$0")/.." && pwd)
build=$source/build
flamegraph=/usr/share/perl5/Devel/NYTProf/flamegraph.pl
seconds=10

say() { printf '\n==> %s\n' "$*"; }
fail() {
  printf 'quickstart: %s\n' "$*" >&2
  exit 1
}

[ -w . ] || fail "cannot write to $PWD, where the results would go."
"$source/cmake/packages/install.sh" build quickstart ||
  fail "packages are missing, see above."

say "Building in $build (takes minutes, the first time)"
generator=()
[ -e "$build/CMakeCache.txt" ] || generator=(-G Ninja)
cmake -S "$source" -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
  -DWALLPROF_BUILD_TESTS=OFF -DWALLPROF_BUILD_BENCHMARKS=OFF \
  -DWALLPROF_PRECOMPILE_HEADERS=ON ||
  fail "cmake cannot configure $build, see above."
cmake --build "$build" -j "$(nproc)" || fail "the build failed, see above."

scratch=$(mktemp -d)
example=
# shellcheck disable=SC2317  # called by trap
clean_up() {
  [ -z "$example" ] || kill "$example" 2>/dev/null || true
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say "Running examples/gprof_example"
# A second at each end is for starting and for the last answer.
"$build/examples/gprof_example" --listen 127.0.0.1:0 \
  --seconds $((seconds + 2)) >"$scratch/example" 2>"$scratch/errors" &
example=$!
url=
for _ in $(seq 100); do
  url=$(sed -n 's/^serving //p' "$scratch/example")
  if [ -n "$url" ] || ! kill -0 "$example" 2>/dev/null; then break; fi
  sleep 0.1
done
[ -n "$url" ] || fail "the example did not start: $(cat "$scratch/errors")"

say "Measuring for $seconds seconds
    curl '$url?seconds=$seconds' > quickstart.folded
    curl '${url}debug/pprof/wall?seconds=$seconds' > quickstart.pb.gz"
fetch() { curl --noproxy '*' -fsS --max-time $((seconds + 20)) -o "$2" "$url$1"; }
fetch "debug/pprof/wall?seconds=$seconds" quickstart.pb.gz &
pprof=$!
fetch "?seconds=$seconds" quickstart.folded || fail "the profile did not come."
wait "$pprof" || fail "the profile in pprof's format did not come."
wait "$example" || fail "the example failed: $(cat "$scratch/errors")"
example=

"$flamegraph" --title "gprof's example, wall-clock time" --countname us \
  quickstart.folded >quickstart.svg || fail "flamegraph.pl failed, see above."

say "Where the time of the loop went"
awk '
  $1 == "total" { names[++count] = $2; timing[$2] = $4; next }
  FNR == NR { next }
  {
    weight = $NF
    for (i = 1; i <= count; ++i)
      if (index($0, ";" names[i] "();") || index($0, ";" names[i] "() ")) {
        profile[names[i]] += weight
        all += weight
      }
  }
  END {
    if (all == 0) exit 1
    printf "    %-22s %12s %14s\n", "function", "own timing", "in the profile"
    for (i = 1; i <= count; ++i)
      printf "    %-22s %10.1f %% %12.1f %%\n", names[i],
             100 * timing[names[i]], 100 * profile[names[i]] / all
  }' "$scratch/example" quickstart.folded ||
  fail "quickstart.folded has none of the functions of the example."

say "Left in $PWD
    quickstart.folded   folded stacks
    quickstart.svg      flame graph, for a browser
    quickstart.pb.gz    for go tool pprof"
