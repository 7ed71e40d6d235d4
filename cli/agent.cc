#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/curl_exchange.h"
#include "cli/fetch_url.h"
#include "cli/settings.h"
#include "cli/token_file.h"
#include "cli/verb.h"
#include "fleet/agent/labels.h"
#include "fleet/agent/outbox.h"
#include "fleet/agent/schedule.h"
#include "fleet/agent/scraping.h"
#include "fleet/agent/sending.h"
#include "fleet/agent/url.h"
#include "fleet/agent/with_token.h"
#include "fleet/log/log_line.h"

namespace wallprof::cli {
namespace {

using fleet::LogLine;

constexpr char kVariablePrefix[] = "WALLPROF_AGENT_";

// An answer to an upload is a line; a list of profiles is longer.
constexpr size_t kMaxCollectorAnswer = size_t{4} << 20;

struct Arguments {
  std::string collector;
  std::string service;
  std::vector<std::string> labels;
  std::vector<std::string> targets;
  std::vector<std::string> types = {"wall", "cpu"};
  std::string interval = "1m";
  std::string window = "10s";
  std::string send_timeout = "30s";
  std::string spool_dir = absl::StrCat("/var/tmp/wallprof-agent-", geteuid());
  std::string spool_age = "24h";
  int64_t spool_mib = 64;
  int64_t memory_mib = 16;
  std::string token_file;
  std::string certificates;
};

// A line for each event, with the time; written at once, so that lines of
// several threads stay apart.
void WriteLog(std::string_view line) {
  const std::string text =
      absl::StrCat("time=",
                   absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(),
                                    absl::UTCTimeZone()),
                   " ", std::string(line), "\n");
  // There is nowhere to say that this failed.
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, text.data(), text.size());
}

std::string CheckType(const std::string& text) {
  return agent::IsScrapedType(text)
             ? ""
             : absl::StrCat(text, " is none of ", agent::kScrapedTypes);
}

std::string CheckLabel(const std::string& text) {
  const size_t equals = text.find('=');
  return equals != std::string::npos && equals > 0
             ? ""
             : absl::StrCat(text, " is not KEY=VALUE");
}

std::string CheckCollector(const std::string& text) {
  const auto url = agent::ParseUrl(text);
  return url.ok() ? "" : std::string(url.status().message());
}

std::string CheckTarget(const std::string& text) {
  const auto url = MakeFetchUrl(text, {});
  return url.ok() ? "" : std::string(url.status().message());
}

AgentLabels LabelsOf(const Arguments& arguments, const std::string& target) {
  AgentLabels labels;
  for (const std::string& label : arguments.labels) {
    const size_t equals = label.find('=');
    labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  constexpr char kInstance[] = "instance";
  if (!agent::HasLabel(labels, kInstance)) {
    const absl::StatusOr<agent::Url> url = agent::ParseUrl(target);
    labels.emplace_back(kInstance, url.ok() ? url->authority : target);
  }
  return agent::WithoutEmpty(labels);
}

AgentExchange NewCollectorExchange(const Arguments& arguments) {
  return agent::WithToken(
      NewCurlExchange({"", arguments.certificates, kMaxCollectorAnswer}),
      [path = arguments.token_file] {
        return path.empty() ? "" : ReadToken(path);
      });
}

// Everything that runs, until it is stopped.
class RunningAgent {
 public:
  explicit RunningAgent(const Arguments& arguments)
      : arguments_(arguments),
        outbox_(
            {arguments.service, arguments.spool_dir, arguments.spool_mib << 20,
             DurationOf(arguments.spool_age), arguments.memory_mib << 20},
            clock_, tally_, WriteLog),
        stop_(clock_),
        sending_(outbox_,
                 {arguments.collector, NewCollectorExchange(arguments),
                  DurationOf(arguments.send_timeout), WriteLog},
                 clock_, tally_, stop_) {}

  void Start() {
    outbox_.Open();
    threads_.emplace_back([this] { sending_.Run(); });
    for (const std::string& target : arguments_.targets) {
      threads_.emplace_back([this, &target] { ScrapeUntilStopped(target); });
    }
  }

  void Stop() {
    stop_.Raise();
    for (std::thread& thread : threads_) thread.join();
    outbox_.Close();
  }

  AgentStatistics Stats() const { return tally_.Get(); }

 private:
  void ScrapeUntilStopped(const std::string& target);

  const Arguments& arguments_;
  const agent::Clock clock_;
  agent::Tally tally_;
  agent::Outbox outbox_;
  agent::Stop stop_;
  agent::Sending sending_;
  std::vector<std::thread> threads_;
};

void RunningAgent::ScrapeUntilStopped(const std::string& target) {
  // Was checked with the arguments.
  const FetchUrl url = MakeFetchUrl(target, {}).value_or(FetchUrl());
  agent::Scraping scraping(
      {url.url, arguments_.service,
       LabelsOf(arguments_, url.unix_socket.empty() ? url.url : target),
       arguments_.types, DurationOf(arguments_.window)},
      NewCurlExchange(
          {url.unix_socket, arguments_.certificates, agent::kMaxParcelBytes}),
      clock_, stop_, tally_, WriteLog);
  const agent::Schedule schedule(DurationOf(arguments_.interval),
                                 agent::NewRandom());
  absl::Time next = clock_.Steady() + schedule.First();
  while (!stop_.WaitUntil(next)) {
    const absl::Time start = clock_.Steady();
    scraping.ScrapeAll([this](agent::Parcel parcel) {
      outbox_.Put(std::move(parcel));
      sending_.Wake();
    });
    next = start + schedule.Next();
  }
}

void LogStopped(const AgentStatistics& s) {
  LogLine("stopped")
      .Add("taken", s.taken)
      .Add("sent", s.sent)
      .Add("left", s.left)
      .Add("adopted", s.adopted)
      .Add("failed", s.lost.failed)
      .Add("empty", s.lost.empty)
      .Add("refused", s.lost.refused)
      .Add("overflow", s.lost.overflow)
      .Add("expired", s.lost.expired)
      .Add("unknown", s.lost.unknown)
      .Add("corrupt", s.lost.corrupt)
      .Add("lost_at_stop", s.lost.stopped)
      .To(WriteLog);
}

absl::Status Run(const Arguments& arguments) {
  if (DurationOf(arguments.interval) < DurationOf(arguments.window)) {
    throw CLI::ValidationError("--interval", "is less than --window");
  }
  signal(SIGPIPE, SIG_IGN);
  // Threads inherit that these are blocked; this one takes them.
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, signal);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  RunningAgent agent(arguments);
  agent.Start();
  LogLine("started")
      .Add("collector", arguments.collector)
      .Add("service", arguments.service)
      .Add("targets", static_cast<int64_t>(arguments.targets.size()))
      .Add("spool", arguments.spool_dir)
      .To(WriteLog);
  int received = 0;
  while (sigwait(&ends, &received) != 0) {
  }
  agent.Stop();
  LogStopped(agent.Stats());
  return absl::OkStatus();
}

void AddWhat(CLI::App& verb, Arguments& a) {
  verb.add_option("--collector", a.collector,
                  "The collector's URL: http or https")
      ->required()
      ->check(CheckCollector);
  verb.add_option("--service", a.service, "What the programs are called")
      ->required();
  verb.add_option("--label", a.labels,
                  "KEY=VALUE of all profiles; several may be given, or "
                  "joined by commas. instance=HOST:PORT of the target is "
                  "added; instance= leaves it out")
      ->delimiter(',')
      ->check(CheckLabel);
  verb.add_option("--target", a.targets,
                  "A program that serves /debug/pprof/: "
                  "HOST:PORT, unix:/path or a URL; several may "
                  "be given, or joined by commas")
      ->required()
      ->delimiter(',')
      ->check(CheckTarget);
  verb.add_option("--profile", a.types,
                  absl::StrCat("What to ask for, of ", agent::kScrapedTypes))
      ->delimiter(',')
      ->capture_default_str()
      ->check(CheckType);
}

void AddHow(CLI::App& verb, Arguments& a) {
  verb.add_option("--interval", a.interval,
                  "From one profile of a kind to the next, give "
                  "or take a tenth")
      ->capture_default_str()
      ->check(CheckDuration);
  verb.add_option("--window", a.window, "How long each profile takes")
      ->capture_default_str()
      ->check(CheckDuration);
  verb.add_option("--send-timeout", a.send_timeout,
                  "How long one send may take")
      ->capture_default_str()
      ->check(CheckDuration);
  verb.add_option("--spool-dir", a.spool_dir,
                  "Where profiles wait while the collector is "
                  "away; empty: in memory")
      ->capture_default_str();
  verb.add_option("--spool-mib", a.spool_mib,
                  "How much may wait there, in MiB; beyond it "
                  "the oldest are dropped")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb.add_option("--spool-age", a.spool_age, "How old what waits may become")
      ->capture_default_str()
      ->check(CheckDuration);
  verb.add_option("--memory-mib", a.memory_mib,
                  "How much may wait in memory, in MiB")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb.add_option("--token-file", a.token_file,
                  "File of the collector's token, that allows to write; read "
                  "for each send")
      ->check(CheckTokenFile)
      ->type_name("FILE");
  verb.add_option("--cacert", a.certificates,
                  "File of the certificates to trust, instead of "
                  "the system's")
      ->check(CLI::ExistingFile);
}

}  // namespace

void AddAgent(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddVerb(
      program, "agent",
      "Profiles programs that serve their profiles, now and then, and sends "
      "the profiles to a collector. Events are lines on standard error. Ends "
      "with SIGTERM",
      exit_status, [arguments] { return Run(*arguments); });
  AddConfigFile(*verb);
  AddWhat(*verb, *arguments);
  AddHow(*verb, *arguments);
  AddVariables(*verb, {kVariablePrefix});
}

}  // namespace wallprof::cli
