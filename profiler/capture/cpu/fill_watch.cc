#include "profiler/capture/cpu/fill_watch.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <utility>

namespace wallprof::capture {
namespace {

constexpr size_t kStackBytes = 64 << 10;

}  // namespace

FillWatch::FillWatch(OwnThreads& own_threads, const std::vector<int>& events,
                     std::function<void()> wake)
    : wake_(std::move(wake)), end_(eventfd(0, EFD_CLOEXEC)) {
  if (!end_.valid()) return;
  works_ = true;
  ended_ = false;
  const absl::Status started = own_threads.Start(
      "wallprof-fill", kStackBytes, [this, events] { Run(events); });
  if (started.ok()) return;
  works_ = false;
  ended_ = true;
}

FillWatch::~FillWatch() {
  if (end_.valid()) eventfd_write(end_.get(), 1);
  ended_.wait(false);
}

void FillWatch::Run(std::vector<int> events) {
  std::vector<pollfd> polled = {{end_.get(), POLLIN, 0}};
  for (const int event : events) polled.push_back({event, POLLIN, 0});
  for (;;) {
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) break;
    for (pollfd& one : polled) {
      // It would be ready for ever.
      if ((one.revents & ~POLLIN) == 0) continue;
      one.fd = -1;
      works_ = false;
    }
    wake_();
  }
  ended_ = true;
  ended_.notify_all();
}

}  // namespace wallprof::capture
