// Profiles of addresses in this process, as a capture would make them, and
// libraries loaded to have such addresses in.
#ifndef WALLPROF_TESTS_SYMBOLIZE_LOADED_PROFILE_H_
#define WALLPROF_TESTS_SYMBOLIZE_LOADED_PROFILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "wallprof/profile.h"

namespace wallprof::symbolize {

// One sample with a location for each address, and the executable mappings of
// this process as they are now.
Profile ProfileOf(const std::vector<uint64_t>& addresses);

// The function of the location with index `i`. Throws if it has none.
const Function& FunctionAt(const Profile& profile, size_t i);

// The mapping of the location with index `i`. Throws if it has none.
const Mapping& MappingAt(const Profile& profile, size_t i);

// The path of the running test.
std::string ThisProgram();

// A directory that goes with its contents.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A shared library loaded from a copy of its file, which a test may replace or
// delete.
class LoadedCopy {
 public:
  explicit LoadedCopy(const std::string& library);
  ~LoadedCopy();
  LoadedCopy(const LoadedCopy&) = delete;
  LoadedCopy& operator=(const LoadedCopy&) = delete;

  const std::string& path() const { return path_; }

  // Where the symbol `name`, as nm has it, is in this process.
  uint64_t AddressOf(const std::string& name) const;

  // Puts another file in the copy's place, as an upgrade does.
  void ReplaceBy(const std::string& file) const;

 private:
  TemporaryDirectory directory_;
  const std::string original_;
  const std::string path_;
  void* const handle_;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_TESTS_SYMBOLIZE_LOADED_PROFILE_H_
