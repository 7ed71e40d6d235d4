#include "profiler/threads/proc_file.h"

#include <errno.h>
#include <unistd.h>

#include <charconv>
#include <utility>

namespace wallprof::threads {
namespace {

// Takes the next space-separated word off `text`.
std::string_view NextWord(std::string_view& text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  const size_t end = text.find_first_of(" \t\n");
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(word.size());
  return word;
}

template <typename Number>
bool ParseNumber(std::string_view word, int base, Number& number) {
  if (base == 16 && word.substr(0, 2) == "0x") word.remove_prefix(2);
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), number, base);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int FileDescriptor::Release() { return std::exchange(fd_, -1); }

void FileDescriptor::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool ProcText::ReadFrom(int fd) {
  const ssize_t n = pread(fd, buffer_.data(), buffer_.size(), 0);
  size_ = n > 0 ? static_cast<size_t>(n) : 0;
  if (n == 0) errno = ESRCH;
  return n > 0;
}

std::optional<SyscallState> ParseSyscall(std::string_view text) {
  SyscallState state;
  std::string_view word = NextWord(text);
  if (word == "running") return state;
  if (!ParseNumber(word, 10, state.number)) return std::nullopt;
  if (state.number >= 0) {
    state.kind = SyscallState::Kind::kInSyscall;
    for (uint64_t& argument : state.arguments) {
      if (!ParseNumber(NextWord(text), 16, argument)) return std::nullopt;
    }
  } else {
    state.kind = SyscallState::Kind::kBlocked;
  }
  if (!ParseNumber(NextWord(text), 16, state.sp)) return std::nullopt;
  if (!ParseNumber(NextWord(text), 16, state.pc)) return std::nullopt;
  return state;
}

std::optional<SchedStat> ParseSchedStat(std::string_view text) {
  SchedStat stat;
  if (!ParseNumber(NextWord(text), 10, stat.run_ns) ||
      !ParseNumber(NextWord(text), 10, stat.delay_ns) ||
      !ParseNumber(NextWord(text), 10, stat.run_count)) {
    return std::nullopt;
  }
  return stat;
}

std::optional<TaskStat> ParseTaskStat(std::string_view text) {
  // The name is the program's and may hold spaces and parentheses; the last
  // ')' ends it.
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos ||
      close < open) {
    return std::nullopt;
  }
  TaskStat stat;
  stat.name = text.substr(open + 1, close - open - 1);
  text.remove_prefix(close + 1);
  const std::string_view state = NextWord(text);
  if (state.size() != 1) return std::nullopt;
  stat.state = state[0];
  // Fields are numbered from 1; the state is field 3, the start time 22.
  constexpr int kFieldsBetween = 22 - 3 - 1;
  for (int i = 0; i < kFieldsBetween; ++i) NextWord(text);
  if (!ParseNumber(NextWord(text), 10, stat.start_ticks)) return std::nullopt;
  return stat;
}

std::optional<uint64_t> ParseStatusLine(std::string_view text,
                                        std::string_view key, int base) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") continue;
    line.remove_prefix(key.size() + 1);
    uint64_t number = 0;
    if (!ParseNumber(NextWord(line), base, number)) return std::nullopt;
    return number;
  }
  return std::nullopt;
}

std::optional<uint64_t> ParseBlockedSignals(std::string_view text) {
  return ParseStatusLine(text, "SigBlk", 16);
}

std::optional<uint64_t> ParseVoluntarySwitches(std::string_view text) {
  return ParseStatusLine(text, "voluntary_ctxt_switches", 10);
}

}  // namespace wallprof::threads
