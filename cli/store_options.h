// The options of verbs that keep profiles: where, and for how long.
#ifndef WALLPROF_CLI_STORE_OPTIONS_H_
#define WALLPROF_CLI_STORE_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "fleet/store/profile_store.h"

namespace wallprof::cli {

// As given; Options() has them as the store takes them.
class StoreArguments {
 public:
  // Adds the options to `verb`; `*this` must outlive it.
  void AddTo(CLI::App& verb);

  // Throws a CLI::ValidationError where they do not go together.
  store::StoreOptions Options() const;

 private:
  std::string directory_;
  std::string blobs_;
  std::string index_;
  std::string max_age_;
  double max_gib_ = 0;
  std::vector<std::string> thin_;
};

}  // namespace wallprof::cli

#endif  // WALLPROF_CLI_STORE_OPTIONS_H_
