#include "fleet/collector/merging.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace wallprof::collector {
namespace {

// A thread that adds up few profiles costs more, in putting the sums together,
// than it saves.
constexpr size_t kProfilesAThread = 8;

// Sums of more threads than these take more memory than time.
constexpr size_t kMaxThreads = 8;

absl::Status TooLarge(const absl::Status& s) {
  return absl::OutOfRangeError(
      absl::StrCat("the sum is too large (", std::string(s.message()),
                   "); ask for less time or fewer series"));
}

// One thread's part of the profiles, in their order, so that the sum does not
// depend on which thread was faster.
class Part {
 public:
  Part(const PprofMerger::Options& options) : merger_(options) {}

  // Adds those from `begin` to `end`, until `is_over` says so.
  void Run(store::ProfileStore& store,
           const std::vector<store::IndexEntry>& entries, size_t begin,
           size_t end, const std::function<bool()>& is_over) {
    for (size_t i = begin; i < end; ++i) {
      if (is_over()) return;
      ++reached_;
      const absl::StatusOr<std::string> message = store.Read(entries[i]);
      absl::Status s = message.ok() ? merger_.Add(*message) : message.status();
      if (s.ok()) continue;
      if (absl::IsNotFound(s))
        continue;  // removed meanwhile: it does not exist
      if (absl::IsResourceExhausted(s) && message.ok()) {
        full_ = TooLarge(s);
        return;
      }
      LeaveOut(
          1, absl::StrCat(entries[i].info.id, ": ", std::string(s.message())));
    }
  }

  void LeaveOut(size_t profiles, const std::string& why) {
    if (left_out_ == 0) first_ = why;
    left_out_ += profiles;
  }

  PprofMerger& merger() { return merger_; }
  size_t reached() const { return reached_; }
  size_t left_out() const { return left_out_; }
  const std::string& first() const { return first_; }
  const absl::Status& full() const { return full_; }

 private:
  PprofMerger merger_;
  size_t reached_ = 0;
  size_t left_out_ = 0;
  std::string first_;  // why the first was left out
  absl::Status full_;
};

// Asked by all threads: over when the client left or time is up.
class Clock {
 public:
  Clock(absl::Time deadline, const std::function<bool()>& is_cancelled)
      : deadline_(deadline), is_cancelled_(is_cancelled) {}

  bool IsOver() {
    if (is_over_.load(std::memory_order_relaxed)) return true;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!was_cancelled_) was_cancelled_ = is_cancelled_();
    if (was_cancelled_ || absl::Now() >= deadline_) is_over_ = true;
    return is_over_;
  }

  bool was_cancelled() const { return was_cancelled_; }

 private:
  const absl::Time deadline_;
  const std::function<bool()>& is_cancelled_;
  std::atomic<bool> is_over_{false};
  std::mutex mutex_;
  bool was_cancelled_ = false;
};

size_t ThreadsFor(size_t profiles) {
  const size_t processors = std::max(1u, std::thread::hardware_concurrency());
  return std::clamp<size_t>(profiles / kProfilesAThread, 1,
                            std::min(processors, kMaxThreads));
}

std::vector<Part> RunParts(store::ProfileStore& store,
                           const std::vector<store::IndexEntry>& entries,
                           const PprofMerger::Options& options, Clock& clock) {
  const size_t count = ThreadsFor(entries.size());
  std::vector<Part> parts;
  for (size_t i = 0; i < count; ++i) parts.emplace_back(options);
  const auto run = [&](size_t i) {
    parts[i].Run(store, entries, entries.size() * i / count,
                 entries.size() * (i + 1) / count,
                 [&clock] { return clock.IsOver(); });
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < count; ++i) threads.emplace_back(run, i);
  run(0);
  for (std::thread& thread : threads) thread.join();
  return parts;
}

std::string WarningOf(const std::vector<Part>& parts, size_t all) {
  size_t reached = 0;
  size_t left_out = 0;
  std::string first;
  for (const Part& part : parts) {
    reached += part.reached();
    if (left_out == 0) first = part.first();
    left_out += part.left_out();
  }
  std::string warning;
  if (left_out > 0) {
    warning =
        absl::StrCat(left_out, " of ", all,
                     " profiles are left out, the first because of ", first);
  }
  if (reached < all) {
    warning = JoinWarnings(warning, absl::StrCat("time was up after ", reached,
                                                 " of ", all, " profiles"));
  }
  return warning;
}

}  // namespace

std::string JoinWarnings(const std::string& a, const std::string& b) {
  return absl::StrCat(a, a.empty() || b.empty() ? "" : "; ", b);
}

absl::StatusOr<Sum> AddUp(store::ProfileStore& store,
                          const std::vector<store::IndexEntry>& entries,
                          const Limits& limits, absl::Time deadline,
                          const std::function<bool()>& is_cancelled) {
  PprofMerger::Options options;
  options.max_memory_bytes = limits.merge_bytes;
  options.max_message_bytes = limits.message_bytes;
  Clock clock(deadline, is_cancelled);
  std::vector<Part> parts = RunParts(store, entries, options, clock);
  if (clock.was_cancelled()) return absl::CancelledError("the client left");

  Part& sum = parts.front();
  for (Part& part : parts) {
    absl::Status s = part.full();
    if (s.ok() && &part != &sum && part.merger().count() > 0) {
      s = sum.merger().Add(part.merger());
      if (absl::IsResourceExhausted(s)) s = TooLarge(s);
      // All of its profiles are of other types than those before.
      if (absl::IsInvalidArgument(s)) {
        sum.LeaveOut(part.merger().count(), std::string(s.message()));
        s = absl::OkStatus();
      }
    }
    if (!s.ok()) return s;
    if (&part != &sum) part.merger() = PprofMerger(options);
  }
  const std::string warning = WarningOf(parts, entries.size());
  if (sum.merger().count() == 0) {
    if (warning.empty()) return absl::NotFoundError(kNothingFound);
    if (sum.left_out() == 0) return absl::UnavailableError(warning);
    return absl::InvalidArgumentError(warning);
  }
  return Sum{std::move(sum.merger()), warning};
}

}  // namespace wallprof::collector
