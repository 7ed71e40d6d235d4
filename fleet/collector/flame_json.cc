#include "fleet/collector/flame_json.h"

#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_split.h"
#include "wallprof/formats.h"

namespace wallprof::collector {
namespace {

// A tree deeper than this is drawn by nothing, and takes a stack frame a level
// here. What lies below counts for the frame above it.
constexpr int kMaxDepth = 1000;

struct Node {
  int64_t value = 0;
  std::map<std::string, Node, std::less<>> children;
};

Json JsonOf(const std::string& name, Node& node) {
  Json json;
  json["name"] = name;
  json["value"] = node.value;
  if (node.children.empty()) return json;
  Json children = Json::array();
  for (auto& [child_name, child] : node.children) {
    children.push_back(JsonOf(child_name, child));
  }
  json["children"] = std::move(children);
  return json;
}

}  // namespace

Json FlameJson(const Profile& profile, bool threads) {
  FoldedOptions options;
  options.threads = threads;
  const std::string folded = EncodeFolded(profile, options);
  Node root;
  for (absl::string_view line : absl::StrSplit(folded, '\n')) {
    const size_t space = line.rfind(' ');
    if (space == absl::string_view::npos) continue;
    int64_t weight = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), weight);
    Node* node = &root;
    node->value += weight;
    int depth = 0;
    for (absl::string_view frame : absl::StrSplit(line.substr(0, space), ';')) {
      if (++depth > kMaxDepth) break;
      node = &node->children[std::string(frame)];
      node->value += weight;
    }
  }
  return JsonOf("root", root);
}

}  // namespace wallprof::collector
