#include "profiler/symbolize/symbolizer.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "profiler/symbolize/demangle.h"
#include "profiler/symbolize/elf_image.h"
#include "profiler/symbolize/jit_dump.h"
#include "profiler/symbolize/memory_map.h"
#include "profiler/symbolize/module_search.h"
#include "profiler/symbolize/perf_map.h"

namespace wallprof::symbolize {
namespace {

constexpr char kVdso[] = "[vdso]";

// Adds functions to a profile, each once. Names that it was given must outlive
// it.
class FunctionTable {
 public:
  explicit FunctionTable(Profile& profile) : profile_(profile) {
    for (const Function& function : profile.functions) {
      last_id_ = std::max(last_id_, function.id);
    }
  }

  void AddLine(Location& location, const FunctionName& name, int64_t line) {
    auto [entry, added] = ids_.try_emplace(name.identity(), last_id_ + 1);
    if (added) {
      Function& function = profile_.functions.emplace_back();
      function.id = ++last_id_;
      function.name = name.name;
      function.system_name = name.system_name;
      function.filename = name.filename;
      function.start_line = name.start_line;
    }
    location.lines.push_back({entry->second, line});
  }

  // For code of which nothing but the place is known.
  void AddPlace(Location& location, const std::string& place) {
    AddFrame(location, {place, /*found=*/false});
  }

  void AddFrame(Location& location, const FoundFrame& frame) {
    // Keeps what the table's keys refer to.
    const FoundFrame& kept = frames_.emplace_back(frame);
    FunctionName name;
    name.name = Demangle(kept.system_name);
    name.system_name = kept.system_name;
    name.filename = kept.filename;
    AddLine(location, names_.emplace_back(std::move(name)), kept.line);
  }

 private:
  Profile& profile_;
  uint64_t last_id_ = 0;
  absl::flat_hash_map<std::tuple<std::string_view, std::string_view, int64_t>,
                      uint64_t>
      ids_;  // by identity
  std::deque<FoundFrame> frames_;
  std::deque<FunctionName> names_;
};

uint64_t FileOffset(const Mapping& mapping, const Location& location) {
  return location.address - mapping.start + mapping.file_offset;
}

bool Contains(const Mapping& mapping, const Location& location) {
  return location.address >= mapping.start && location.address < mapping.limit;
}

// Whether `mapping` is of a file, rather than of memory that code was written
// to at run time.
bool HasImage(const Mapping& mapping) {
  return mapping.filename == kVdso ||
         (absl::StartsWith(mapping.filename, "/") &&
          !absl::StartsWith(mapping.filename, "/memfd:"));
}

// Whether `image`, of the file at `path`, is what `mapping` was made from.
bool IsLoaded(const ElfImage& image, const std::string& path,
              const Mapping& mapping) {
  return mapping.build_id.empty() ? MappedFile(mapping.start) == path
                                  : image.BuildId() == mapping.build_id;
}

// The image that `mapping` was made from; FailedPrecondition if what is there
// now is another one.
absl::StatusOr<std::unique_ptr<ElfImage>> OpenImage(const Mapping& mapping) {
  if (mapping.filename == kVdso) return ElfImage::Vdso();
  absl::StatusOr<std::unique_ptr<ElfImage>> image =
      ElfImage::Open(mapping.filename);
  if (image.ok() && IsLoaded(**image, mapping.filename, mapping)) return image;
  // The program itself can be read even after it was deleted or replaced.
  if (!mapping.build_id.empty()) {
    absl::StatusOr<std::unique_ptr<ElfImage>> program =
        ElfImage::Open("/proc/self/exe");
    if (program.ok() && (*program)->BuildId() == mapping.build_id) {
      return program;
    }
  }
  if (!image.ok()) return image;
  return absl::FailedPreconditionError(absl::StrCat(
      mapping.filename, ": the file was replaced since it was loaded"));
}

std::vector<uint64_t> OffsetsWithoutName(
    const Mapping& mapping, const std::vector<Location*>& locations,
    const ModuleNames& names) {
  std::vector<uint64_t> offsets;
  for (const Location* location : locations) {
    const uint64_t offset = FileOffset(mapping, *location);
    if (names.Find(offset).empty()) offsets.push_back(offset);
  }
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  return offsets;
}

void AddOnce(std::string comment, std::vector<std::string>& comments) {
  if (std::find(comments.begin(), comments.end(), comment) == comments.end()) {
    comments.push_back(std::move(comment));
  }
}

// Names `locations`, all in `mapping`. `names` has what is known of its module
// and takes what is found.
void NameMapped(Mapping& mapping, const std::vector<Location*>& locations,
                const SymbolizerOptions& options,
                const std::function<bool()>& hurry, ModuleNames& names,
                FunctionTable& functions, std::vector<std::string>& comments) {
  const std::vector<uint64_t> offsets =
      OffsetsWithoutName(mapping, locations, names);
  if (!offsets.empty()) {
    const auto image = OpenImage(mapping);
    if (image.ok()) {
      const SearchedModule module = {**image, mapping.filename,
                                     options.debug_places, options.source_bytes,
                                     hurry};
      for (const std::string& shortage : SearchModule(module, offsets, names)) {
        AddOnce(shortage, comments);
      }
    } else {
      AddOnce(absl::StrCat("no function names for ", image.status().message()),
              comments);
    }
  }
  for (Location* location : locations) {
    const uint64_t offset = FileOffset(mapping, *location);
    const absl::Span<const CodeFrame> frames = names.Find(offset);
    for (const CodeFrame& frame : frames) {
      functions.AddLine(*location, *frame.function, frame.line);
      mapping.has_functions |= frame.function->found;
      mapping.has_filenames |= !frame.function->filename.empty();
      mapping.has_line_numbers |= frame.line != 0;
    }
    mapping.has_inline_frames |= frames.size() > 1;
    // What could not be searched stays out of `names`: the file may return.
    if (frames.empty()) {
      functions.AddPlace(*location,
                         PlaceIn(mapping.filename, offset).system_name);
    }
  }
}

// A location in no file, and how it is told if nothing else is known.
struct Unmapped {
  Location* location;
  std::string place;
};

// Names code that was compiled at run time, as code in no file mostly is.
void NameUnmapped(const std::vector<Unmapped>& unmapped,
                  const SymbolizerOptions& options, FunctionTable& functions) {
  std::vector<uint64_t> addresses;
  for (const Unmapped& code : unmapped) {
    addresses.push_back(code.location->address);
  }
  const std::vector<std::string> names =
      ReadPerfMap(options.perf_map, addresses);
  std::vector<FoundFrame> frames;
  for (const std::string& name : names) frames.push_back({name, !name.empty()});
  for (const std::string& path : options.jit_dump.empty()
                                     ? FindJitDumps()
                                     : std::vector{options.jit_dump}) {
    const std::vector<FoundFrame> dumped = ReadJitDump(path, addresses);
    for (size_t i = 0; i < dumped.size(); ++i) {
      if (dumped[i].found) frames[i] = dumped[i];
    }
  }
  for (size_t i = 0; i < unmapped.size(); ++i) {
    if (!frames[i].found) frames[i].system_name = unmapped[i].place;
    functions.AddFrame(*unmapped[i].location, frames[i]);
  }
}

}  // namespace

Symbolizer::Symbolizer(SymbolizerOptions options)
    : options_(std::move(options)), cache_(options_.cache_bytes) {}

void Symbolizer::Symbolize(Profile& profile,
                           const std::function<bool()>& hurry) {
  absl::flat_hash_map<uint64_t, Mapping*> mapping_of;
  for (Mapping& mapping : profile.mappings) {
    if (!mapping.filename.empty()) mapping_of[mapping.id] = &mapping;
  }
  FunctionTable functions(profile);
  std::map<uint64_t, std::vector<Location*>> by_mapping;
  std::vector<Unmapped> unmapped;
  for (Location& location : profile.locations) {
    if (location.address == 0 || !location.lines.empty()) continue;
    const auto found = mapping_of.find(location.mapping_id);
    const Mapping* mapping =
        found == mapping_of.end() ? nullptr : found->second;
    if (mapping == nullptr || !Contains(*mapping, location)) {
      unmapped.push_back(
          {&location, absl::StrCat("0x", absl::Hex(location.address))});
    } else if (!HasImage(*mapping)) {
      unmapped.push_back(
          {&location, PlaceIn(mapping->filename, FileOffset(*mapping, location))
                          .system_name});
    } else {
      by_mapping[location.mapping_id].push_back(&location);
    }
  }
  if (!unmapped.empty()) NameUnmapped(unmapped, options_, functions);

  const std::lock_guard<std::mutex> lock(mutex_);
  std::deque<ModuleNames> uncached;
  for (const auto& [id, locations] : by_mapping) {
    Mapping& mapping = *mapping_of[id];
    // Without a build id, another file could be loaded under this name.
    ModuleNames& names = mapping.build_id.empty()
                             ? uncached.emplace_back()
                             : cache_.Module(absl::StrCat(mapping.build_id, " ",
                                                          mapping.filename));
    NameMapped(mapping, locations, options_, hurry, names, functions,
               profile.comments);
  }
  // What was left out may be wanted the next time.
  if (hurry && hurry()) cache_.Clear();
  cache_.Trim();
}

}  // namespace wallprof::symbolize
