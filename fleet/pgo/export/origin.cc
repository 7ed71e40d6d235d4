#include "fleet/pgo/export/origin.h"

namespace wallprof::pgo {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

}  // namespace

std::string FileNameOf(std::string_view path) {
  if (path.size() > kDeleted.size() &&
      path.substr(path.size() - kDeleted.size()) == kDeleted) {
    path.remove_suffix(kDeleted.size());
  }
  const size_t slash = path.rfind('/');
  return std::string(slash == path.npos ? path : path.substr(slash + 1));
}

std::string OriginOf(const Mapping* mapping) {
  if (mapping == nullptr) return "no mapping";
  const std::string name = FileNameOf(mapping->filename);
  return name.empty() ? "a mapping without a name" : name;
}

std::string PseudoOriginOf(const Location& location,
                           const ById<Function>& functions) {
  if (!location.lines.empty()) {
    const Function* function =
        functions.Find(location.lines.front().function_id);
    if (function != nullptr && !function->name.empty() &&
        function->name.front() == '[') {
      return function->name;
    }
  }
  return "no address";
}

}  // namespace wallprof::pgo
