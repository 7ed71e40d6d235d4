// The profiles of a program that serves them: ours, or one of Go's.
#ifndef WALLPROF_FLEET_AGENT_SCRAPING_H_
#define WALLPROF_FLEET_AGENT_SCRAPING_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fleet/agent/clock.h"
#include "fleet/agent/parcel.h"
#include "fleet/agent/stop.h"
#include "fleet/agent/tally.h"
#include "fleet/log/log_line.h"
#include "wallprof/agent.h"

namespace wallprof::agent {

// What can be scraped, for sentences.
inline constexpr char kScrapedTypes[] =
    "wall, cpu, offcpu, lockwait, heap, block, mutex, goroutine, threadcreate "
    "and trace";

bool IsScrapedType(const std::string& type);

struct ScrapingOptions {
  std::string url;  // of the program; what is asked for is below it
  std::string service;
  AgentLabels labels;
  std::vector<std::string> types;  // in the order in which to ask for them
  absl::Duration window;
};

// For one thread.
class Scraping {
 public:
  // All but `options` and `exchange` must outlive it. `stop` ends a request.
  Scraping(ScrapingOptions options, AgentExchange exchange, const Clock& clock,
           const Stop& stop, Tally& tally, fleet::Log log);

  using Use = std::function<void(Parcel)>;

  // Asks for one profile of each type, one after the other, and gives them to
  // `use`.
  void ScrapeAll(const Use& use);

 private:
  void Scrape(const std::string& type, const Use& use);
  AgentAnswer Ask(const std::string& path) const;
  absl::StatusOr<Parcel> Read(const std::string& type, absl::Time start,
                              AgentAnswer answer) const;
  void Failed(const std::string& type, const absl::Status& status);

  const ScrapingOptions options_;
  const AgentExchange exchange_;
  const Clock& clock_;
  const Stop& stop_;
  Tally& tally_;
  const fleet::Log log_;
  // What the program has not, and when to look again.
  std::map<std::string, absl::Time> missing_until_;
};

}  // namespace wallprof::agent

#endif  // WALLPROF_FLEET_AGENT_SCRAPING_H_
