#include "profiler/symbolize/process_start.h"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace wallprof::symbolize {
namespace {

// Clocks are set by a little now and then, and tell the time of a file and of
// now in different steps.
constexpr int64_t kTolerance = 2;

// Clock ticks since the machine's start; 0 if it cannot be read.
int64_t StartTicks() {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  // The program's name, in brackets, may have blanks and brackets itself. The
  // time is the 20th word behind it.
  std::istringstream words(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 19; ++i) words >> skipped;
  int64_t ticks = 0;
  words >> ticks;
  return ticks;
}

}  // namespace

int64_t ProcessStartSeconds() {
  const int64_t ticks = StartTicks();
  timespec now;
  timespec up;
  if (ticks <= 0 || clock_gettime(CLOCK_REALTIME, &now) != 0 ||
      clock_gettime(CLOCK_BOOTTIME, &up) != 0) {
    return 0;
  }
  return now.tv_sec - (up.tv_sec - ticks / sysconf(_SC_CLK_TCK)) - kTolerance;
}

}  // namespace wallprof::symbolize
