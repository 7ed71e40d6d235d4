// A profile of what runs, as compilers and linkers read it.
#ifndef WALLPROF_FLEET_PGO_EXPORT_EXPORT_H_
#define WALLPROF_FLEET_PGO_EXPORT_EXPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "fleet/pgo/export/code_counts.h"
#include "fleet/pgo/export/report.h"
#include "profiler/symbolize/debug_locator.h"
#include "wallprof/profile.h"

namespace wallprof::pgo {

enum class ExportFormat {
  kLlvm,         // clang -fprofile-sample-use
  kAutofdoText,  // create_llvm_prof --profiler=text, create_gcov
  kBolt,         // llvm-bolt -nl -data
  kGo,           // go build -pgo
  kGcc,          // gcc -fauto-profile, from GCC 12 on
};

struct ExportOptions {
  ExportFormat format = ExportFormat::kLlvm;
  std::string binary;  // path of the program or library; Go's needs none
  Match match = Match::kBuildId;
  symbolize::DebugPlaces debug_places;
};

struct Exported {
  std::string bytes;  // never of a profile that says nothing
  ExportReport report;
};

// Errors name the binary's path where they are about it, and say what to do:
// the system's if it cannot be read; InvalidArgument if it is no ELF file, or
// the profile none of CPU time; NotFound without debug information;
// FailedPrecondition if the profile is not of it, or nothing of it could be
// written.
absl::StatusOr<Exported> Export(Profile profile, const ExportOptions& options);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_EXPORT_H_
