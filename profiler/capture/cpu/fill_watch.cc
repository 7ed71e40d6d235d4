#include "profiler/capture/cpu/fill_watch.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <memory>
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
  // Shared, since the thread may still be in it when the other end is gone.
  auto ended = std::make_shared<std::promise<void>>();
  const absl::Status started =
      own_threads.Start("wallprof-fill", kStackBytes, [this, events, ended] {
        Run(events);
        ended->set_value();
      });
  if (started.ok()) {
    ended_ = ended->get_future();
  } else {
    works_ = false;
  }
}

FillWatch::~FillWatch() {
  if (end_.valid()) eventfd_write(end_.get(), 1);
  if (ended_.valid()) ended_.wait();
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
}

}  // namespace wallprof::capture
