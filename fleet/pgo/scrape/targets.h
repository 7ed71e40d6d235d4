// Whom to scrape, as it is known now.
#ifndef WALLPROF_FLEET_PGO_SCRAPE_TARGETS_H_
#define WALLPROF_FLEET_PGO_SCRAPE_TARGETS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace wallprof::pgo {

struct Target {
  std::string address;  // "http://10.0.0.7:6060"
  std::string path;     // "/debug/pprof/profile" where nothing else is said
  std::string version;  // of the program, where it is known; or empty
};

inline bool operator==(const Target& a, const Target& b) {
  return a.address == b.address && a.path == b.path && a.version == b.version;
}

inline constexpr char kDefaultTargetPath[] = "/debug/pprof/profile";

// The target of an address, which may end with slashes, and a path, which may
// lack its first one, be empty for the default, and have a query.
// InvalidArgument saying what is wrong with them.
absl::StatusOr<Target> MakeTarget(std::string address, std::string path,
                                  std::string version = "");

// Where to ask it for a profile of so many seconds.
std::string ProfileUrl(const Target& target, int64_t seconds);

// As it is shown: without a user's name and password.
std::string ShownTarget(const Target& target);

// In the order of their addresses and paths, each once.
std::vector<Target> EachOnce(std::vector<Target> targets);

// Thread-safe.
class TargetSource {
 public:
  virtual ~TargetSource() = default;

  // "file:///etc/targets.json", "kubernetes", "nomad", "consul".
  virtual std::string name() const = 0;

  // All targets of the application, as EachOnce() has them. Where that cannot
  // be known now, why; the caller goes on with what it knew.
  virtual absl::StatusOr<std::vector<Target>> List() = 0;

  // How List() would go now; within seconds.
  virtual absl::Status Check() = 0;
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_TARGETS_H_
