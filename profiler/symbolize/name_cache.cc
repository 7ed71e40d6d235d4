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

const FunctionName* ModuleNames::Find(uint64_t file_offset) const {
  const auto found = by_offset_.find(file_offset);
  return found == by_offset_.end() ? nullptr : found->second;
}

void ModuleNames::Add(uint64_t file_offset, FunctionName name) {
  auto known = by_system_name_.find(name.system_name);
  if (known == by_system_name_.end()) {
    const FunctionName& kept = names_.emplace_back(std::move(name));
    text_bytes_ += kept.name.capacity() + kept.system_name.capacity();
    known = by_system_name_.emplace(kept.system_name, &kept).first;
  }
  by_offset_[file_offset] = known->second;
}

void ModuleNames::AddSymbol(uint64_t file_offset,
                            const std::string& system_name) {
  if (const auto known = by_system_name_.find(system_name);
      known != by_system_name_.end()) {
    by_offset_[file_offset] = known->second;
  } else {
    Add(file_offset, {Demangle(system_name), system_name, true});
  }
}

size_t ModuleNames::bytes() const {
  return sizeof *this + TableBytes(by_offset_) + TableBytes(by_system_name_) +
         names_.size() * sizeof(FunctionName) + text_bytes_;
}

ModuleNames& NameCache::Module(const std::string& key) {
  std::unique_ptr<Entry>& entry = modules_[key];
  if (entry == nullptr) entry = std::make_unique<Entry>();
  entry->last_use = ++uses_;
  return entry->names;
}

void NameCache::Trim() {
  while (!modules_.empty() && bytes() > bound_bytes_) {
    modules_.erase(std::min_element(
        modules_.begin(), modules_.end(), [](const auto& a, const auto& b) {
          return a.second->last_use < b.second->last_use;
        }));
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
