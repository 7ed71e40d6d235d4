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

// The addresses of one unit that are in functions known from the index.
struct KnownPlaces {
  std::vector<uint64_t> addresses;
  std::vector<const IndexedFunction*> functions;  // each once
};

class Search {
 public:
  Search(const SourceFiles& files, const std::vector<uint64_t>& addresses,
         size_t max_bytes, SourceIndex& index)
      : files_(files),
        addresses_(addresses),
        max_bytes_(max_bytes),
        index_(index) {
    answers_.frames.resize(addresses.size());
  }

  absl::Status Run() {
    if (IsHurried()) return absl::OkStatus();
    if (absl::Status status = Open(); !status.ok()) return status;
    index_.UseFile(files_.image->descriptor());
    const std::vector<uint64_t> unknown = ReadKnown();
    if (unknown.empty()) return absl::OkStatus();
    for (const auto& [unit, addresses] :
         FindUnits(*file_, unknown, files_.lowest_code)) {
      if (IsHurried()) break;
      const size_t needed = file_->BytesNeeded(file_->units()[unit]);
      MakeRoom(needed);
      if (!Fits(needed)) {
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
  bool IsHurried() {
    if (!files_.hurry || !files_.hurry()) return false;
    answers_.missing.insert("they were not waited for");
    return true;
  }

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

  bool Fits(size_t needed) { return file_->bytes() + needed <= max_bytes_; }

  void MakeRoom(size_t needed) {
    if (Fits(needed) &&
        file_->bytes() <= empty_bytes_ + DebugFile::kMostToGrow) {
      return;
    }
    source_ = std::make_unique<UnitSource>(*file_, *file_);
    file_->Forget();
  }

  // Answers what can be answered by the index. Returns the other addresses.
  std::vector<uint64_t> ReadKnown() {
    std::vector<uint64_t> unknown;
    std::map<size_t, KnownPlaces> by_unit;
    for (const uint64_t address : addresses_) {
      const IndexedFunction* function = index_.Find(address);
      if (function == nullptr || function->unit >= file_->units().size()) {
        unknown.push_back(address);
        continue;
      }
      KnownPlaces& places = by_unit[function->unit];
      places.addresses.push_back(address);
      if (places.functions.empty() || places.functions.back() != function) {
        places.functions.push_back(function);
      }
    }
    for (const auto& [unit, places] : by_unit) {
      const size_t needed = file_->BytesNeeded(file_->units()[unit]);
      MakeRoom(file_->packed() ? needed
                               : std::min(needed, DebugFile::kMostToGrow));
      Keep(places.addresses, ReadFunctions(unit, places));
    }
    return unknown;
  }

  std::vector<SourceFrames> ReadFunctions(size_t unit,
                                          const KnownPlaces& places) {
    const DebugFile::Unit& bounds = file_->units()[unit];
    Dwarf_Die root;
    if (dwarf_offdie(file_->dwarf(), bounds.root, &root) == nullptr) return {};
    if (file_->packed()) file_->LoadUnit(bounds);
    std::vector<Dwarf_Die> functions;
    for (const IndexedFunction* known : places.functions) {
      const Dwarf_Off begin = bounds.root + known->entry;
      const Dwarf_Off end =
          known->entry_end == 0 ? bounds.end : bounds.root + known->entry_end;
      file_->LoadUnit({begin, begin, std::min(end, bounds.end)});
      Dwarf_Die function;
      if (dwarf_offdie(file_->dwarf(), begin, &function) != nullptr) {
        functions.push_back(function);
      }
    }
    return source_->FindIn(UnitAddresses(*file_, &root), root, functions,
                           index_.Sequences(unit), places.addresses,
                           files_.lowest_code);
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
    LearntUnit learnt;
    std::vector<SourceFrames> frames = source_->Find(
        ranges, root, root, addresses, files_.lowest_code, learnt);
    index_.Add(unit, std::move(learnt));
    return frames;
  }

  std::vector<SourceFrames> ReadSplit(const UnitAddresses& skeleton_ranges,
                                      const Dwarf_Die& skeleton,
                                      const std::vector<uint64_t>& addresses) {
    absl::StatusOr<SplitUnit> split =
        OpenSplitUnit(*file_, skeleton, files_.split, max_bytes_ - InUse());
    LearntUnit not_kept;  // what is in other files is read from there
    if (!split.ok()) {
      answers_.missing.insert(std::string(split.status().message()));
      // The lines are here.
      return source_->Find(skeleton_ranges, skeleton, skeleton, addresses,
                           files_.lowest_code, not_kept);
    }
    const UnitAddresses ranges(skeleton_ranges, *split->file, &split->root);
    return UnitSource(*split->file, *file_)
        .Find(ranges, split->root, skeleton, addresses, files_.lowest_code,
              not_kept);
  }

  void Keep(const std::vector<uint64_t>& addresses,
            std::vector<SourceFrames> frames) {
    for (size_t i = 0; i < frames.size(); ++i) {
      auto at =
          std::lower_bound(addresses_.begin(), addresses_.end(), addresses[i]) -
          addresses_.begin();
      // An address may have been asked for several times.
      for (; at + 1 < std::ssize(addresses_) &&
             addresses_[at + 1] == addresses[i];
           ++at) {
        answers_.frames[at] = frames[i];
      }
      answers_.frames[at] = std::move(frames[i]);
    }
  }

  const SourceFiles& files_;
  const std::vector<uint64_t>& addresses_;
  const size_t max_bytes_;
  SourceIndex& index_;
  std::unique_ptr<DebugFile> file_;
  std::unique_ptr<UnitSource> source_;  // reads `file_`
  size_t empty_bytes_ = 0;              // in use before any was
  SourceAnswers answers_;
};

}  // namespace

absl::StatusOr<SourceAnswers> FindSource(const SourceFiles& files,
                                         const std::vector<uint64_t>& addresses,
                                         size_t max_bytes, SourceIndex& index) {
  Search search(files, addresses, max_bytes, index);
  if (absl::Status status = search.Run(); !status.ok()) return status;
  return std::move(search).Take();
}

}  // namespace wallprof::symbolize
