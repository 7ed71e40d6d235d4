#include "fleet/pgo/export/export.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fleet/pgo/export/autofdo_text.h"
#include "fleet/pgo/export/code_table.h"
#include "fleet/pgo/export/go.h"
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

void Describe(const CodeTable& table, ExportReport& report) {
  report.written = table.figures.written;
  report.dropped = table.figures.dropped;
  report.density = table.density;
  ExportReport::Content& content = report.content.emplace();
  content.placed = table.figures.placed;
  content.functions = static_cast<int64_t>(table.functions.size());
  content.thin_functions = table.figures.thin_functions;
  content.targets = table.figures.targets;
  content.unnamed_copies = table.figures.unnamed_copies;
  for (const auto& [name, function] : table.functions) {
    CountPlaces(function, content);
  }
  if (table.discriminators == Discriminators::kIgnored) {
    report.notes.push_back(
        "the binary was built by GCC, whose discriminators mean nothing to "
        "clang: pieces of code of one line are not told apart");
  }
  for (const std::string& phrase : table.missing) {
    report.notes.push_back(phrase);
  }
}

absl::Status NothingWritten(const ExportReport& report,
                            const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": nothing of the profile can be written. ", ToText(report)));
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
  absl::StatusOr<CodeTable> table =
      TableOfCode(*counts, image, options.binary, options.debug_places);
  if (!table.ok()) return table.status();
  Describe(*table, report);
  if (report.written == 0) return NothingWritten(report, options.binary);
  exported.bytes = LlvmText(table->functions);
  return exported;
}

}  // namespace

absl::StatusOr<Exported> Export(Profile profile, const ExportOptions& options) {
  if (absl::Status s = KeepOnCpu(profile); !s.ok()) return s;
  if (options.format == ExportFormat::kGo) return ExportGo(profile);
  const absl::StatusOr<std::unique_ptr<ElfImage>> image =
      ElfImage::Open(options.binary);
  if (!image.ok()) {
    return absl::Status(
        image.status().code(),
        absl::StrCat(options.binary, ": ", image.status().message()));
  }
  return ExportCode(profile, **image, options);
}

}  // namespace wallprof::pgo
