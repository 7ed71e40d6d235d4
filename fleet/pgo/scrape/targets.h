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

// Thread-safe.
class TargetSource {
 public:
  virtual ~TargetSource() = default;

  // "file:///etc/targets.json", "kubernetes", "nomad", "consul".
  virtual std::string name() const = 0;

  // All targets of the application, in the order of their addresses, each once.
  // Where that cannot be known now, why; the caller goes on with what it knew.
  virtual absl::StatusOr<std::vector<Target>> List() = 0;

  // How the last List() went, or for those that wait for none how it would go
  // now.
  virtual absl::Status Check() = 0;

  // SIGHUP came.
  virtual void Reload() {}
};

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_SCRAPE_TARGETS_H_
