// From the keys of one dictionary to those of another.
#ifndef WALLPROF_PROFILER_RECORD_KEY_MAP_H_
#define WALLPROF_PROFILER_RECORD_KEY_MAP_H_

#include <cstdint>
#include <vector>

#include "profiler/record/dictionary.h"
#include "profiler/record/slice.h"

namespace wallprof::record {

// Remembers what it has looked up: of two dictionaries, until it is forgotten.
class KeyMap {
 public:
  // `slice` of `from`, with keys of `to`, where those are added that it has
  // not.
  Slice Translated(const Slice& slice, const Dictionary& from, Dictionary& to) {
    Slice translated = slice;
    Translate(from, to, translated);
    Translate(from, to, translated.lock_waits);
    return translated;
  }

  void Forget() { numbers_.clear(); }

  size_t bytes() const { return numbers_.capacity() * sizeof(uint32_t); }

 private:
  void Translate(const Dictionary& from, Dictionary& to, SampleList& list) {
    numbers_.resize(from.key_count(), 0);
    std::vector<SliceSample> samples = Samples(list);
    for (SliceSample& sample : samples) {
      uint32_t& number = numbers_[sample.key];
      // Key 0 is the same in all dictionaries.
      if (number == 0) number = to.AddKeyOf(from, sample.key);
      sample.key = number;
    }
    SortSamples(samples);
    SetSamples(samples, list);
  }

  std::vector<uint32_t> numbers_;
};

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_KEY_MAP_H_
