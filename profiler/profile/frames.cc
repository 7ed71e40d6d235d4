#include "profiler/profile/frames.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wallprof {
namespace {

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Whether the two bytes at `i` are a control character from U+0080 on. U+0085
// among them ends a line to many readers.
bool IsWideControl(std::string_view text, size_t i) {
  return text[i] == '\xc2' && i + 1 < text.size() &&
         static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
         static_cast<unsigned char>(text[i + 1]) < 0xa0;
}

std::string CleanFrame(std::string name) {
  size_t size = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    bool wide = IsWideControl(name, i);
    bool bad = wide || name[i] == ';' || IsControl(name[i]);
    name[size++] = bad ? '_' : name[i];
    if (wide) ++i;
  }
  name.resize(size);
  return name;
}

// What demanglers append for copies of a function that the compiler made. To
// a reader they are the function.
constexpr char kCloneSuffix[] = " [clone ";

std::string NameOf(const Function& function) {
  const std::string& name =
      function.name.empty() ? function.system_name : function.name;
  return name.substr(0, name.find(kCloneSuffix));
}

// " (server.cc:12)"; empty if the line or the file is not known.
std::string LineOf(const Function& function, const Line& line) {
  if (line.line == 0 || function.filename.empty()) return "";
  const std::string& path = function.filename;
  // npos + 1 is 0, for a name without folders.
  return absl::StrCat(" (", path.substr(path.rfind('/') + 1), ":", line.line,
                      ")");
}

// "libc.so.6+0x891f4", which does not depend on where the file was loaded.
std::string PlaceOf(const Location& location, const Mapping* mapping) {
  if (mapping == nullptr || mapping->filename.empty()) {
    return absl::StrCat("0x", absl::Hex(location.address));
  }
  const std::string& path = mapping->filename;
  // npos + 1 is 0, for a name without folders.
  return absl::StrCat(
      path.substr(path.rfind('/') + 1), "+0x",
      absl::Hex(location.address - mapping->start + mapping->file_offset));
}

}  // namespace

uint32_t FrameNames::NumberOf(std::string name) {
  auto [known, is_new] = numbers_.try_emplace(
      CleanFrame(std::move(name)), static_cast<uint32_t>(names_.size()));
  if (is_new) names_.push_back(known->first);
  return known->second;
}

Frames::Frames(const Profile& profile, bool lines)
    : locations_(profile.locations), by_id_(profile.locations) {
  ById<Mapping> mappings(profile.mappings);
  ById<Function> functions(profile.functions);
  begins_.reserve(locations_.size() + 1);
  for (const Location& location : locations_) {
    begins_.push_back(frames_.size());
    AddLocation(location, mappings, functions, lines);
  }
  begins_.push_back(frames_.size());
}

void Frames::AddLocation(const Location& location,
                         const ById<Mapping>& mappings,
                         const ById<Function>& functions, bool lines) {
  std::string place = PlaceOf(location, mappings.Find(location.mapping_id));
  if (location.lines.empty()) {
    frames_.push_back(names_.NumberOf(std::move(place)));
    return;
  }
  for (auto line = location.lines.rbegin(); line != location.lines.rend();
       ++line) {
    const Function* function = functions.Find(line->function_id);
    std::string name = function == nullptr ? "" : NameOf(*function);
    if (name.empty()) name = place;
    if (lines && function != nullptr) name += LineOf(*function, *line);
    frames_.push_back(names_.NumberOf(std::move(name)));
  }
}

void Frames::AppendStack(const Sample& sample,
                         std::vector<uint32_t>& stack) const {
  for (auto id = sample.location_ids.rbegin(); id != sample.location_ids.rend();
       ++id) {
    const Location* location = by_id_.Find(*id);
    if (location == nullptr) continue;
    size_t place = location - locations_.data();
    stack.insert(stack.end(), frames_.begin() + begins_[place],
                 frames_.begin() + begins_[place + 1]);
  }
}

}  // namespace wallprof
