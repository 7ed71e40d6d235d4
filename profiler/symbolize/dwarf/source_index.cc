#include "profiler/symbolize/dwarf/source_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wallprof::symbolize {
namespace {

bool Before(const IndexedFunction& a, const IndexedFunction& b) {
  return a.begin < b.begin;
}

bool Overlap(const std::vector<IndexedFunction>& sorted) {
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i].begin - sorted[i - 1].begin < sorted[i - 1].size) return true;
  }
  return false;
}

}  // namespace

void SourceIndex::UseFile(int fd) {
  struct stat status = {};
  fstat(fd, &status);
  std::string file =
      absl::StrCat(status.st_dev, " ", status.st_ino, " ", status.st_size, " ",
                   status.st_mtim.tv_sec, ".", status.st_mtim.tv_nsec);
  if (file == file_) return;
  Clear();
  file_ = std::move(file);
}

void SourceIndex::Add(size_t unit, LearntUnit learnt) {
  const size_t grown = learnt.functions.size() * sizeof(IndexedFunction) +
                       learnt.sequences.size() * sizeof(LineSequence);
  if (sequences_.contains(unit) || bytes_ + grown > kMaxBytes) return;
  std::vector<IndexedFunction>& added = learnt.functions;
  for (IndexedFunction& function : added) {
    function.unit = static_cast<uint32_t>(unit);
  }
  std::sort(added.begin(), added.end(), Before);
  std::vector<IndexedFunction> all;
  all.reserve(functions_.size() + added.size());
  std::merge(functions_.begin(), functions_.end(), added.begin(), added.end(),
             std::back_inserter(all), Before);
  if (Overlap(all)) return;
  functions_ = std::move(all);
  learnt.sequences.shrink_to_fit();
  sequences_[unit] = std::move(learnt.sequences);
  bytes_ += grown;
}

const IndexedFunction* SourceIndex::Find(uint64_t address) const {
  const auto after =
      std::upper_bound(functions_.begin(), functions_.end(), address,
                       [](uint64_t sought, const IndexedFunction& function) {
                         return sought < function.begin;
                       });
  if (after == functions_.begin()) return nullptr;
  const IndexedFunction& function = *std::prev(after);
  return address - function.begin < function.size ? &function : nullptr;
}

const std::vector<LineSequence>& SourceIndex::Sequences(size_t unit) const {
  static const std::vector<LineSequence> none;
  const auto found = sequences_.find(unit);
  return found == sequences_.end() ? none : found->second;
}

void SourceIndex::Clear() {
  std::vector<IndexedFunction>().swap(functions_);
  sequences_.clear();
  bytes_ = 0;
}

size_t SourceIndex::bytes() const {
  // A slot of the table and its control byte.
  return bytes_ + sequences_.capacity() *
                      (sizeof(size_t) + sizeof(std::vector<LineSequence>) + 1);
}

}  // namespace wallprof::symbolize
