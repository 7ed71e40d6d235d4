#include "profiler/capture/cpu/perf_record.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <cstring>
#include <string_view>
#include <vector>

namespace wallprof::capture {
namespace {

// The body of a record, put together.
class Body {
 public:
  template <typename T>
  Body& Add(T value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof(value));
    return *this;
  }
  Body& AddText(std::string_view text, size_t room) {
    for (size_t i = 0; i < room; ++i) {
      Add<char>(i < text.size() ? text[i] : '\0');
    }
    return *this;
  }

  PerfRecord As(uint32_t type, uint16_t misc = 0) const {
    return {type, misc, bytes_};
  }
  PerfRecord Cut(size_t size, uint32_t type) const {
    return {type, 0, absl::MakeConstSpan(bytes_).first(size)};
  }
  size_t size() const { return bytes_.size(); }

 private:
  std::vector<std::byte> bytes_;
};

// Registers are 100 and up, in the kernel's order; of 32 bytes reserved for the
// stack 16 were copied.
Body ASample(uint64_t abi = PERF_SAMPLE_REGS_ABI_64) {
  Body body;
  body.Add<uint32_t>(71).Add<uint32_t>(72).Add<uint64_t>(5555).Add(abi);
  for (uint64_t i = 0; i < unwind::kRegisterCount; ++i) body.Add(100 + i);
  body.Add<uint64_t>(32);
  for (uint64_t i = 1; i <= 4; ++i) body.Add(i);
  return body.Add<uint64_t>(16);
}

TEST(PerfRecordTest, ASampleHasRegistersAndTheStackThatWasCopied) {
  const Body body = ASample();
  const auto sample = ParsePerfSample(body.As(PERF_RECORD_SAMPLE));
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->tid, 72);
  EXPECT_EQ(sample->time_ns, 5555);
  EXPECT_FALSE(sample->in_kernel);
  // ax bx cx dx si di bp sp ip r8 to r15.
  EXPECT_EQ(sample->registers.Get(unwind::kRax), 100u);
  EXPECT_EQ(sample->registers.Get(unwind::kRbx), 101u);
  EXPECT_EQ(sample->registers.Get(unwind::kRdx), 103u);
  EXPECT_EQ(sample->registers.Get(unwind::kRbp), 106u);
  EXPECT_EQ(sample->registers.Get(unwind::kRsp), 107u);
  EXPECT_EQ(sample->registers.Get(unwind::kRip), 108u);
  EXPECT_EQ(sample->registers.Get(unwind::kR15), 116u);
  ASSERT_EQ(sample->stack.size(), 16u);
  EXPECT_EQ(static_cast<int>(sample->stack[8]), 2);
  EXPECT_TRUE(
      ParsePerfSample(body.As(PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL))
          ->in_kernel);
}

TEST(PerfRecordTest, AThreadThatIsEndingHasNoRegisters) {
  EXPECT_FALSE(ParsePerfSample(
      ASample(PERF_SAMPLE_REGS_ABI_NONE).As(PERF_RECORD_SAMPLE)));
}

TEST(PerfRecordTest, ASampleMayHaveNoStack) {
  Body body;
  body.Add<uint32_t>(71).Add<uint32_t>(72).Add<uint64_t>(5555);
  body.Add<uint64_t>(PERF_SAMPLE_REGS_ABI_64);
  for (uint64_t i = 0; i < unwind::kRegisterCount; ++i) body.Add(i);
  body.Add<uint64_t>(0);
  const auto sample = ParsePerfSample(body.As(PERF_RECORD_SAMPLE));
  ASSERT_TRUE(sample.has_value());
  EXPECT_TRUE(sample->stack.empty());
}

TEST(PerfRecordTest, NothingIsReadBeyondARecordsEnd) {
  const Body body = ASample();
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(ParsePerfSample(body.Cut(size, PERF_RECORD_SAMPLE))) << size;
  }
  const Body task = Body().Add<uint64_t>(1);
  EXPECT_FALSE(ParsePerfFork(task.As(PERF_RECORD_FORK)));
  EXPECT_FALSE(ParsePerfExit(task.As(PERF_RECORD_EXIT)));
  EXPECT_FALSE(ParsePerfLost(task.As(PERF_RECORD_LOST)));
  EXPECT_FALSE(ParsePerfName(task.Cut(4, PERF_RECORD_COMM)));
}

TEST(PerfRecordTest, MoreStackThanWasReservedIsNoSample) {
  Body body;
  body.Add<uint32_t>(71).Add<uint32_t>(72).Add<uint64_t>(5555);
  body.Add<uint64_t>(PERF_SAMPLE_REGS_ABI_64);
  for (uint64_t i = 0; i < unwind::kRegisterCount; ++i) body.Add(i);
  body.Add<uint64_t>(8).Add<uint64_t>(0).Add<uint64_t>(9);
  EXPECT_FALSE(ParsePerfSample(body.As(PERF_RECORD_SAMPLE)));
}

TEST(PerfRecordTest, ThreadsStartEndAndAreNamed) {
  Body task;
  task.Add<uint32_t>(71).Add<uint32_t>(71).Add<uint32_t>(73).Add<uint32_t>(72);
  const auto fork = ParsePerfFork(task.As(PERF_RECORD_FORK));
  ASSERT_TRUE(fork.has_value());
  EXPECT_EQ(fork->pid, 71);
  EXPECT_EQ(fork->tid, 73);
  EXPECT_EQ(fork->parent, 72);
  EXPECT_EQ(ParsePerfExit(task.As(PERF_RECORD_EXIT)), 73);
  EXPECT_FALSE(ParsePerfExit(task.As(PERF_RECORD_FORK)));
  Body name;
  name.Add<uint32_t>(71).Add<uint32_t>(73).AddText("worker", 16);
  const auto named = ParsePerfName(name.As(PERF_RECORD_COMM));
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(named->tid, 73);
  EXPECT_EQ(named->name, "worker");
}

TEST(PerfRecordTest, LostRecordsAreCounted) {
  Body lost;
  lost.Add<uint64_t>(9).Add<uint64_t>(1234);
  EXPECT_EQ(ParsePerfLost(lost.As(PERF_RECORD_LOST)), 1234);
  EXPECT_FALSE(ParsePerfLost(lost.As(PERF_RECORD_SAMPLE)));
}

}  // namespace
}  // namespace wallprof::capture
