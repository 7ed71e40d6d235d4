// Somebody who measures: while it exists, the table keeps what it holds and the
// sampler looks at least as often as asked.
#ifndef WALLPROF_PROFILER_CAPTURE_SCOPED_READER_H_
#define WALLPROF_PROFILER_CAPTURE_SCOPED_READER_H_

#include <algorithm>
#include <mutex>
#include <set>

#include "profiler/capture/session.h"

namespace wallprof::capture {

class Session::ScopedReader {
 public:
  // `frequency_hz` 0: as often as the session does anyway.
  ScopedReader(Session& session, int frequency_hz) : session_(session) {
    std::lock_guard lock(session_.mutex_);
    rate_ = session_.rates_.insert(frequency_hz);
    Apply();
  }
  ScopedReader(const ScopedReader&) = delete;
  ScopedReader& operator=(const ScopedReader&) = delete;
  ~ScopedReader() {
    std::lock_guard lock(session_.mutex_);
    session_.rates_.erase(rate_);
    Apply();
    session_.stopped_.notify_all();
  }

 private:
  void Apply() {
    const int asked = session_.rates_.empty() ? 0 : *session_.rates_.rbegin();
    const int before = session_.frequency_hz_.exchange(
        std::max(asked, session_.options_.frequency_hz));
    if (before != session_.frequency_hz_) session_.Wake();
  }

  Session& session_;
  std::multiset<int>::iterator rate_;
};

// While it exists, ticks from a time on look at all threads.
class Session::ScopedEveryone {
 public:
  ScopedEveryone(Session& session, int64_t from_ns) : session_(session) {
    std::lock_guard lock(session_.mutex_);
    from_ = session_.everyone_from_ns_.insert(from_ns);
    if (session_.options_.cpu_only) session_.Wake();
  }
  ScopedEveryone(const ScopedEveryone&) = delete;
  ScopedEveryone& operator=(const ScopedEveryone&) = delete;
  ~ScopedEveryone() {
    std::lock_guard lock(session_.mutex_);
    session_.everyone_from_ns_.erase(from_);
  }

 private:
  Session& session_;
  std::multiset<int64_t>::iterator from_;
};

// While it exists, ticks that begin later tell what blocked threads wait for.
class Session::ScopedTargets {
 public:
  explicit ScopedTargets(Session& session) : session_(session) {
    std::lock_guard lock(session_.mutex_);
    ++session_.targets_wanted_;
  }
  ScopedTargets(const ScopedTargets&) = delete;
  ScopedTargets& operator=(const ScopedTargets&) = delete;
  ~ScopedTargets() {
    std::lock_guard lock(session_.mutex_);
    --session_.targets_wanted_;
  }

 private:
  Session& session_;
};

}  // namespace wallprof::capture

#endif  // WALLPROF_PROFILER_CAPTURE_SCOPED_READER_H_
