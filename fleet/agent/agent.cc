#include "wallprof/agent.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/labels.h"
#include "fleet/agent/outbox.h"
#include "fleet/agent/schedule.h"
#include "fleet/agent/sender.h"
#include "fleet/agent/sending.h"
#include "fleet/agent/socket_exchange.h"
#include "fleet/agent/taking.h"
#include "fleet/agent/tally.h"
#include "fleet/agent/url.h"
#include "fleet/agent/with_token.h"
#include "fleet/calls/calls.h"
#include "fleet/log/log_line.h"

namespace wallprof {
namespace {

constexpr char kTakingThread[] = "wallprof-agent";
constexpr char kSendingThread[] = "wallprof-send";
constexpr char kCallsThread[] = "wallprof-calls";

constexpr char kInstance[] = "instance";

// A profile that is longer than this is no longer one of "now and then", and
// what it has waits that long to be seen.
constexpr absl::Duration kLongestWindow = absl::Hours(1);

// Of a label; longer ones do not fit into a request line.
constexpr size_t kMaxLabelBytes = 1024;

absl::Status Wrong(const char* field, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(field, " ", std::string(why)));
}

absl::Status CheckLabels(const char* field, const AgentLabels& labels) {
  for (const auto& [key, value] : labels) {
    if (key.empty()) return Wrong(field, "has a label without a key");
    if (key.size() + value.size() > kMaxLabelBytes) {
      return Wrong(field, absl::StrCat("has a label of more than ",
                                       kMaxLabelBytes, " bytes"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCollector(const AgentOptions& options) {
  const absl::StatusOr<agent::Url> url = agent::ParseUrl(options.collector);
  if (!url.ok()) return Wrong("collector", std::string(url.status().message()));
  if (options.collector.find('?') != std::string::npos) {
    return Wrong("collector", "has a query (?...), which is the agent's");
  }
  if (url->scheme == "https" && !options.exchange) {
    return Wrong("collector",
                 "is https, which needs an exchange of the program's");
  }
  if (!std::all_of(options.token.begin(), options.token.end(),
                   [](unsigned char c) { return absl::ascii_isgraph(c); })) {
    return Wrong("token", "has characters that may not be in a header");
  }
  return absl::OkStatus();
}

AgentExchange ExchangeOf(const AgentOptions& options) {
  return agent::WithToken(
      options.exchange ? options.exchange : agent::ExchangeOverSocket,
      [token = options.token] { return token; });
}

AgentLabels LabelsOf(const AgentOptions& options) {
  AgentLabels labels = options.labels;
  if (!agent::HasLabel(labels, kInstance)) {
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    labels.emplace_back(kInstance, absl::StrCat(host, "-", getpid()));
  }
  return agent::WithoutEmpty(labels);
}

}  // namespace

absl::Status AgentOptions::Validate() const {
  if (absl::Status status = CheckCollector(*this); !status.ok()) return status;
  if (service.empty()) return Wrong("service", "must not be empty");
  if (absl::Status status = CheckLabels("labels", labels); !status.ok()) {
    return status;
  }
  for (const AgentSource& source : sources) {
    if (source.type.empty() || !source.take) {
      return Wrong("sources", "has one without a type or a function");
    }
    if (absl::Status status = CheckLabels("sources", source.labels);
        !status.ok()) {
      return status;
    }
  }
  if (!wall && !cpu && !offcpu && !lock_waits && sources.empty()) {
    return Wrong("wall, cpu, offcpu, lock_waits and sources",
                 "are all off; there is nothing to take");
  }
  if (window <= absl::ZeroDuration() || window > kLongestWindow) {
    return Wrong("window", "must be above zero and at most an hour");
  }
  if (interval < window) return Wrong("interval", "must not be below window");
  if (send_timeout <= absl::ZeroDuration()) {
    return Wrong("send_timeout", "must be above zero");
  }
  if (spool_bytes <= 0) return Wrong("spool_bytes", "must be above zero");
  if (memory_bytes <= 0) return Wrong("memory_bytes", "must be above zero");
  if (spool_age <= absl::ZeroDuration()) {
    return Wrong("spool_age", "must be above zero");
  }
  return absl::OkStatus();
}

// --- state -------------------------------------------------------------------

class Agent::State {
 public:
  State(AgentOptions options, Profiler& profiler);

  // Starts the threads, those with the program's descriptors first.
  absl::Status Start();

  // Whether this is the process that the agent runs in.
  bool IsHere() const { return pid_ == getpid(); }

  void Stop();

  AgentStatistics Stats() const { return tally_.Get(); }

 private:
  // Body of the thread that takes profiles. What it makes has descriptors of
  // the private table, and is destroyed there.
  void Take();
  void TakeUntilStopped();
  void Ended();  // one of the threads
  AgentOptions OptionsOnCalls();

  const AgentOptions options_;
  const AgentOptions own_;  // the same; but calls the program on `calls_`
  const pid_t pid_ = getpid();
  Profiler& profiler_;
  const agent::Clock clock_;
  agent::Tally tally_;
  fleet::Calls calls_;
  agent::Stop stop_;
  agent::Taking taking_;
  agent::Outbox outbox_;
  agent::Sending sending_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool calls_run_ = false;
  int running_ = 0;  // of the others
};

Agent::State::State(AgentOptions options, Profiler& profiler)
    : options_(std::move(options)),
      own_(OptionsOnCalls()),
      profiler_(profiler),
      stop_(clock_),
      taking_(own_, LabelsOf(options_), profiler, stop_, tally_),
      outbox_({options_.service, options_.spool_dir, options_.spool_bytes,
               options_.spool_age, options_.memory_bytes},
              clock_, tally_, own_.log),
      sending_(outbox_,
               {options_.collector, ExchangeOf(options_), options_.send_timeout,
                own_.log},
               clock_, tally_, stop_) {}

AgentOptions Agent::State::OptionsOnCalls() {
  AgentOptions own = options_;
  if (options_.log) {
    own.log = [this](std::string_view line) {
      calls_.Post([this, text = std::string(line)] { options_.log(text); });
    };
  }
  for (AgentSource& source : own.sources) {
    source.take = [this, take = source.take] {
      absl::StatusOr<std::string> taken;
      calls_.Do([&] { taken = take(); });
      return taken;
    };
  }
  return own;
}

absl::Status Agent::State::Start() {
  absl::Status status;
  if (options_.log || !options_.sources.empty()) {
    status = profiler_.RunUnsampled(kCallsThread, [this] { calls_.Run(); });
    if (!status.ok()) return status;
    calls_run_ = true;
  }
  const auto send = [this] {
    sending_.Run();
    Ended();
  };
  running_ = 2;
  // Who sends for himself does so with his own descriptors.
  status = options_.exchange ? profiler_.RunUnsampled(kSendingThread, send)
                             : profiler_.RunPrivately(kSendingThread, send);
  if (!status.ok()) Ended();
  if (status.ok()) {
    status = profiler_.RunPrivately(kTakingThread, [this] {
      Take();
      Ended();
    });
  }
  if (!status.ok()) {
    Ended();
    Stop();
  }
  return status;
}

void Agent::State::Ended() {
  std::lock_guard lock(mutex_);
  --running_;
  changed_.notify_all();
}

void Agent::State::Stop() {
  stop_.Raise();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return running_ == 0; });
  if (calls_run_) calls_.Finish();
}

void Agent::State::Take() {
  outbox_.Open();
  sending_.Wake();
  fleet::LogLine("started")
      .Add("collector", options_.collector)
      .Add("service", options_.service)
      .To(own_.log);
  TakeUntilStopped();
  sending_.AwaitEnd();
  outbox_.Close();
}

void Agent::State::TakeUntilStopped() {
  const agent::Schedule schedule(options_.interval, agent::NewRandom());
  absl::Time next = clock_.Steady() + schedule.First();
  while (!stop_.WaitUntil(next)) {
    const absl::Time start = clock_.Steady();
    taking_.TakeAll([this](agent::Parcel parcel) {
      outbox_.Put(std::move(parcel));
      sending_.Wake();
    });
    next = start + schedule.Next();
  }
}

// --- agent -------------------------------------------------------------------

Agent::Agent(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<Agent>> Agent::Start(AgentOptions options,
                                                    Profiler& profiler) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  auto state = std::make_unique<State>(std::move(options), profiler);
  if (absl::Status status = state->Start(); !status.ok()) return status;
  return std::unique_ptr<Agent>(new Agent(std::move(state)));
}

Agent::~Agent() {
  if (state_->IsHere()) {
    state_->Stop();
  } else {
    // Its threads are the parent's, and may have held any of its locks.
    (void)state_.release();
  }
}

void Agent::Stop() {
  if (state_->IsHere()) state_->Stop();
}

AgentStatistics Agent::Stats() const {
  return state_->IsHere() ? state_->Stats() : AgentStatistics();
}

}  // namespace wallprof
