#include "fleet/pgo/base/staged_batch.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

// Two unpack while another waits for the store and the caller adds up.
constexpr size_t kReaders = 3;

struct Read {
  absl::Status fetched;  // NotFound: not there any more
  absl::StatusOr<StagedProfile> profile = absl::UnknownError("");
};

Read ReadOne(ObjectStore& objects, std::string_view app, int64_t id,
             const AcceptLimits& limits) {
  Read read;
  const absl::StatusOr<std::string> bytes =
      objects.Get(StagingKey(app, id), limits.message_bytes);
  if (absl::IsResourceExhausted(bytes.status())) {
    read.profile = bytes.status();
  } else if (!bytes.ok()) {
    read.fetched = bytes.status();
  } else {
    read.profile = ReadStaged(*bytes, absl::FromUnixNanos(id), limits);
  }
  return read;
}

// The profiles on their way from those who read to the one who adds up.
class Window {
 public:
  explicit Window(size_t count) : count_(count) {}

  // Which to read next; `count` where there is none. Waits for room.
  size_t Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] {
      return ended_ || next_ >= count_ || next_ < taken_ + kReadAhead;
    });
    return ended_ || next_ >= count_ ? count_ : next_++;
  }

  void Put(size_t index, Read read) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ready_.emplace(index, std::move(read));
    changed_.notify_all();
  }

  Read Take(size_t index) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return ready_.count(index) != 0; });
    return std::move(ready_.extract(index).mapped());
  }

  // The one before `taken` is not in memory any more.
  void Advance(size_t taken) {
    const std::lock_guard<std::mutex> lock(mutex_);
    taken_ = taken;
    changed_.notify_all();
  }

  void End() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  const size_t count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t next_ = 0;
  size_t taken_ = 0;
  bool ended_ = false;
  std::map<size_t, Read> ready_;
};

}  // namespace

absl::Status ReadStagedBatch(
    ObjectStore& objects, std::string_view app, const std::vector<int64_t>& ids,
    const AcceptLimits& limits,
    const std::function<absl::Status(int64_t id, StagedProfile)>& take,
    std::vector<Refused>& refused) {
  const auto pass = [&](int64_t id, Read read) {
    if (absl::IsNotFound(read.fetched)) return absl::OkStatus();
    if (!read.fetched.ok()) return read.fetched;
    if (!read.profile.ok()) {
      refused.push_back({id, std::string(read.profile.status().message())});
      return absl::OkStatus();
    }
    return take(id, *std::move(read.profile));
  };
  if (ids.size() == 1) {
    return pass(ids[0], ReadOne(objects, app, ids[0], limits));
  }
  Window window(ids.size());
  std::vector<std::thread> readers;
  for (size_t i = 0; i < std::min(kReaders, ids.size()); ++i) {
    readers.emplace_back([&] {
      for (size_t next = window.Next(); next < ids.size();
           next = window.Next()) {
        window.Put(next, ReadOne(objects, app, ids[next], limits));
      }
    });
  }
  absl::Status status;
  for (size_t i = 0; i < ids.size() && status.ok(); ++i) {
    status = pass(ids[i], window.Take(i));
    window.Advance(i + 1);
  }
  window.End();
  for (std::thread& reader : readers) reader.join();
  return status;
}

}  // namespace wallprof::pgo
