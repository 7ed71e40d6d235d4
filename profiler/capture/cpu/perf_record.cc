#include "profiler/capture/cpu/perf_record.h"

#include <asm/perf_regs.h>
#include <linux/perf_event.h>

#include <algorithm>
#include <cstring>

namespace wallprof::capture {
namespace {

static_assert(kPerfSampleType ==
              (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER |
               PERF_SAMPLE_STACK_USER));

// The kernel's number of each register, by DWARF's.
constexpr int kPerfNumber[unwind::kRegisterCount] = {
    PERF_REG_X86_AX,  PERF_REG_X86_DX,  PERF_REG_X86_CX,  PERF_REG_X86_BX,
    PERF_REG_X86_SI,  PERF_REG_X86_DI,  PERF_REG_X86_BP,  PERF_REG_X86_SP,
    PERF_REG_X86_R8,  PERF_REG_X86_R9,  PERF_REG_X86_R10, PERF_REG_X86_R11,
    PERF_REG_X86_R12, PERF_REG_X86_R13, PERF_REG_X86_R14, PERF_REG_X86_R15,
    PERF_REG_X86_IP};

constexpr uint64_t MaskOfRegisters() {
  uint64_t mask = 0;
  for (const int number : kPerfNumber) mask |= uint64_t{1} << number;
  return mask;
}
static_assert(MaskOfRegisters() == kPerfRegisters);

// Reads one value after another; false once there are no more.
class Cursor {
 public:
  explicit Cursor(absl::Span<const std::byte> bytes) : rest_(bytes) {}

  template <typename T>
  bool Read(T& value) {
    if (rest_.size() < sizeof(T)) return false;
    memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return true;
  }

  absl::Span<const std::byte> rest() const { return rest_; }

 private:
  absl::Span<const std::byte> rest_;
};

// Of those asked for, in the order of the kernel's numbers.
bool ReadRegisters(Cursor& cursor, unwind::Registers& registers) {
  for (int number = 0; number < 64; ++number) {
    if (((kPerfRegisters >> number) & 1) == 0) continue;
    uint64_t value = 0;
    if (!cursor.Read(value)) return false;
    const auto* at =
        std::find(std::begin(kPerfNumber), std::end(kPerfNumber), number);
    registers.Set(static_cast<unwind::Register>(at - kPerfNumber), value);
  }
  return true;
}

// FORK and EXIT have the same form: pid, ppid, tid, ptid, time.
std::optional<PerfFork> ParseTask(const PerfRecord& record) {
  Cursor cursor(record.body);
  uint32_t pid = 0, parent_pid = 0, tid = 0, parent = 0;
  if (!cursor.Read(pid) || !cursor.Read(parent_pid) || !cursor.Read(tid) ||
      !cursor.Read(parent)) {
    return std::nullopt;
  }
  return PerfFork{static_cast<pid_t>(pid), static_cast<threads::Tid>(tid),
                  static_cast<threads::Tid>(parent)};
}

}  // namespace

std::optional<PerfSample> ParsePerfSample(const PerfRecord& record) {
  if (record.type != PERF_RECORD_SAMPLE) return std::nullopt;
  PerfSample sample;
  sample.in_kernel =
      (record.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
  Cursor cursor(record.body);
  uint32_t pid = 0, tid = 0;
  uint64_t abi = 0, reserved = 0;
  if (!cursor.Read(pid) || !cursor.Read(tid) || !cursor.Read(sample.time_ns) ||
      !cursor.Read(abi)) {
    return std::nullopt;
  }
  sample.tid = static_cast<threads::Tid>(tid);
  if (abi != PERF_SAMPLE_REGS_ABI_64 ||
      !ReadRegisters(cursor, sample.registers) || !cursor.Read(reserved)) {
    return std::nullopt;
  }
  if (reserved == 0) return sample;  // nothing of the stack could be copied
  const absl::Span<const std::byte> room = cursor.rest();
  if (room.size() < reserved) return std::nullopt;
  Cursor end(room.subspan(reserved));
  uint64_t copied = 0;
  if (!end.Read(copied) || copied > reserved) return std::nullopt;
  sample.stack = room.first(copied);
  return sample;
}

std::optional<PerfFork> ParsePerfFork(const PerfRecord& record) {
  if (record.type != PERF_RECORD_FORK) return std::nullopt;
  return ParseTask(record);
}

std::optional<threads::Tid> ParsePerfExit(const PerfRecord& record) {
  if (record.type != PERF_RECORD_EXIT) return std::nullopt;
  const std::optional<PerfFork> task = ParseTask(record);
  if (!task) return std::nullopt;
  return task->tid;
}

std::optional<PerfName> ParsePerfName(const PerfRecord& record) {
  if (record.type != PERF_RECORD_COMM) return std::nullopt;
  Cursor cursor(record.body);
  uint32_t pid = 0, tid = 0;
  if (!cursor.Read(pid) || !cursor.Read(tid)) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(cursor.rest().data());
  return PerfName{static_cast<threads::Tid>(tid),
                  {text, strnlen(text, cursor.rest().size())}};
}

std::optional<int64_t> ParsePerfLost(const PerfRecord& record) {
  if (record.type != PERF_RECORD_LOST) return std::nullopt;
  Cursor cursor(record.body);
  uint64_t id = 0;
  int64_t lost = 0;
  if (!cursor.Read(id) || !cursor.Read(lost) || lost < 0) return std::nullopt;
  return lost;
}

}  // namespace wallprof::capture
