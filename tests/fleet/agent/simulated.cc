#include "tests/fleet/agent/simulated.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fleet/agent/labels.h"
#include "fleet/agent/taking.h"

namespace wallprof::agent {
namespace {

std::map<std::string, std::string> QueryOf(const std::string& url) {
  std::map<std::string, std::string> query;
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(url, absl::MaxSplits('?', 1));
  for (absl::string_view pair : absl::StrSplit(parts.second, '&')) {
    const std::pair<std::string, std::string> value =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    query[value.first] = Unescape(value.second);
  }
  return query;
}

AgentAnswer Answered(int status, const std::string& body,
                     const std::string& error = "") {
  AgentAnswer answer;
  answer.result = AgentAnswer::Result::kAnswered;
  answer.status = status;
  answer.body = absl::StrCat("{\"code\":", status);
  if (!body.empty()) absl::StrAppend(&answer.body, ",\"body\":", body);
  if (!error.empty())
    absl::StrAppend(&answer.body, ",\"error\":\"", error, "\"");
  answer.body += "}";
  return answer;
}

AgentAnswer Failed(AgentAnswer::Result result) {
  AgentAnswer answer;
  answer.result = result;
  answer.error = "the network is as networks are";
  return answer;
}

bool IsPost(const AgentRequest& request) { return request.method == "POST"; }

}  // namespace

AgentExchange SimulatedCollector::exchange() {
  return [this](const AgentRequest& request) { return Answer(request); };
}

AgentAnswer SimulatedCollector::Answer(const AgentRequest& request) {
  requests.push_back(request.method + " " + request.url);
  Fault now = fault;
  const auto id = request.headers.find("X-Wallprof-Profile-Id");
  if (id != request.headers.end() && fault_of.count(id->second) != 0) {
    now = fault_of[id->second];
  } else if (!faults.empty() && IsPost(request)) {
    now = faults.front();
    faults.pop_front();
  }
  switch (now) {
    case Fault::kNone:
      return Do(request);
    case Fault::kNoConnection:
      return Failed(AgentAnswer::Result::kNotSent);
    case Fault::kLost:
      Do(request);
      return Failed(AgentAnswer::Result::kBroken);
    case Fault::kDropped:
      return Failed(AgentAnswer::Result::kBroken);
    case Fault::kError:
      return Answered(500, "", "failed to collect profile");
    case Fault::kTooLarge:
      return Answered(413, "", "too large");
    case Fault::kGateway:
      return Answered(502, "");
    case Fault::kThrottled: {
      AgentAnswer answer = Answered(429, "", "too many");
      answer.headers["retry-after"] = "600";
      return answer;
    }
    case Fault::kWebPage: {
      AgentAnswer answer = Answered(200, "");
      answer.body = "<html>Log in</html>";
      return answer;
    }
  }
  return Failed(AgentAnswer::Result::kNotSent);
}

AgentAnswer SimulatedCollector::Do(const AgentRequest& request) {
  if (absl::StrContains(request.url, "/api/0/version")) {
    std::string names;
    for (const std::string& type : types) {
      absl::StrAppend(&names, names.empty() ? "" : ",", "\"", type, "\"");
    }
    return Answered(200, types.empty()
                             ? "{\"version\":\"x\"}"
                             : absl::StrCat("{\"types\":[", names, "]}"));
  }
  const std::map<std::string, std::string> query = QueryOf(request.url);
  if (!IsPost(request)) {
    return can_list ? Find(query) : Answered(400, "", "not here");
  }
  stored.push_back({request.headers.at("X-Wallprof-Profile-Id"), query,
                    std::string(request.body)});
  return Answered(200, absl::StrCat("{\"id\":\"", stored.size(), "\"}"));
}

AgentAnswer SimulatedCollector::Find(
    const std::map<std::string, std::string>& query) const {
  std::string found;
  for (const Stored& profile : stored) {
    const std::string& created = profile.query.at("created_at");
    if (created < query.at("from") || created > query.at("to") ||
        profile.query.at("type") != query.at("type") ||
        profile.query.at("service") != query.at("service")) {
      continue;
    }
    absl::StrAppend(&found, found.empty() ? "" : ",", "{\"created_at\":\"",
                    created, "Z\"}");
  }
  return found.empty() ? Answered(404, "", "nothing found")
                       : Answered(200, absl::StrCat("[", found, "]"));
}

TestDirectory::TestDirectory() {
  std::string name = ::testing::TempDir() + "agent-XXXXXX";
  path_ = mkdtemp(name.data());
}

std::vector<std::string> TestDirectory::Files(const std::string& suffix) const {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& file :
       std::filesystem::directory_iterator(path_ + "/svc", none)) {
    std::string name = file.path().filename();
    if (absl::EndsWith(name, suffix)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

int64_t TestDirectory::Bytes() const {
  int64_t bytes = 0;
  for (const std::string& name : Files("")) {
    bytes += static_cast<int64_t>(
        std::filesystem::file_size(path_ + "/svc/" + name));
  }
  return bytes;
}

OutboxOptions InMemory() {
  return {"svc", "", 1 << 20, absl::Hours(24), 1 << 20};
}

OutboxOptions Spooled(const std::string& directory) {
  OutboxOptions options = InMemory();
  options.spool_dir = directory;
  return options;
}

SimulatedAgent::SimulatedAgent(SimulatedClock& clock,
                               SimulatedCollector& collector,
                               OutboxOptions options)
    : clock(clock),
      outbox(std::move(options), clock, tally,
             [this](std::string_view line) { log.emplace_back(line); }),
      client("http://collector", collector.exchange(), absl::Seconds(30), clock,
             [this] { return stopped; }),
      sender(
          outbox, client, clock, [] { return 0.5; }, tally,
          [this](std::string_view line) { log.emplace_back(line); }) {
  outbox.Open();
}

std::string SimulatedAgent::Put(const std::string& type, size_t bytes) {
  Parcel parcel{NewParcelId(),       "svc",       type,
                {{"instance", "a"}}, clock.Now(), std::string(bytes, 'x')};
  const std::string id = parcel.id;
  tally.Update([](AgentStatistics& s) { ++s.taken; });
  outbox.Put(std::move(parcel));
  return id;
}

void SimulatedAgent::RunUntil(absl::Time steady) {
  for (;;) {
    const absl::Time next = sender.Step();
    if (next >= steady) break;
    if (next > clock.Steady()) clock.Advance(next - clock.Steady());
  }
  clock.Advance(steady - clock.Steady());
}

}  // namespace wallprof::agent
