// A compressed section, of which parts can be had without the whole.
#ifndef WALLPROF_PROFILER_SYMBOLIZE_DWARF_PACKED_SECTION_H_
#define WALLPROF_PROFILER_SYMBOLIZE_DWARF_PACKED_SECTION_H_

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace wallprof::symbolize {

// Where a section compressed by zlib lies in a file, without the header that
// tells its size.
struct PackedExtent {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t unpacked_size = 0;
};

// Unpacks in order. Going back, it starts from the nearest place that it has
// kept the state of: what lies before is unpacked once. Not thread-safe.
class PackedSection {
 public:
  // In the open file `fd`, which stays the caller's.
  PackedSection(int fd, const PackedExtent& extent);
  ~PackedSection();
  PackedSection(const PackedSection&) = delete;
  PackedSection& operator=(const PackedSection&) = delete;

  // Copies the `size` bytes from `offset` on, of what it unpacks to, to `to`.
  // What is not there, or cannot be unpacked, is left as it is.
  void Read(uint64_t offset, size_t size, char* to);

  // Memory in use.
  size_t bytes() const;

 private:
  // What unpacking can be taken up from.
  struct State {
    State() = default;
    State(const State& other);
    ~State();
    State& operator=(const State&) = delete;

    z_stream stream = {};
    bool valid = false;
    uint64_t unpacked = 0;  // bytes so far
    uint64_t read = 0;      // of the packed ones
  };

  void Begin();
  void GoTo(uint64_t offset);
  size_t Unpack(char* to, size_t size);

  const int fd_;
  const PackedExtent extent_;
  std::unique_ptr<State> now_;
  std::map<uint64_t, State> kept_;  // by bytes unpacked
  std::string input_;
  std::string skipped_;
};

}  // namespace wallprof::symbolize

#endif  // WALLPROF_PROFILER_SYMBOLIZE_DWARF_PACKED_SECTION_H_
