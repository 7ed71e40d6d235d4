#include "fleet/pgo/scrape/scraper.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fleet/pgo/scrape/rounds.h"
#include "fleet/transfer/transfer.h"

namespace wallprof::pgo {
namespace {

using fleet::LogLine;

// How often Run() asks whether it shall go on.
constexpr absl::Duration kStep = absl::Milliseconds(100);

// The first round begins within this share of the time between two, but within
// the other: enough that a fleet's scrapers, restarted at once, part.
constexpr double kFirstShare = 1.0 / 6;
constexpr absl::Duration kLongestFirst = absl::Seconds(10);

// Targets that one profile is asked of in a round before it is given up: a list
// that is all wrong is told, not worked through.
constexpr int kMaxTries = 4;

constexpr int kOk = 200;

// No step of it, as the clock of the wall has them.
absl::Time SteadyNow() {
  return absl::UnixEpoch() +
         absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

bool IsSamePlace(const Target& a, const Target& b) {
  return a.address == b.address && a.path == b.path;
}

}  // namespace

class Scraper::State {
 public:
  State(TargetSource& source, UploadProfile upload, ScraperOptions options);

  void Run(const std::function<bool()>& stopping);
  void Learn(bool is_round);
  ScraperCounts counts() const;

 private:
  // What the jobs that began together have in common. Guarded by the State's
  // mutex.
  struct Round {
    absl::Time end;  // when the next is to begin
    std::vector<Target> left;
  };

  // One profile from the choice of its target on, with a thread of its own.
  struct Job {
    std::shared_ptr<Round> round;
    Target target;
    bool is_done = false;
    std::thread thread;
  };

  void Begin(absl::Time end);
  void Start(const std::shared_ptr<Round>& round);
  // Those that are done are forgotten; all are waited for, if `all`.
  void Reap(bool all);
  void Work(Job& job);
  // Whether it need not be tried with another target.
  bool Scrape(const Target& target, absl::Time round_end);
  absl::StatusOr<std::string> Take(const Target& target);
  void Send(const Target& target, const std::string& bytes,
            absl::Time round_end);
  // One that no other profile of this process has.
  int64_t NewId();
  // False where it is not wanted any more.
  bool Wait(absl::Duration duration);
  double Random();
  void Count(int64_t ScraperCounts::*what, int64_t count = 1);

  TargetSource& source_;
  const UploadProfile upload_;
  const ScraperOptions options_;
  const absl::Duration
      duration_;  // whole seconds: Go's handler takes no others
  std::atomic<bool> stopping_{false};
  fleet::Transfer transfer_;

  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  std::mt19937_64 engine_{std::random_device()()};
  ScraperCounts counts_;
  std::optional<std::vector<Target>> known_;
  std::string problem_;  // of the source, as it was told last; or empty
  int64_t last_id_ = 0;
  std::list<Job> jobs_;
};

Scraper::State::State(TargetSource& source, UploadProfile upload,
                      ScraperOptions options)
    : source_(source),
      upload_(std::move(upload)),
      options_(std::move(options)),
      duration_(absl::Ceil(options_.duration, absl::Seconds(1))),
      transfer_([this] {
        fleet::TransferOptions transfer;
        // Until the profile is there a target says nothing.
        transfer.stall = absl::InfiniteDuration();
        transfer.cancelled = [this] { return stopping_.load(); };
        transfer.certificates_file = options_.certificates;
        // It may be long until the same target is asked again.
        transfer.keeps_connections = false;
        return transfer;
      }()) {}

void Scraper::State::Run(const std::function<bool()>& stopping) {
  Rounds rounds(
      SteadyNow() +
          std::min(options_.frequency * kFirstShare, kLongestFirst) * Random(),
      options_.frequency);
  while (!stopping()) {
    Reap(false);
    const absl::Time now = SteadyNow();
    if (now < rounds.next()) {
      Wait(std::min(kStep, rounds.next() - now));
      continue;
    }
    if (const int64_t missed = rounds.Begin(now); missed > 0) {
      Count(&ScraperCounts::skipped, missed);
      LogLine("late").Add("rounds_left_out", missed).To(options_.warn);
    }
    Begin(rounds.next());
  }
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  Reap(true);
  stopping_ = false;
}

void Scraper::State::Learn(bool is_round) {
  absl::StatusOr<std::vector<Target>> list = source_.List();
  std::lock_guard lock(mutex_);
  if (list.ok()) {
    if (!is_round || !problem_.empty() || known_ != *list) {
      LogLine("targets")
          .Add("source", source_.name())
          .Add("count", static_cast<int64_t>(list->size()))
          .To(options_.log);
    }
    problem_.clear();
    counts_.targets = static_cast<int64_t>(list->size());
    known_ = *std::move(list);
    return;
  }
  if (is_round) ++counts_.source_failures;
  const std::string problem(list.status().message());
  if (absl::IsCancelled(list.status()) || (is_round && problem == problem_)) {
    return;
  }
  problem_ = problem;
  LogLine("targets_unknown")
      .Add("source", source_.name())
      .Add("error", problem)
      .Add("instead",
           absl::StrCat("the ", counts_.targets, " that were known before"))
      .To(options_.warn);
}

void Scraper::State::Begin(absl::Time end) {
  Learn(true);
  Reap(false);
  auto round = std::make_shared<Round>();
  round->end = end;
  size_t places = 0;
  {
    std::lock_guard lock(mutex_);
    const auto is_running = [this](const Target& target) {
      return std::any_of(jobs_.begin(), jobs_.end(), [&](const Job& job) {
        return IsSamePlace(job.target, target);
      });
    };
    for (const Target& target : known_.value_or(std::vector<Target>())) {
      if (!is_running(target)) round->left.push_back(target);
    }
    std::shuffle(round->left.begin(), round->left.end(), engine_);
    const auto most = static_cast<size_t>(options_.sample_size);
    places = std::min(most - std::min(most, jobs_.size()), round->left.size());
    ++(jobs_.size() < most ? counts_.rounds : counts_.skipped);
  }
  if (jobs_.size() >= static_cast<size_t>(options_.sample_size)) {
    LogLine("late")
        .Add("still_running", static_cast<int64_t>(jobs_.size()))
        .To(options_.warn);
  }
  for (size_t i = 0; i < places; ++i) Start(round);
}

void Scraper::State::Start(const std::shared_ptr<Round>& round) {
  std::lock_guard lock(mutex_);
  Job& job = jobs_.emplace_back();
  job.round = round;
  job.target = std::move(round->left.back());
  round->left.pop_back();
  try {
    job.thread = std::thread([this, &job] { Work(job); });
  } catch (const std::system_error& error) {
    ++counts_.target_failures;
    LogLine("not_scraped")
        .Add("target", ShownTarget(job.target))
        .Add("error", absl::StrCat("no thread for it: ", error.what()))
        .To(options_.warn);
    jobs_.pop_back();
  }
}

void Scraper::State::Reap(bool all) {
  // Jobs are added and removed on this thread alone.
  for (auto job = jobs_.begin(); job != jobs_.end();) {
    if (!all) {
      std::lock_guard lock(mutex_);
      if (!job->is_done) {
        ++job;
        continue;
      }
    }
    job->thread.join();
    std::lock_guard lock(mutex_);
    job = jobs_.erase(job);
  }
}

void Scraper::State::Work(Job& job) {
  pthread_setname_np(pthread_self(), "scrape");
  for (int tries = 1;; ++tries) {
    // Only this thread changes the target from here on.
    const bool is_settled = Scrape(job.target, job.round->end);
    std::lock_guard lock(mutex_);
    std::vector<Target>& left = job.round->left;
    if (is_settled || stopping_ || tries == kMaxTries || left.empty() ||
        SteadyNow() + duration_ > job.round->end) {
      job.is_done = true;
      return;
    }
    job.target = std::move(left.back());
    left.pop_back();
  }
}

bool Scraper::State::Scrape(const Target& target, absl::Time round_end) {
  const absl::StatusOr<std::string> bytes = Take(target);
  if (stopping_) return true;
  if (!bytes.ok()) {
    Count(&ScraperCounts::target_failures);
    LogLine("not_scraped")
        .Add("target", ShownTarget(target))
        .Add("error", std::string(bytes.status().message()))
        .To(options_.warn);
    return false;
  }
  Send(target, *bytes, round_end);
  return true;
}

absl::StatusOr<std::string> Scraper::State::Take(const Target& target) {
  fleet::TransferRequest request;
  request.method = "GET";
  request.url = ProfileUrl(target, absl::ToInt64Seconds(duration_));
  request.max_bytes = options_.max_profile_bytes;
  request.timeout = duration_ + options_.grace;
  request.follows = true;
  absl::StatusOr<fleet::TransferAnswer> answer = transfer_.Send(request);
  if (!answer.ok()) return answer.status();
  if (answer->status != kOk) {
    return absl::UnavailableError(fleet::ErrorText(*answer));
  }
  if (absl::StartsWith(answer->headers["content-type"], "text/html")) {
    return absl::DataLossError("it answers with a page, not a profile");
  }
  if (answer->body.empty()) return absl::DataLossError("its answer is empty");
  return std::move(answer->body);
}

void Scraper::State::Send(const Target& target, const std::string& bytes,
                          absl::Time round_end) {
  // Where that round was over before the profile was there, the next one
  // counts.
  const absl::Time now = SteadyNow();
  if (now > round_end) {
    round_end += absl::Ceil(now - round_end, options_.frequency);
  }
  const int64_t id = NewId();
  int64_t retries = 0;
  const absl::Status status = SendPatiently(
      [&] { return upload_(options_.app, bytes, target.version, id); },
      round_end,
      {SteadyNow, [this] { return Random(); },
       [this](absl::Duration duration) { return Wait(duration); }},
      retries);
  Count(&ScraperCounts::upload_retries, retries);
  if (status.ok()) {
    Count(&ScraperCounts::scraped);
    LogLine("scraped")
        .Add("target", ShownTarget(target))
        .Add("bytes", static_cast<int64_t>(bytes.size()))
        .To(options_.log);
  } else if (!stopping_) {
    Count(&ScraperCounts::upload_failures);
    LogLine("not_sent")
        .Add("target", ShownTarget(target))
        .Add("error", std::string(status.message()))
        .To(options_.warn);
  }
}

int64_t Scraper::State::NewId() {
  std::lock_guard lock(mutex_);
  last_id_ = std::max(last_id_ + 1, absl::GetCurrentTimeNanos());
  return last_id_;
}

bool Scraper::State::Wait(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, absl::ToChronoNanoseconds(duration),
                            [this] { return stopping_.load(); });
}

double Scraper::State::Random() {
  std::lock_guard lock(mutex_);
  return std::uniform_real_distribution<double>()(engine_);
}

void Scraper::State::Count(int64_t ScraperCounts::*what, int64_t count) {
  std::lock_guard lock(mutex_);
  counts_.*what += count;
}

ScraperCounts Scraper::State::counts() const {
  std::lock_guard lock(mutex_);
  ScraperCounts counts = counts_;
  counts.running = std::count_if(jobs_.begin(), jobs_.end(),
                                 [](const Job& job) { return !job.is_done; });
  return counts;
}

Scraper::Scraper(TargetSource& source, UploadProfile upload,
                 ScraperOptions options)
    : state_(std::make_unique<State>(source, std::move(upload),
                                     std::move(options))) {}

Scraper::~Scraper() = default;

void Scraper::Run(const std::function<bool()>& stopping) {
  state_->Run(stopping);
}

void Scraper::Reload() { state_->Learn(false); }

ScraperCounts Scraper::counts() const { return state_->counts(); }

}  // namespace wallprof::pgo
