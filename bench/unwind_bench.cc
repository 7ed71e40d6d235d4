// Walks of stack copies, with few and with many distinct program counters, and
// the comparison that saves them.
#include <benchmark/benchmark.h>
#include <ucontext.h>

#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "profiler/stacks/recording.h"
#include "profiler/unwind/libunwind.h"
#include "profiler/unwind/memory.h"
#include "profiler/unwind/module_map.h"
#include "profiler/unwind/stack_copy.h"
#include "profiler/unwind/unwinder.h"

namespace wallprof::unwind {
namespace {

constexpr int kDepth = 45;
// Functions of the program under test; chains of kDepth of them.
constexpr int kFunctions = 5040;

struct OwnedCopy {
  std::vector<std::byte> bytes;
  StackCopy copy;
};

std::vector<OwnedCopy>* g_copies = nullptr;

// Copies the caller's stack up to the root of the process.
__attribute__((noinline)) void CopyOwnStack() {
  ucontext_t context;
  getcontext(&context);
  const greg_t* gregs = context.uc_mcontext.gregs;
  const auto sp = static_cast<uint64_t>(gregs[REG_RSP]);
  constexpr size_t kBytes = 128 << 10;  // the benchmark's frames are large
  OwnedCopy owned;
  owned.bytes.resize(kBytes);
  const Memory memory;
  owned.bytes.resize(memory.Read(sp, owned.bytes.data(), kBytes));
  owned.copy.registers.Set(kRsp, sp);
  owned.copy.registers.Set(kRip, static_cast<uint64_t>(gregs[REG_RIP]));
  owned.copy.registers.Set(kRbp, static_cast<uint64_t>(gregs[REG_RBP]));
  owned.copy.registers.Set(kRbx, static_cast<uint64_t>(gregs[REG_RBX]));
  owned.copy.registers.Set(kR12, static_cast<uint64_t>(gregs[REG_R12]));
  owned.copy.registers.Set(kR13, static_cast<uint64_t>(gregs[REG_R13]));
  owned.copy.registers.Set(kR14, static_cast<uint64_t>(gregs[REG_R14]));
  owned.copy.registers.Set(kR15, static_cast<uint64_t>(gregs[REG_R15]));
  owned.copy.segments[0] = {sp, owned.bytes.data(), owned.bytes.size()};
  owned.copy.segment_count = 1;
  g_copies->push_back(std::move(owned));
}

void Call(int function, int depth);

template <int kNumber>
__attribute__((noinline)) void Function(int depth) {
  // Different bodies, so that the linker folds none of them together.
  volatile int own[1 + kNumber % 7] = {kNumber};
  if (depth == 1) {
    CopyOwnStack();
  } else {
    Call(kNumber + 1, depth - 1);
  }
  own[0] = own[0] + 1;
}

template <int... kNumbers>
constexpr auto TableOf(std::integer_sequence<int, kNumbers...>) {
  return std::array<void (*)(int), sizeof...(kNumbers)>{&Function<kNumbers>...};
}
constexpr auto kTable = TableOf(std::make_integer_sequence<int, kFunctions>());

// In line, so that every frame of a chain is a function of its own.
inline __attribute__((always_inline)) void CallInline(int function, int depth) {
  kTable[static_cast<size_t>(function) % kTable.size()](depth);
}
void Call(int function, int depth) { CallInline(function, depth); }

// Stacks with about `counters` distinct program counters in all.
std::vector<OwnedCopy> MakeCopies(int64_t counters) {
  std::vector<OwnedCopy> copies;
  g_copies = &copies;
  for (int first = 0; first < counters; first += kDepth) {
    Call(first, kDepth);
  }
  // The copies have moved as the vector grew; their bytes have not.
  return copies;
}

struct Fixture {
  std::unique_ptr<stacks::Recording> recording;
  Memory memory;
  std::unique_ptr<Unwinder> unwinder;

  Fixture() : recording(stacks::Recording::Allocate(16 << 20).value()) {
    if (!LibUnwind::Load().ok()) abort();
    LibUnwind::UseFromSampler();
    unwinder = std::make_unique<Unwinder>(memory, *recording);
    unwinder->SetModules(ReadMaps());
  }
};

void WalkCopies(benchmark::State& state) {
  Fixture fixture;
  const std::vector<OwnedCopy> copies = MakeCopies(state.range(0));
  auto walk = std::make_unique<Walk>();
  size_t frames = 0, incomplete = 0, walks = 0, at = 0;
  for (auto _ : state) {
    fixture.unwinder->Unwind(copies[at++ % copies.size()].copy, *walk);
    frames += walk->depth;
    incomplete += walk->complete ? 0 : 1;
    ++walks;
  }
  state.counters["frames"] =
      static_cast<double>(frames) / static_cast<double>(walks);
  state.counters["incomplete"] = static_cast<double>(incomplete);
}
BENCHMARK(WalkCopies)->Arg(100)->Arg(5000)->Unit(benchmark::kMicrosecond);

// What a thread costs that is blocked where it was: its words compared.
void CompareWords(benchmark::State& state) {
  Fixture fixture;
  const std::vector<OwnedCopy> copies = MakeCopies(kDepth);
  StackCopy copy = copies[0].copy;
  // As of a blocked thread: what a walk may rely on.
  for (const Register reg : {kRbx, kR12, kR13, kR14, kR15, kRbp}) {
    copy.registers.Forget(reg);
  }
  auto walk = std::make_unique<Walk>();
  fixture.unwinder->Unwind(copy, *walk);
  for (auto _ : state) {
    bool same = true;
    for (const StackWord& word : walk->words) {
      uint64_t now = 0;
      same = same && copy.Read(word.address, now) && now == word.value;
    }
    benchmark::DoNotOptimize(same);
  }
  state.counters["words"] = static_cast<double>(walk->words.size());
}
BENCHMARK(CompareWords);

}  // namespace
}  // namespace wallprof::unwind

BENCHMARK_MAIN();
