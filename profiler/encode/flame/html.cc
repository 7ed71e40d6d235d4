#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "profiler/encode/flame/flame_graph.h"
#include "profiler/encode/flame/scripts.h"
#include "profiler/encode/markup.h"
#include "profiler/profile/top_functions.h"
#include "profiler/profile/weight_text.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

// More than anyone reads; the formats for programs have them all.
constexpr size_t kMostRows = 500;

// The policy lets nothing be loaded: the file is all there is.
constexpr char kHead[] = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>%s</title>
<style>
body { margin: 0; display: flex; align-items: flex-start; font: 13px sans-serif; }
svg.flame { flex: 1 1 60%%; min-width: 600px; height: auto; }
.side { flex: 1 1 480px; max-height: 100vh; overflow: auto; padding: 0 10px; }
table { border-collapse: collapse; }
th { position: sticky; top: 0; background: #fff; cursor: pointer; text-align: right; }
th, td { padding: 2px 6px; white-space: nowrap; }
td { text-align: right; border-top: 1px solid #eee; }
th:last-child, td:last-child { text-align: left; font-family: monospace; white-space: normal; overflow-wrap: anywhere; }
tbody tr:hover { background: #f5ecd8; cursor: pointer; }
</style>
</head>
<body>
)";

std::string WeightCell(int64_t weight, const ValueType& type) {
  return absl::StrCat("<td data-value=\"", weight, "\">",
                      WeightText(weight, type), "</td>");
}

std::string ShareCell(int64_t part, int64_t whole) {
  double percent = Percent(part, whole);
  return absl::StrFormat("<td data-value=\"%g\">%.2f%%</td>", percent, percent);
}

std::string TableOf(const TopFunctions& top) {
  std::string table =
      "<div class=\"side\">\n<table class=\"functions\">\n<thead><tr>"
      "<th>self</th><th>self %</th><th>total</th><th>total %</th>"
      "<th>function</th></tr></thead>\n<tbody>\n";
  size_t shown = std::min(kMostRows, top.functions.size());
  for (size_t i = 0; i < shown; ++i) {
    const FunctionWeight& f = top.functions[i];
    absl::StrAppend(&table, "<tr>", WeightCell(f.self, top.type),
                    ShareCell(f.self, top.total), WeightCell(f.total, top.type),
                    ShareCell(f.total, top.total), "<td>", MarkupText(f.name),
                    "</td></tr>\n");
  }
  absl::StrAppend(&table, "</tbody>\n</table>\n");
  if (shown < top.functions.size()) {
    absl::StrAppend(&table, "<p>and ", top.functions.size() - shown,
                    " more</p>\n");
  }
  return table + "</div>\n";
}

}  // namespace

std::string EncodeHtml(const Profile& profile,
                       const FlameGraphOptions& options) {
  return absl::StrCat(
      absl::StrFormat(kHead, MarkupText(TitleOf(profile, options))),
      DrawFlameGraph(profile, options),
      TableOf(ComputeTopFunctions(profile, options.view)), "<script>\n",
      kFlameScript, kTableScript, "</script>\n</body>\n</html>\n");
}

}  // namespace wallprof
