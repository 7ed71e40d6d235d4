#include "profiler/capture/cpu/fill_watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <memory>
#include <utility>

namespace wallprof::capture {
namespace {

constexpr size_t kStackBytes = 64 << 10;

// Whether there is something to do is looked at this often even if nobody
// called: a program may have forbidden all its threads to write where we do.
constexpr int kLookAnywayMs = 1000;

}  // namespace

FillWatch::FillWatch(OwnThreads& own_threads, const std::vector<int>& events,
                     std::function<void()> wake)
    : wake_(std::move(wake)), called_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!called_.valid()) return;
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
  ending_ = true;
  Call();
  if (ended_.valid()) ended_.wait();
}

void FillWatch::Do(std::function<void()> duty) {
  {
    std::lock_guard lock(mutex_);
    duty_ = std::move(duty);
  }
  Call();
}

// Where the call is refused the thread comes by itself.
void FillWatch::Call() {
  if (called_.valid()) static_cast<void>(eventfd_write(called_.get(), 1));
}

void FillWatch::DoDuty() {
  std::function<void()> duty;
  {
    std::lock_guard lock(mutex_);
    duty.swap(duty_);
  }
  if (duty) duty();
}

void FillWatch::Run(std::vector<int> events) {
  std::vector<pollfd> polled = {{called_.get(), POLLIN, 0}};
  for (const int event : events) polled.push_back({event, POLLIN, 0});
  for (;;) {
    const int ready = poll(polled.data(), polled.size(), kLookAnywayMs);
    const int error = ready < 0 ? errno : 0;
    if (ending_) return;
    DoDuty();
    if (error != 0 && error != EINTR) break;
    if (ready <= 0) continue;
    const bool called = polled[0].revents != 0;
    eventfd_t calls;
    // It would be ready for ever.
    if (called && eventfd_read(called_.get(), &calls) != 0) break;
    for (auto one = polled.begin() + 1; one != polled.end(); ++one) {
      if ((one->revents & ~POLLIN) == 0) continue;
      one->fd = -1;  // likewise
      works_ = false;
    }
    if (ready > (called ? 1 : 0)) wake_();
  }
  // The program has lowered its limit on descriptors below the number of CPUs,
  // which is the kernel's on poll too, or has forbidden a call. Somebody has to
  // look from now on, and is told.
  works_ = false;
  wake_();
}

}  // namespace wallprof::capture
