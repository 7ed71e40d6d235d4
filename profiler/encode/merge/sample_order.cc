#include "profiler/encode/merge/sample_order.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>

namespace wallprof {
namespace {

std::vector<uint32_t> Numbers(size_t size) {
  std::vector<uint32_t> numbers(size);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

// The place of each number below `size` in the order that `before` makes.
// Entities are distinct, so that no two share one.
template <typename Before>
std::vector<uint32_t> Ranks(size_t size, Before before) {
  std::vector<uint32_t> order = Numbers(size);
  std::sort(order.begin(), order.end(), before);
  std::vector<uint32_t> ranks(size);
  for (uint32_t i = 0; i < size; ++i) ranks[order[i]] = i;
  return ranks;
}

// Compares the records of `words_each` words in `a` and `b`, one by one, by
// what `key` makes of them.
template <typename Key>
bool RecordsBefore(Words a, Words b, size_t words_each, Key key) {
  const size_t shared = std::min(a.size(), b.size());
  for (size_t i = 0; i < shared; i += words_each) {
    const auto of_a = key(a.data() + i);
    const auto of_b = key(b.data() + i);
    if (of_a != of_b) return of_a < of_b;
  }
  return a.size() < b.size();
}

class ContentOrder {
 public:
  explicit ContentOrder(const SumTables& sum) : sum_(sum) {
    // Each of these is in the terms of those before it.
    strings_ = Ranks(sum.strings.size(), [this](uint32_t a, uint32_t b) {
      return sum_.StringAt(a) < sum_.StringAt(b);
    });
    mappings_ = Ranks(sum.mappings.size(), [this](uint32_t a, uint32_t b) {
      return ComesBefore(sum_, sum_.mappings[a], sum_.mappings[b]);
    });
    functions_ = Ranks(sum.functions.size(), [this](uint32_t a, uint32_t b) {
      return FunctionKey(a) < FunctionKey(b);
    });
    locations_ = Ranks(sum.locations.size(), [this](uint32_t a, uint32_t b) {
      return LocationBefore(sum_.locations.WordsAt(a),
                            sum_.locations.WordsAt(b));
    });
    label_sets_ = Ranks(sum.label_sets.size(), [this](uint32_t a, uint32_t b) {
      return LabelsBefore(sum_.label_sets.WordsAt(a),
                          sum_.label_sets.WordsAt(b));
    });
  }

  std::vector<uint32_t> Samples() const {
    std::vector<uint32_t> samples = Numbers(sum_.samples.size());
    std::sort(samples.begin(), samples.end(), [this](uint32_t a, uint32_t b) {
      return SampleBefore(sum_.samples[a], sum_.samples[b]);
    });
    return samples;
  }

 private:
  std::tuple<uint32_t, uint32_t, uint32_t, int64_t> FunctionKey(
      uint32_t number) const {
    const SumTables::Function function =
        SumTables::Function::Read(sum_.functions.WordsAt(number));
    return {strings_[function.name], strings_[function.system_name],
            strings_[function.filename], function.start_line};
  }

  std::tuple<uint64_t, uint64_t, uint32_t> LocationKey(Words words) const {
    const SumTables::Location location = SumTables::Location::Read(words);
    const uint64_t mapping = location.mapping == SumTables::kNoMapping
                                 ? 0
                                 : uint64_t{mappings_[location.mapping]} + 1;
    return {mapping, location.offset, location.is_folded};
  }

  bool LocationBefore(Words a, Words b) const {
    const auto of_a = LocationKey(a);
    const auto of_b = LocationKey(b);
    if (of_a != of_b) return of_a < of_b;
    return RecordsBefore(
        a.subspan(SumTables::Location::kWords),
        b.subspan(SumTables::Location::kWords), SumTables::Line::kWords,
        [this](const uint32_t* words) {
          const auto line = SumTables::Line::Read(words);
          return std::tuple(functions_[line.function], line.line, line.column);
        });
  }

  bool LabelsBefore(Words a, Words b) const {
    return RecordsBefore(
        a, b, SumTables::Label::kWords, [this](const uint32_t* words) {
          const auto label = SumTables::Label::Read(words);
          return std::tuple(strings_[label.key], strings_[label.text],
                            label.number, strings_[label.unit]);
        });
  }

  bool SampleBefore(const SumTables::Sample& a,
                    const SumTables::Sample& b) const {
    if (a.stack == b.stack) {
      return label_sets_[a.label_set] < label_sets_[b.label_set];
    }
    const Words stack_a = sum_.stacks.WordsAt(a.stack);
    const Words stack_b = sum_.stacks.WordsAt(b.stack);
    auto next_a = stack_a.rbegin();
    auto next_b = stack_b.rbegin();
    for (; next_a != stack_a.rend() && next_b != stack_b.rend();
         ++next_a, ++next_b) {
      if (*next_a != *next_b) return locations_[*next_a] < locations_[*next_b];
    }
    return stack_a.size() < stack_b.size();
  }

  const SumTables& sum_;

  // Ranks by number.
  std::vector<uint32_t> strings_;
  std::vector<uint32_t> mappings_;
  std::vector<uint32_t> functions_;
  std::vector<uint32_t> locations_;
  std::vector<uint32_t> label_sets_;
};

}  // namespace

std::vector<uint32_t> SampleOrder(const SumTables& sum) {
  if (sum.decides == Decides::kFirst) return Numbers(sum.samples.size());
  return ContentOrder(sum).Samples();
}

}  // namespace wallprof
