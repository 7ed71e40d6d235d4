#include "fleet/pgo/export/report.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fleet/pgo/export/density.h"

namespace wallprof::pgo {
namespace {

// Of modules; the rest is told as one.
constexpr size_t kMostTold = 5;

// Programs whose speed was measured had twenty thousand; with some dozens in
// all, whether a function has its ten is chance.
constexpr int64_t kFewSamples = 1000;

constexpr char kSampleMore[] = "Sample longer, more often, or more instances";

int64_t Sum(const SamplesBy& samples) {
  int64_t sum = 0;
  for (const auto& [what, count] : samples) sum += count;
  return sum;
}

// ", 12 elsewhere (libc.so.6 10, [vdso] 2)"; empty where there are none.
std::string Told(const SamplesBy& samples, const std::string& verdict) {
  if (samples.empty()) return "";
  std::vector<std::pair<int64_t, std::string>> sorted;
  for (const auto& [what, count] : samples) sorted.emplace_back(-count, what);
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  int64_t rest = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    const auto& [negative, what] = sorted[i];
    if (i >= kMostTold) {
      rest -= negative;
    } else {
      absl::StrAppend(&text, text.empty() ? "" : ", ", what, " ", -negative);
    }
  }
  if (rest > 0) absl::StrAppend(&text, ", other ", rest);
  return absl::StrCat(", ", Sum(samples), " ", verdict, " (", text, ")");
}

std::string ContentText(const ExportReport& report) {
  const ExportReport::Content& content = *report.content;
  std::string text = absl::StrCat("functions: ", content.functions);
  if (content.thin_functions > 0) {
    absl::StrAppend(&text, ", ", content.thin_functions,
                    " left out with too few samples");
  }
  if (content.hot_places + content.cold_places == 0) return text + "\n";
  absl::StrAppend(&text, "\nplaces:    ", content.hot_places, " met, ",
                  content.cold_places, " cold; ", content.placed, " of ",
                  report.written,
                  " samples at one, the others for their function alone\n");
  if (content.targets > 0) {
    absl::StrAppend(&text, "calls:     ", content.targets, " targets\n");
  }
  if (content.unnamed_copies > 0) {
    absl::StrAppend(&text, "left out:  ", content.unnamed_copies,
                    " inlined copies whose names cannot be written\n");
  }
  return text;
}

std::string DensityText(double density) {
  std::string text =
      absl::StrFormat("density:   %.3g samples by byte of code\n", density);
  if (density < kThinDensity) {
    absl::StrAppendFormat(
        &text,
        "           That is thin: %.0f times as many samples would do. %s.\n",
        std::ceil(kThinDensity / density), kSampleMore);
  }
  return text;
}

}  // namespace

std::string ToText(const ExportReport& report) {
  std::string text = absl::StrCat("exported:  ", report.subject,
                                  report.build_id.empty() ? "" : ", build id ",
                                  report.build_id, "\n");
  absl::StrAppend(&text, "samples:   ", report.total,
                  " on a CPU: ", report.matched, " in it",
                  Told(report.elsewhere, "elsewhere"), "\n");
  absl::StrAppend(&text, "written:   ", report.written,
                  Told(report.dropped, "left out"), "\n");
  if (report.content) text += ContentText(report);
  if (report.density) text += DensityText(*report.density);
  if (report.density && report.written < kFewSamples) {
    absl::StrAppend(&text, "few:       ", report.written,
                    " samples are few, whatever the density: below ",
                    kFewSamples, " chance decides. ", kSampleMore, ".\n");
  }
  for (const std::string& note : report.notes) {
    absl::StrAppend(&text, "note:      ", note, "\n");
  }
  return text;
}

}  // namespace wallprof::pgo
