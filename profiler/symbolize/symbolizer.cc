#include "profiler/symbolize/symbolizer.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "profiler/symbolize/elf_image.h"
#include "profiler/symbolize/function_search.h"
#include "profiler/symbolize/memory_map.h"

namespace wallprof::symbolize {
namespace {

constexpr char kVdso[] = "[vdso]";

// Adds functions to a profile, each name once.
class FunctionTable {
 public:
  explicit FunctionTable(Profile& profile) : profile_(profile) {
    for (const Function& function : profile.functions) {
      last_id_ = std::max(last_id_, function.id);
    }
  }

  void Name(Location& location, const FunctionName& name) {
    auto [entry, added] = ids_.try_emplace(name.system_name, last_id_ + 1);
    if (added) {
      Function& function = profile_.functions.emplace_back();
      function.id = ++last_id_;
      function.name = name.name;
      function.system_name = name.system_name;
    }
    location.lines.push_back({entry->second});
  }

 private:
  Profile& profile_;
  uint64_t last_id_ = 0;
  absl::flat_hash_map<std::string, uint64_t> ids_;  // by system name
};

FunctionName Unnamed(const std::string& name) {
  return {name, /*system_name=*/name, /*in_symbol_table=*/false};
}

// "libc.so.6+0x891f4"
FunctionName UnnamedIn(const Mapping& mapping, uint64_t address) {
  absl::string_view path = mapping.filename;
  absl::ConsumeSuffix(&path, " (deleted)");
  const size_t slash = path.rfind('/');
  if (slash != absl::string_view::npos) path.remove_prefix(slash + 1);
  return Unnamed(absl::StrCat(path, "+0x", absl::Hex(address)));
}

uint64_t FileOffset(const Mapping& mapping, const Location& location) {
  return location.address - mapping.start + mapping.file_offset;
}

bool Contains(const Mapping& mapping, const Location& location) {
  return location.address >= mapping.start && location.address < mapping.limit;
}

// Whether code in `mapping` can have a name at all.
bool HasImage(const Mapping& mapping) {
  return mapping.filename == kVdso || absl::StartsWith(mapping.filename, "/");
}

// The image that `mapping` was made from; FailedPrecondition if what is there
// now is another one.
absl::StatusOr<std::unique_ptr<ElfImage>> OpenImage(const Mapping& mapping) {
  if (mapping.filename == kVdso) return ElfImage::Vdso();
  absl::StatusOr<std::unique_ptr<ElfImage>> image =
      ElfImage::Open(mapping.filename);
  if (!image.ok()) return image;
  const bool same = mapping.build_id.empty()
                        ? MappedFile(mapping.start) == mapping.filename
                        : (*image)->BuildId() == mapping.build_id;
  if (same) return image;
  return absl::FailedPreconditionError(absl::StrCat(
      mapping.filename, ": the file was replaced since it was loaded"));
}

// Adds the names of the code at `offsets` to `names`.
void Search(const ElfImage& image, const Mapping& mapping,
            const std::vector<uint64_t>& offsets, ModuleNames& names) {
  struct Place {
    uint64_t address;
    uint64_t offset;
  };
  std::vector<Place> places;
  places.reserve(offsets.size());
  for (const uint64_t offset : offsets) {
    if (const auto address = image.AddressOf(offset)) {
      places.push_back({*address, offset});
    } else {
      names.Add(offset, UnnamedIn(mapping, offset));
    }
  }
  // Segments need not lie in memory in the order of the file.
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.address < b.address;
  });
  std::vector<uint64_t> addresses;
  addresses.reserve(places.size());
  for (const Place& place : places) addresses.push_back(place.address);
  const std::vector<std::string> found = FindFunctions(image, addresses);
  for (size_t i = 0; i < places.size(); ++i) {
    if (found[i].empty()) {
      names.Add(places[i].offset, UnnamedIn(mapping, places[i].address));
    } else {
      names.AddSymbol(places[i].offset, found[i]);
    }
  }
}

std::vector<uint64_t> OffsetsWithoutName(
    const Mapping& mapping, const std::vector<Location*>& locations,
    const ModuleNames& names) {
  std::vector<uint64_t> offsets;
  for (const Location* location : locations) {
    const uint64_t offset = FileOffset(mapping, *location);
    if (names.Find(offset) == nullptr) offsets.push_back(offset);
  }
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  return offsets;
}

// Names `locations`, all in `mapping`. `names` has what is known of its module
// and takes what is found.
void NameMapped(Mapping& mapping, const std::vector<Location*>& locations,
                ModuleNames& names, FunctionTable& functions,
                std::vector<std::string>& comments) {
  const std::vector<uint64_t> offsets =
      OffsetsWithoutName(mapping, locations, names);
  if (!offsets.empty() && HasImage(mapping)) {
    const auto image = OpenImage(mapping);
    if (image.ok()) {
      Search(**image, mapping, offsets, names);
    } else {
      std::string comment =
          absl::StrCat("no function names for ", image.status().message());
      if (std::find(comments.begin(), comments.end(), comment) ==
          comments.end()) {
        comments.push_back(std::move(comment));
      }
    }
  }
  for (Location* location : locations) {
    const uint64_t offset = FileOffset(mapping, *location);
    // What could not be searched stays out of `names`: the file may return.
    if (const FunctionName* name = names.Find(offset)) {
      functions.Name(*location, *name);
      mapping.has_functions |= name->in_symbol_table;
    } else {
      functions.Name(*location, UnnamedIn(mapping, offset));
    }
  }
}

}  // namespace

Symbolizer::Symbolizer(size_t cache_bytes) : cache_(cache_bytes) {}

void Symbolizer::Symbolize(Profile& profile) {
  absl::flat_hash_map<uint64_t, Mapping*> mapping_of;
  for (Mapping& mapping : profile.mappings) {
    if (!mapping.filename.empty()) mapping_of[mapping.id] = &mapping;
  }
  FunctionTable functions(profile);
  std::map<uint64_t, std::vector<Location*>> by_mapping;
  for (Location& location : profile.locations) {
    if (location.address == 0 || !location.lines.empty()) continue;
    const auto mapping = mapping_of.find(location.mapping_id);
    if (mapping != mapping_of.end() && Contains(*mapping->second, location)) {
      by_mapping[location.mapping_id].push_back(&location);
    } else {
      functions.Name(location,
                     Unnamed(absl::StrCat("0x", absl::Hex(location.address))));
    }
  }

  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, locations] : by_mapping) {
    Mapping& mapping = *mapping_of[id];
    // Without a build id, another file could be loaded under this name.
    ModuleNames uncached;
    ModuleNames& names = mapping.build_id.empty()
                             ? uncached
                             : cache_.Module(absl::StrCat(mapping.build_id, " ",
                                                          mapping.filename));
    NameMapped(mapping, locations, names, functions, profile.comments);
  }
  cache_.Trim();
}

}  // namespace wallprof::symbolize
