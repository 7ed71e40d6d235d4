// What a label costs the thread that sets it.
#include <benchmark/benchmark.h>

#include <string>

#include "wallprof/labels.h"

namespace wallprof {
namespace {

void BM_SameLabel(benchmark::State& state) {
  for (auto _ : state) {
    const ScopedLabel label("endpoint", "/search");
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_SameLabel)->Threads(1)->Threads(4);

void BM_NestedLabels(benchmark::State& state) {
  for (auto _ : state) {
    const ScopedLabel endpoint("endpoint", "/search");
    const ScopedLabel tenant("tenant", "example.org");
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_NestedLabels)->Threads(1)->Threads(4);

// More values in turn than a thread remembers.
void BM_ManyValues(benchmark::State& state) {
  std::vector<std::string> values;
  for (int i = 0; i < 1000; ++i) values.push_back("/page/" + std::to_string(i));
  size_t next = 0;
  for (auto _ : state) {
    const ScopedLabel label("endpoint", values[++next % values.size()]);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_ManyValues)->Threads(1)->Threads(4);

}  // namespace
}  // namespace wallprof

BENCHMARK_MAIN();
