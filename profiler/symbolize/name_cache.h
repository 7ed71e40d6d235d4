// The names that earlier profiles needed, by module, within a memory bound.
//
// Names are kept by place in the module's file, not by address at run time: a
// module that is unloaded and loaded elsewhere keeps its names.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_NAME_CACHE_H_
#define WALLPROF_PROFILER_SYMBOLIZE_NAME_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace wallprof::symbolize {

struct FunctionName {
  std::string name;         // demangled, or module+0xaddress
  std::string system_name;  // as in the object file, or equal to `name`
  bool in_symbol_table = false;
};

// The names of one module. Not thread-safe.
class ModuleNames {
 public:
  // The name of the code at `file_offset`; nullptr if it was never added.
  const FunctionName* Find(uint64_t file_offset) const;

  // Names share storage where they have the same `system_name`. The pointers
  // that Find returns stay valid.
  void Add(uint64_t file_offset, FunctionName name);

  // As Add, of a name in the symbol table. Each is demangled once.
  void AddSymbol(uint64_t file_offset, const std::string& system_name);

  // Memory in use, near enough.
  size_t bytes() const;

 private:
  absl::flat_hash_map<uint64_t, const FunctionName*> by_offset_;
  absl::flat_hash_map<std::string_view, const FunctionName*> by_system_name_;
  std::deque<FunctionName> names_;
  size_t text_bytes_ = 0;  // of the names' characters
};

// Not thread-safe.
class NameCache {
 public:
  explicit NameCache(size_t bound_bytes) : bound_bytes_(bound_bytes) {}

  // The names of the module `key`, empty if it is new. Valid until Trim.
  ModuleNames& Module(const std::string& key);

  // Drops the modules that were used longest ago until the rest is within the
  // bound.
  void Trim();

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
