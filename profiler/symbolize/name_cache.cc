#include "profiler/symbolize/name_cache.h"

#include <algorithm>
#include <utility>

#include "profiler/symbolize/demangle.h"

namespace wallprof::symbolize {
namespace {

// A slot of Abseil's flat tables is the value and a control byte.
template <typename Map>
size_t TableBytes(const Map& map) {
  return map.capacity() * (sizeof(typename Map::value_type) + 1);
}

}  // namespace

absl::Span<const CodeFrame> ModuleNames::Find(uint64_t file_offset) const {
  const auto found = by_offset_.find(file_offset);
  if (found == by_offset_.end()) return {};
  return absl::MakeSpan(frames_).subspan(found->second.begin,
                                         found->second.count);
}

void ModuleNames::Add(uint64_t file_offset,
                      const std::vector<FoundFrame>& frames) {
  by_offset_[file_offset] = {static_cast<uint32_t>(frames_.size()),
                             static_cast<uint32_t>(frames.size())};
  for (const FoundFrame& frame : frames) {
    frames_.push_back({Intern(frame), frame.line});
  }
}

const FunctionName* ModuleNames::Intern(const FoundFrame& frame) {
  const auto known =
      by_identity_.find({frame.system_name, frame.filename, frame.start_line});
  if (known != by_identity_.end()) return known->second;
  const auto [filename, is_new] = filenames_.insert(frame.filename);
  const FunctionName& kept = functions_.emplace_back(
      FunctionName{Demangle(frame.system_name), frame.system_name, *filename,
                   frame.start_line, frame.found});
  text_bytes_ += kept.name.capacity() + kept.system_name.capacity() +
                 (is_new ? filename->capacity() + sizeof *filename : 0);
  by_identity_.emplace(kept.identity(), &kept);
  return &kept;
}

size_t ModuleNames::bytes() const {
  return sizeof *this + TableBytes(by_offset_) + TableBytes(by_identity_) +
         frames_.capacity() * sizeof(CodeFrame) +
         functions_.size() * sizeof(FunctionName) +
         filenames_.capacity() * sizeof(void*) + text_bytes_ +
         source_index_.bytes();
}

ModuleNames& NameCache::Module(const std::string& key) {
  std::unique_ptr<Entry>& entry = modules_[key];
  if (entry == nullptr) entry = std::make_unique<Entry>();
  entry->last_use = ++uses_;
  return entry->names;
}

void NameCache::Trim() {
  std::vector<std::pair<uint64_t, std::string>> by_use;
  for (const auto& [key, entry] : modules_) {
    by_use.emplace_back(entry->last_use, key);
  }
  std::sort(by_use.begin(), by_use.end());
  for (const auto& [use, key] : by_use) {
    if (bytes() <= bound_bytes_) return;
    modules_[key]->names.source_index().Clear();
  }
  for (const auto& [use, key] : by_use) {
    if (bytes() <= bound_bytes_) return;
    modules_.erase(key);
  }
}

size_t NameCache::bytes() const {
  size_t bytes = 0;
  for (const auto& [key, entry] : modules_) {
    bytes += key.size() + entry->names.bytes();
  }
  return bytes;
}

}  // namespace wallprof::symbolize
