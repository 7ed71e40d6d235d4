// A stack table with memory of its own.
#ifndef WALLPROF_TESTS_STACKS_TABLE_MEMORY_H_
#define WALLPROF_TESTS_STACKS_TABLE_MEMORY_H_

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "profiler/stacks/stack_table.h"

namespace wallprof::stacks {

// Exactly as many bytes as the table asks for, so that a sanitizer sees an
// overrun.
class TableMemory {
 public:
  explicit TableMemory(const StackTable::Capacity& capacity)
      : capacity_(capacity),
        bytes_(static_cast<std::byte*>(::operator new (
            StackTable::BytesFor(capacity), std::align_val_t{64}))) {
    memset(bytes_.get(), 0, StackTable::BytesFor(capacity));
  }

  // A view of it; all views are of the same table.
  StackTable Table() { return StackTable(bytes_.get(), capacity_); }

 private:
  struct Free {
    void operator()(std::byte* bytes) const {
      ::operator delete (bytes, std::align_val_t{64});
    }
  };

  StackTable::Capacity capacity_;
  std::unique_ptr<std::byte, Free> bytes_;
};

// A stack of `depth` frames that no other number has. Its frames tell the
// number, so that a damaged one is seen.
inline std::vector<Frame> StackOf(uint32_t number, size_t depth) {
  std::vector<Frame> frames;
  for (size_t i = 0; i < depth; ++i) {
    frames.push_back(Frame::Code(static_cast<ModuleId>(1 + i % 7),
                                 uint64_t{number} * 1000 + i));
  }
  return frames;
}

// Whether `frames` is whole: a stack that StackOf made.
inline bool IsWhole(absl::Span<const Frame> frames) {
  if (frames.empty()) return true;
  return frames == StackOf(static_cast<uint32_t>(frames[0].offset() / 1000),
                           frames.size());
}

}  // namespace wallprof::stacks

#endif  // WALLPROF_TESTS_STACKS_TABLE_MEMORY_H_
