// Whatever the bytes, reading a spool ends with what is whole in it, and a
// profile can be made of that. For libFuzzer (WALLPROF_BUILD_FUZZERS) and, over
// the corpus alone, for spool_corpus_test.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/record/spool.h"
#include "profiler/record/window.h"
#include "wallprof/profile.h"

namespace wallprof::record {
namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing found that not: %s\n", what);
  std::abort();
}

// Waits for locks, and slices apart.
void CheckOtherForms(const SpoolFile& file,
                     const std::vector<const Slice*>& slices) {
  for (const View view : {View::kWall, View::kBlockedBy}) {
    for (const bool apart : {false, true}) {
      int64_t left_ns = 0;
      for (const Slice* slice : slices) {
        left_ns += view == View::kWall ? slice->total.wall_ns
                                       : slice->lock_waits.total.wall_ns;
      }
      const Profile profile =
          ProfileOf(file.dictionary, slices, file.events,
                    [](int number) { return std::to_string(number); },
                    {{view, apart}, slices[0]->start_wall_ns, slices.size()});
      Require(CheckValid(profile).ok(), "every form of it is valid");
      for (const Sample& sample : profile.samples) {
        left_ns -= sample.values.back();
      }
      Require(left_ns == 0, "and has the slices' totals");
    }
  }
}

void CheckSpool(std::string_view bytes) {
  std::vector<std::string> problems;
  const auto file = DecodeSpool(bytes, "fuzz.spool", problems);
  if (file->slices.empty()) return;
  std::vector<const Slice*> slices;
  int64_t wall_ns = 0;
  for (const Slice& slice : file->slices) {
    slices.push_back(&slice);
    wall_ns += slice.total.wall_ns;
  }
  Require(SlicesIn({}, slices).size() == slices.size(), "all time is all");
  const Profile profile =
      ProfileOf(file->dictionary, slices, file->events,
                [](int number) { return std::to_string(number); });
  Require(CheckValid(profile).ok(), "what is read makes a valid profile");
  for (const Sample& sample : profile.samples) wall_ns -= sample.values[2];
  Require(wall_ns == 0, "samples add up to the slices' totals");
  CheckOtherForms(*file, slices);
}

}  // namespace
}  // namespace wallprof::record

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  wallprof::record::CheckSpool(bytes);
  // Most changes spoil a checksum; so as a record of its own, too.
  wallprof::record::CheckSpool(wallprof::record::FrameRecord(bytes));
  return 0;
}
