// What an export is worth, for the person who builds with it.
#ifndef WALLPROF_FLEET_PGO_EXPORT_REPORT_H_
#define WALLPROF_FLEET_PGO_EXPORT_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wallprof::pgo {

// Samples by what is said of them.
using SamplesBy = std::map<std::string, int64_t>;

// Samples are those on a CPU. total = matched + all of `elsewhere`;
// matched = written + all of `dropped`.
struct ExportReport {
  std::string subject;   // what was exported: the binary's name, or "profile"
  std::string build_id;  // of the binary; empty: none
  int64_t total = 0;
  int64_t matched = 0;
  SamplesBy elsewhere;
  int64_t written = 0;
  SamplesBy dropped;

  // What the format has.
  struct Content {
    int64_t placed = 0;          // samples at a place, not for a function alone
    int64_t functions = 0;       // written
    int64_t thin_functions = 0;  // with samples, but too few
    int64_t hot_places = 0;
    int64_t cold_places = 0;  // where none was, in these functions
    int64_t targets = 0;      // of calls
    int64_t unnamed_copies = 0;
  };
  std::optional<Content> content;  // of a format that has functions

  // See density.h; nullopt: not known.
  std::optional<double> density;

  // What else there is to know, a sentence each.
  std::vector<std::string> notes;
};

// Lines for people.
std::string ToText(const ExportReport& report);

}  // namespace wallprof::pgo

#endif  // WALLPROF_FLEET_PGO_EXPORT_REPORT_H_
