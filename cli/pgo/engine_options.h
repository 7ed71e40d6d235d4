// The options of verbs that keep bases: where objects, versions and events are.
#ifndef WALLPROF_CLI_PGO_ENGINE_OPTIONS_H_
#define WALLPROF_CLI_PGO_ENGINE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fleet/pgo/base/base_store.h"
#include "fleet/pgo/events/bus.h"
#include "fleet/pgo/server/health.h"
#include "fleet/pgo/versions/base_versions.h"
#include "wallprof/object_store.h"

namespace wallprof::cli {

// What is open of them. The store knows the two before it.
struct Engines {
  std::unique_ptr<ObjectStore> objects;
  std::unique_ptr<pgo::BaseVersions> versions;
  std::unique_ptr<pgo::EventWriter> writer;
  std::unique_ptr<pgo::EventReader> reader;  // nullptr where none is asked for
  std::unique_ptr<pgo::BaseStore> store;

  // Has all of them checked by `health`, which must not outlive them.
  void AddTo(pgo::Health& health);
};

class EngineArguments {
 public:
  // Adds the options to `verb`, with --event-reader-url if it reads; `*this`
  // must outlive it.
  void AddTo(CLI::App& verb, bool reads);

  // Connects. `cancelled`, which may be empty, ends what waits for the objects'
  // store. Throws a CLI::ValidationError where the options do not go together.
  absl::StatusOr<Engines> Open(std::function<bool()> cancelled) const;

 private:
  std::string VersionsUrl() const;

  std::string objects_;
  std::string versions_;
  std::string writer_;
  std::string reader_;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_PGO_ENGINE_OPTIONS_H_
