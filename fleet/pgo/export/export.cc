#include "fleet/pgo/export/export.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "fleet/pgo/export/autofdo_text.h"
#include "fleet/pgo/export/bolt.h"
#include "fleet/pgo/export/code_table.h"
#include "fleet/pgo/export/gcc_profile.h"
#include "fleet/pgo/export/go.h"
#include "fleet/pgo/export/line_table.h"
#include "fleet/pgo/export/llvm_text.h"
#include "profiler/symbolize/elf_image.h"

namespace wallprof::pgo {
namespace {

using symbolize::ElfImage;

void CountPlaces(const FunctionCounts& function,
                 ExportReport::Content& content) {
  for (const auto& [place, body] : function.body) {
    ++(body.count > 0 ? content.hot_places : content.cold_places);
  }
  for (const auto& [key, inlined] : function.inlined) {
    CountPlaces(inlined, content);
  }
}

void Describe(const FunctionTable& functions, const TableFigures& figures,
              ExportReport& report) {
  report.written = figures.written;
  report.dropped = figures.dropped;
  ExportReport::Content& content = report.content.emplace();
  content.placed = figures.placed;
  content.functions = static_cast<int64_t>(functions.size());
  content.thin_functions = figures.thin_functions;
  content.targets = figures.targets;
  content.unnamed_copies = figures.unnamed_copies;
  for (const auto& [name, function] : functions) {
    CountPlaces(function, content);
  }
}

void Describe(const CodeTable& table, ExportFormat format,
              ExportReport& report) {
  Describe(table.functions, table.figures, report);
  report.density = table.density;
  if (format == ExportFormat::kLlvm &&
      table.discriminators == Discriminators::kIgnored) {
    report.notes.push_back(
        "the binary was built by GCC, whose discriminators mean nothing to "
        "clang: pieces of code of one line are not told apart");
  }
  for (const std::string& phrase : table.missing) {
    report.notes.push_back(phrase);
  }
}

void Describe(const LineTable& table, ExportReport& report) {
  report.total = table.total;
  report.matched = table.matched;
  report.elsewhere = table.elsewhere;
  Describe(table.functions, table.figures, report);
  report.notes.push_back(absl::StrFormat(
      "by functions and lines instead of addresses: %.0f %% of the samples are "
      "in functions that the binary has, %.0f %% of these at lines that it "
      "has. "
      "What was never met is not known to be cold",
      100 * table.known, 100 * table.found));
}

absl::Status NothingWritten(const ExportReport& report,
                            const ExportOptions& options) {
  const std::string reasons = absl::StrJoin(
      report.dropped, ", ", [](std::string* out, const auto& dropped) {
        absl::StrAppend(out, dropped.second, " ", dropped.first);
      });
  const char* advice =
      options.format == ExportFormat::kBolt
          ? "BOLT knows functions by the binary's symbols: do not strip them"
      : report.content->thin_functions > 0
          ? "Sample longer, more often, or more instances"
          : "Debug information of this code is missing: it is in .dwo or .dwp "
            "files that are not here, or the addresses are another program's";
  return absl::FailedPreconditionError(absl::StrCat(
      options.binary, ": none of the ", report.matched,
      " samples in it can be written: ", reasons, ". ", advice,
      report.notes.empty() ? "" : ". ", absl::StrJoin(report.notes, ". ")));
}

void Describe(const BoltProfile& profile, ExportReport& report) {
  report.written = profile.written;
  report.dropped = profile.dropped;
  report.density = profile.density;
  report.content.emplace().functions = profile.functions;
  report.content->placed = profile.written;
  if (!profile.can_move_functions) {
    report.notes.push_back(
        "the binary was linked without -Wl,--emit-relocs: BOLT can order the "
        "blocks of functions, but not functions");
  }
}

absl::StatusOr<Exported> ExportGo(const Profile& profile) {
  absl::StatusOr<std::string> bytes = GoProfile(profile);
  if (!bytes.ok()) return bytes.status();
  Exported exported;
  exported.bytes = *std::move(bytes);
  ExportReport& report = exported.report;
  report.subject = "the profile for Go";
  for (const Sample& sample : profile.samples) report.total += sample.values[0];
  report.matched = report.written = report.total;
  return exported;
}

absl::StatusOr<Exported> ExportLines(const Profile& profile,
                                     const ElfImage& image,
                                     const ExportOptions& options) {
  const absl::StatusOr<LineTable> table =
      TableOfLines(profile, image, options.binary, options.debug_places);
  if (!table.ok()) return table.status();
  Exported exported;
  ExportReport& report = exported.report;
  report.subject = options.binary;
  report.build_id = image.BuildId();
  Describe(*table, report);
  if (report.written == 0) return NothingWritten(report, options);
  exported.bytes = LlvmText(table->functions);
  return exported;
}

absl::StatusOr<Exported> ExportCode(const Profile& profile,
                                    const ElfImage& image,
                                    const ExportOptions& options) {
  absl::StatusOr<CodeCounts> counts =
      CountCode(profile, image, options.binary, options.match);
  if (!counts.ok()) return counts.status();
  Exported exported;
  ExportReport& report = exported.report;
  report.subject = options.binary;
  report.build_id = image.BuildId();
  report.total = counts->total;
  report.matched = counts->matched;
  report.elsewhere = counts->elsewhere;
  if (options.format == ExportFormat::kAutofdoText) {
    exported.bytes = AutofdoText(*counts, image);
    report.written = counts->matched;
    return exported;
  }
  if (options.format == ExportFormat::kBolt) {
    BoltProfile profile = BoltProfileOf(*counts, image);
    Describe(profile, report);
    if (report.written == 0) return NothingWritten(report, options);
    exported.bytes = std::move(profile.text);
    return exported;
  }
  absl::StatusOr<CodeTable> table =
      TableOfCode(*counts, image, options.binary, options.debug_places);
  if (!table.ok()) return table.status();
  if (options.format == ExportFormat::kGcc &&
      table->discriminators != Discriminators::kIgnored) {
    return absl::FailedPreconditionError(absl::StrCat(
        options.binary,
        ": GCC needs a profile of what GCC built, and this was built by "
        "another compiler; --format llvm is for clang"));
  }
  Describe(*table, options.format, report);
  if (report.written == 0) return NothingWritten(report, options);
  exported.bytes = options.format == ExportFormat::kGcc
                       ? GccProfile(table->functions)
                       : LlvmText(table->functions);
  return exported;
}

}  // namespace

absl::StatusOr<Exported> Export(Profile profile, const ExportOptions& options) {
  if (absl::Status s = KeepOnCpu(profile); !s.ok()) return s;
  if (options.format == ExportFormat::kGo) return ExportGo(profile);
  const absl::StatusOr<std::unique_ptr<ElfImage>> image =
      ElfImage::Open(options.binary);
  if (!image.ok()) return image.status();
  if (options.match != Match::kLines) {
    return ExportCode(profile, **image, options);
  }
  if (options.format != ExportFormat::kLlvm) {
    return absl::InvalidArgumentError(
        "functions and lines can be matched for clang's format alone: others "
        "are by address");
  }
  return ExportLines(profile, **image, options);
}

}  // namespace wallprof::pgo
