// What earlier profiles needed of each module, within a memory bound.
//
// It is kept by place in the module's file, not by address at run time: a
// module that is unloaded and loaded elsewhere keeps its names.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_NAME_CACHE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_NAME_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_set.h"
#include "absl/types/span.h"
#include "profiler/symbolize/dwarf/source_index.h"

namespace wallprof::symbolize {

// A function as a profile shows it.
struct FunctionName {
  std::string name;           // demangled, or module+0xaddress
  std::string system_name;    // as in the object file, or equal to `name`
  std::string_view filename;  // empty: unknown
  int64_t start_line = 0;     // 0: unknown
  bool found = false;         // false: `name` only tells where it is

  // Functions are the same where these are.
  std::tuple<std::string_view, std::string_view, int64_t> identity() const {
    return {system_name, filename, start_line};
  }
};

// A function and the line in it.
struct CodeFrame {
  const FunctionName* function = nullptr;
  int64_t line = 0;
};

// A frame that is to be kept.
struct FoundFrame {
  std::string system_name;
  bool found = true;
  std::string filename;
  int64_t line = 0;
  int64_t start_line = 0;
};

// The names of one module. Not thread-safe.
class ModuleNames {
 public:
  // The frames of the code at `file_offset`, innermost first; none if they were
  // never added. The span is valid until the next Add, the functions stay.
  absl::Span<const CodeFrame> Find(uint64_t file_offset) const;

  // At least one frame. Equal functions share storage, and each is demangled
  // once.
  void Add(uint64_t file_offset, const std::vector<FoundFrame>& frames);

  // What shortens the search for further names.
  SourceIndex& source_index() { return source_index_; }

  // Memory in use, near enough.
  size_t bytes() const;

 private:
  struct Extent {
    uint32_t begin = 0;  // in `frames_`
    uint32_t count = 0;
  };

  const FunctionName* Intern(const FoundFrame& frame);

  absl::flat_hash_map<uint64_t, Extent> by_offset_;
  std::vector<CodeFrame> frames_;
  absl::flat_hash_map<std::tuple<std::string_view, std::string_view, int64_t>,
                      const FunctionName*>
      by_identity_;
  std::deque<FunctionName> functions_;
  absl::node_hash_set<std::string> filenames_;
  size_t text_bytes_ = 0;  // of names and file names
  SourceIndex source_index_;
};

// Not thread-safe.
class NameCache {
 public:
  explicit NameCache(size_t bound_bytes) : bound_bytes_(bound_bytes) {}

  // The names of the module `key`, empty if it is new. Valid until Trim.
  ModuleNames& Module(const std::string& key);

  // Drops the modules that were used longest ago until the rest is within the
  // bound: first what shortens the search, then the names.
  void Trim();

  void Clear() { modules_.clear(); }

  size_t bytes() const;

 private:
  struct Entry {
    ModuleNames names;
    uint64_t last_use = 0;
  };

  const size_t bound_bytes_;
  uint64_t uses_ = 0;
  absl::flat_hash_map<std::string, std::unique_ptr<Entry>> modules_;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_NAME_CACHE_H_
