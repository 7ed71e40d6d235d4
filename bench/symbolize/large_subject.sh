#!/bin/sh
# large_subject.sh DIRECTORY [UNITS]: a library with some 100 MB of debug
# information, as large.so, and the same compressed, as large-zlib.so. Fifteen
# units of templates by default.
set -eu
directory=$1
units=${2:-15}
mkdir -p "$directory"
cd "$directory"
cat >large.cc <<'EOF'
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <unordered_map>
#include <vector>

namespace unit {
// A type of its own for each N: nothing is shared between instances.
template <int N>
struct Key {
  int value;
  bool operator<(const Key& other) const { return value < other.value; }
  bool operator==(const Key& other) const { return value == other.value; }
};
template <int N>
struct Hash {
  size_t operator()(const Key<N>& key) const { return key.value * N; }
};
template <int N>
int Work(int n) {
  std::map<Key<N>, std::string> ordered;
  std::unordered_map<Key<N>, std::unique_ptr<Key<N>>, Hash<N>> hashed;
  std::vector<Key<N>> keys;
  for (int i = 0; i < n; ++i) {
    ordered[{i}] = std::to_string(i);
    hashed[{i}] = std::make_unique<Key<N>>(Key<N>{i});
    keys.push_back({n - i});
  }
  std::sort(keys.begin(), keys.end());
  std::function<int(int, const Key<N>&)> add = [n](int sum, const Key<N>& key) {
    return sum + key.value * n;
  };
  return std::accumulate(keys.begin(), keys.end(), int(hashed.size()), add) +
         int(ordered.size());
}
template <int... N>
int All(int n, std::integer_sequence<int, N...>) {
  return (Work<N>(n) + ...);
}
int Run(int n) { return All(n, std::make_integer_sequence<int, INSTANCES>()); }
}  // namespace unit
EOF
# Compiling takes minutes. So it is done once, and what came of it is linked
# several times over: with local symbols, the copies do not know each other.
g++ -std=c++17 -O1 -g -fPIC -fno-gnu-unique -DINSTANCES=60 -c large.cc -o large.o
ld -r --force-group-allocation -o whole.o large.o
objcopy --keep-global-symbol=none whole.o unit.o
objects=
while [ "$units" -gt 0 ]; do
  cp unit.o "unit$units.o"
  objects="$objects unit$units.o"
  units=$((units - 1))
done
# shellcheck disable=SC2086  # a list
g++ -shared -Wl,--build-id -o large.so $objects
objcopy --compress-debug-sections=zlib large.so large-zlib.so
