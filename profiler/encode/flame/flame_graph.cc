#include "profiler/encode/flame/flame_graph.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "profiler/encode/flame/flame_colors.h"
#include "profiler/encode/flame/flame_tree.h"
#include "profiler/encode/markup.h"
#include "profiler/profile/saturating.h"
#include "profiler/profile/view.h"
#include "profiler/profile/weight_text.h"

namespace wallprof {
namespace {

// In the drawing's units, which are pixels unless a reader scales it.
constexpr double kWidth = 1200;
constexpr double kMargin = 10;
constexpr double kGraphWidth = kWidth - 2 * kMargin;
constexpr double kRowHeight = 18;
constexpr double kFrameHeight = kRowHeight - 1;  // a line between rows
constexpr double kTop = 66;  // title, totals and what the pointer is on above
constexpr double kBottom = 30;  // a note below

// A monospaced character of the font's 11 units.
constexpr double kCharacterWidth = 6.7;
constexpr double kTextInset = 3;
constexpr double kTextDrop = 12.5;  // of the baseline below the frame's top

// A tenth of a pixel is not seen; leaving such frames out keeps a profile of
// fifty thousand stacks a file that browsers open at once.
constexpr double kLeastWidth = 0.1;

constexpr char kStyle[] = R"(<style>
svg.flame { font: 11px monospace; }
svg.flame .title { font: bold 15px sans-serif; }
svg.flame .note { font: 12px sans-serif; fill: #444; }
svg.flame .frame { cursor: pointer; }
svg.flame .frame text { pointer-events: none; }
svg.flame .frame:hover rect { stroke: #222; }
svg.flame .around { opacity: 0.5; }
svg.flame .found rect { fill: #d58be8; }
</style>
)";

// Where a node is drawn.
struct Box {
  const FlameNode* node;
  double x;
  double width;
};

struct Layout {
  std::vector<Box> boxes;
  int depth = 0;
  size_t left_out = 0;
};

Layout Place(const FlameTree& tree) {
  Layout layout;
  double whole = std::max<double>(1, WidthOf(tree.nodes[0]));
  // Where the next node of each depth begins.
  std::vector<double> next = {kMargin};
  for (const FlameNode& node : tree.nodes) {
    double width = kGraphWidth * (WidthOf(node) / whole);
    double x = next[node.depth];
    next.resize(node.depth + 1);
    next.back() += width;
    next.push_back(x);
    if (width < kLeastWidth && node.depth > 0) {
      ++layout.left_out;
      continue;
    }
    layout.boxes.push_back({&node, x, width});
    layout.depth = std::max(layout.depth, node.depth + 1);
  }
  return layout;
}

double ChangeOf(const FlameNode& node) {
  double both = WidthOf(node);
  return both == 0 ? 0 : (static_cast<double>(node.after) - node.before) / both;
}

std::string SignedWeight(int64_t weight, const ValueType& type) {
  return absl::StrCat(weight > 0 ? "+" : "", WeightText(weight, type));
}

std::string SidesText(const FlameNode& node, const ValueType& type) {
  return absl::StrCat(
      "before ", WeightText(node.before, type), ", after ",
      WeightText(node.after, type), ", ",
      SignedWeight(SaturatingSubtract(node.after, node.before), type));
}

// What a reader is told of a frame, below its name.
std::string WeightLine(const FlameTree& tree, const FlameNode& node) {
  if (tree.is_difference) return SidesText(node, tree.type);
  return absl::StrFormat("%s, %.2f%%", WeightWithUnit(node.after, tree.type),
                         Percent(node.after, tree.nodes[0].after));
}

std::string FrameElement(const FlameTree& tree, const Box& box) {
  const std::string& name = tree.names[box.node->name];
  double y = kTop + box.node->depth * kRowHeight;
  std::string color = tree.is_difference ? ColorOfChange(ChangeOf(*box.node))
                                         : ColorOfName(name);
  std::string element = absl::StrFormat(
      "<g class=\"frame\"><title>%s\n%s</title>"
      "<rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%.0f\" rx=\"1\" "
      "fill=\"%s\"/>",
      MarkupText(name), MarkupText(WeightLine(tree, *box.node)), box.x, y,
      box.width, kFrameHeight, color);
  double room = std::max(0.0, box.width - 2 * kTextInset);
  std::string text =
      Shortened(ValidText(name), static_cast<size_t>(room / kCharacterWidth));
  if (!text.empty()) {
    absl::StrAppendFormat(&element, "<text x=\"%.2f\" y=\"%.1f\">%s</text>",
                          box.x + kTextInset, y + kTextDrop, MarkupText(text));
  }
  return element + "</g>\n";
}

std::string Note(double y, std::string_view extra_class,
                 std::string_view text) {
  return absl::StrFormat(
      "<text class=\"note %s\" x=\"%.0f\" y=\"%.0f\">%s</text>\n",
      std::string(extra_class), kMargin, y, MarkupText(text));
}

std::string TotalText(const FlameTree& tree) {
  const FlameNode& root = tree.nodes[0];
  std::string total =
      tree.is_difference
          ? absl::StrCat(SidesText(root, tree.type),
                         "; red has grown, blue has shrunk, a frame is as wide "
                         "as before and after together")
          : absl::StrCat(WeightWithUnit(root.after, tree.type), " in all");
  return absl::StrCat(tree.type.type, " in ", tree.type.unit, ": ", total);
}

}  // namespace

std::string TitleOf(const Profile& profile, const FlameGraphOptions& options) {
  if (!options.title.empty()) return options.title;
  return absl::StrCat("Flame graph: ",
                      ColumnOrDefault(profile, options.view).type.type);
}

std::string DrawFlameGraph(const Profile& profile,
                           const FlameGraphOptions& options) {
  FlameTree tree = BuildFlameTree(profile, options);
  Layout layout = Place(tree);
  double end = kTop + layout.depth * kRowHeight;
  // The script reads the data- attributes, so that it repeats no number.
  std::string svg = absl::StrFormat(
      "<svg class=\"flame\" xmlns=\"http://www.w3.org/2000/svg\" "
      "viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" "
      "data-left=\"%.0f\" "
      "data-width=\"%.0f\" data-least=\"%g\" data-character=\"%g\" "
      "data-inset=\"%g\" data-drop=\"%g\">\n",
      kWidth, end + kBottom, kWidth, end + kBottom, kMargin, kGraphWidth,
      kLeastWidth, kCharacterWidth, kTextInset, kTextDrop);
  absl::StrAppend(&svg, kStyle,
                  "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
  absl::StrAppendFormat(&svg,
                        "<text class=\"title\" x=\"%.0f\" y=\"22\">%s</text>\n",
                        kMargin, MarkupText(TitleOf(profile, options)));
  svg += Note(41, "", TotalText(tree));
  svg += Note(59, "pointed", " ");
  for (const Box& box : layout.boxes) svg += FrameElement(tree, box);
  if (layout.left_out > 0) {
    svg +=
        Note(end + 18, "",
             absl::StrFormat("%d frames narrower than %g pixels are left out",
                             layout.left_out, kLeastWidth));
  }
  return svg + "</svg>\n";
}

}  // namespace wallprof
