#include "absl/strings/str_cat.h"
#include "profiler/encode/flame/flame_graph.h"
#include "profiler/encode/flame/scripts.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

constexpr char kEnd[] = "</svg>\n";

}  // namespace

std::string EncodeSvg(const Profile& profile,
                      const FlameGraphOptions& options) {
  std::string svg = DrawFlameGraph(profile, options);
  svg.resize(svg.size() - (sizeof(kEnd) - 1));
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", svg,
                      "<script><![CDATA[\n", kFlameScript, "]]></script>\n",
                      kEnd);
}

}  // namespace wallprof
