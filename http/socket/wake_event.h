// An event that ends every poll() it takes part in, now and later, once it has
// been raised.
#ifndef WALLPROF_HTTP_SOCKET_WAKE_EVENT_H_
#define WALLPROF_HTTP_SOCKET_WAKE_EVENT_H_

#include "absl/status/statusor.h"
#include "http/socket/file_descriptor.h"

namespace wallprof::http {

class WakeEvent {
 public:
  static absl::StatusOr<WakeEvent> Open();

  // Readable once raised.
  int descriptor() const { return event_.number(); }

  void Raise() const;

 private:
  explicit WakeEvent(FileDescriptor event);

  FileDescriptor event_;
};

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_SOCKET_WAKE_EVENT_H_
