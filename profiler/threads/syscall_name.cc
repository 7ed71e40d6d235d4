#include "profiler/threads/syscall_name.h"

#include <string_view>

namespace wallprof::threads {
namespace {

struct NumberedName {
  int number;
  std::string_view name;
};

constexpr NumberedName kNames[] = {
#include "syscall_names.inc"
};

}  // namespace

std::string SyscallName(int number) {
  for (const NumberedName& entry : kNames) {
    if (entry.number == number) return std::string(entry.name);
  }
  return "syscall_" + std::to_string(number);
}

}  // namespace wallprof::threads
