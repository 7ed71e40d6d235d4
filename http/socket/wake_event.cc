#include "http/socket/wake_event.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"

namespace wallprof::http {

absl::StatusOr<WakeEvent> WakeEvent::Open() {
  FileDescriptor event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) {
    return absl::ErrnoToStatus(errno, "Cannot create an eventfd");
  }
  return WakeEvent(std::move(event));
}

WakeEvent::WakeEvent(FileDescriptor event) : event_(std::move(event)) {}

void WakeEvent::Raise() const { eventfd_write(descriptor(), 1); }

}  // namespace wallprof::http
