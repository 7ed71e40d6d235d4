#include "profiler/symbolize/dwarf/source_search.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "profiler/symbolize/dwarf/debug_file.h"
#include "profiler/symbolize/dwarf/split_unit.h"
#include "profiler/symbolize/dwarf/unit_search.h"
#include "profiler/symbolize/dwarf/unit_source.h"

namespace wallprof::symbolize {
namespace {

// Units are read until they take this much; then what was read of them is given
// back.
constexpr size_t kMostToGrow = size_t{32} << 20;

class Search {
 public:
  Search(const SourceFiles& files, const std::vector<uint64_t>& addresses,
         size_t max_bytes)
      : files_(files), addresses_(addresses), max_bytes_(max_bytes) {
    answers_.frames.resize(addresses.size());
  }

  absl::Status Run() {
    if (absl::Status status = Open(); !status.ok()) return status;
    for (const auto& [unit, addresses] :
         FindUnits(*file_, addresses_, files_.lowest_code)) {
      MakeRoom(unit);
      if (!Fits(unit)) {
        answers_.missing.insert(absl::StrCat(
            "one of its units needs more than ", max_bytes_ >> 20, " MiB"));
        continue;
      }
      Keep(addresses, Read(unit, addresses));
    }
    return absl::OkStatus();
  }

  SourceAnswers Take() && { return std::move(answers_); }

 private:
  absl::Status Open() {
    absl::StatusOr<std::unique_ptr<DebugFile>> file =
        DebugFile::Open(files_.image->descriptor(), max_bytes_);
    if (!file.ok()) return file.status();
    file_ = *std::move(file);
    OpenAlternate();
    source_ = std::make_unique<UnitSource>(*file_, *file_);
    empty_bytes_ = file_->bytes();
    return absl::OkStatus();
  }

  void OpenAlternate() {
    if (files_.alternate == nullptr) return;
    absl::StatusOr<std::unique_ptr<DebugFile>> alternate =
        DebugFile::Open(files_.alternate->descriptor(), max_bytes_ - InUse());
    if (alternate.ok()) {
      file_->SetAlternate(*std::move(alternate));
    } else {
      answers_.missing.insert(
          absl::StrCat("what it shares with other files: ",
                       std::string(alternate.status().message())));
    }
  }

  size_t InUse() const { return std::min(max_bytes_, file_->bytes()); }

  bool Fits(size_t unit) {
    return file_->bytes() + file_->BytesNeeded(file_->units()[unit]) <=
           max_bytes_;
  }

  void MakeRoom(size_t unit) {
    if (Fits(unit) && file_->bytes() <= empty_bytes_ + kMostToGrow) return;
    source_ = std::make_unique<UnitSource>(*file_, *file_);
    file_->Forget();
  }

  std::vector<SourceFrames> Read(size_t unit,
                                 const std::vector<uint64_t>& addresses) {
    file_->LoadUnit(file_->units()[unit]);
    Dwarf_Die root;
    if (dwarf_offdie(file_->dwarf(), file_->units()[unit].root, &root) ==
        nullptr) {
      return {};
    }
    const UnitAddresses ranges(*file_, &root);
    if (IsSkeleton(root)) return ReadSplit(ranges, root, addresses);
    return source_->Find(ranges, root, root, addresses, files_.lowest_code);
  }

  std::vector<SourceFrames> ReadSplit(const UnitAddresses& skeleton_ranges,
                                      const Dwarf_Die& skeleton,
                                      const std::vector<uint64_t>& addresses) {
    absl::StatusOr<SplitUnit> split =
        OpenSplitUnit(*file_, skeleton, files_.split, max_bytes_ - InUse());
    if (!split.ok()) {
      answers_.missing.insert(std::string(split.status().message()));
      // The lines are here.
      return source_->Find(skeleton_ranges, skeleton, skeleton, addresses,
                           files_.lowest_code);
    }
    const UnitAddresses ranges(skeleton_ranges, *split->file, &split->root);
    return UnitSource(*split->file, *file_)
        .Find(ranges, split->root, skeleton, addresses, files_.lowest_code);
  }

  void Keep(const std::vector<uint64_t>& addresses,
            std::vector<SourceFrames> frames) {
    for (size_t i = 0; i < frames.size(); ++i) {
      // An address may have been asked for several times.
      for (auto at = std::lower_bound(addresses_.begin(), addresses_.end(),
                                      addresses[i]);
           at != addresses_.end() && *at == addresses[i]; ++at) {
        answers_.frames[at - addresses_.begin()] = frames[i];
      }
    }
  }

  const SourceFiles& files_;
  const std::vector<uint64_t>& addresses_;
  const size_t max_bytes_;
  std::unique_ptr<DebugFile> file_;
  std::unique_ptr<UnitSource> source_;  // reads `file_`
  size_t empty_bytes_ = 0;              // in use before any was
  SourceAnswers answers_;
};

}  // namespace

absl::StatusOr<SourceAnswers> FindSource(const SourceFiles& files,
                                         const std::vector<uint64_t>& addresses,
                                         size_t max_bytes) {
  Search search(files, addresses, max_bytes);
  if (absl::Status status = search.Run(); !status.ok()) return status;
  return std::move(search).Take();
}

}  // namespace wallprof::symbolize
