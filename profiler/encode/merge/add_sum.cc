#include "profiler/encode/merge/add_to_sum.h"
#include "profiler/encode/merge/sequence_batch.h"

namespace wallprof {
namespace {

class SumAdder {
 public:
  SumAdder(const SumTables& other, size_t types, SumTables& sum)
      : other_(other), types_(types), sum_(sum) {}

  bool Add(size_t max_bytes) && {
    if (!sum_.MakeRoom(Growth(), max_bytes)) return false;
    strings_ = AddStrings(other_.strings, sum_.strings);
    AddStrings(other_.comments, sum_.comments);
    AddMappings();
    AddFunctions();
    AddLocations();
    AddLabelSets();
    AddSamples();
    return true;
  }

 private:
  using Added = absl::Span<const AddedSequence>;

  // Keeps the number of each sequence by its number in the other sum.
  struct Note {
    FlatArray<uint32_t>& numbers;
    void operator()(Added added) const {
      for (AddedSequence sequence : added) {
        numbers[sequence.tag] = sequence.number;
      }
    }
  };

  static SumGrowth::OfSet All(const SequenceSet& set) {
    return {set.size(), set.words()};
  }

  SumGrowth Growth() const {
    SumGrowth growth;
    growth.strings = All(other_.strings);
    growth.comments = All(other_.comments);
    growth.mappings = All(other_.mapping_identities);
    growth.functions = All(other_.functions);
    growth.locations = All(other_.locations);
    growth.label_sets = All(other_.label_sets);
    growth.stacks = All(other_.stacks);
    growth.samples = other_.samples.size();
    growth.values = other_.values.size();
    return growth;
  }

  // Numbers of `from`'s strings in `to`.
  static FlatArray<uint32_t> AddStrings(const SequenceSet& from,
                                        SequenceSet& to) {
    FlatArray<uint32_t> numbers;
    numbers.Assign(from.size(), FlatIndex::kNone);
    SequenceBatch batch(to, Note{numbers});
    for (uint32_t i = 0; i < from.size(); ++i) batch.Push(i, from.BytesAt(i));
    batch.Flush();
    return numbers;
  }

  // Numbers of `from`'s sequences in `to`, once `translate` has written them
  // to a batch.
  template <typename Translate>
  static FlatArray<uint32_t> AddAll(const SequenceSet& from, SequenceSet& to,
                                    Translate translate) {
    FlatArray<uint32_t> numbers;
    numbers.Assign(from.size(), FlatIndex::kNone);
    SequenceBatch batch(to, Note{numbers});
    for (uint32_t i = 0; i < from.size(); ++i) {
      translate(from.WordsAt(i), batch);
      batch.PushWritten(i);
    }
    batch.Flush();
    return numbers;
  }

  void AddMappings() {
    if (other_.first_mapping.has_value()) {
      OfferFirstMapping(sum_, InSum(*other_.first_mapping));
    }
    for (const SumTables::Mapping& mapping : other_.mappings) {
      mappings_.push_back(AddMapping(sum_, InSum(mapping)));
    }
  }

  SumTables::Mapping InSum(SumTables::Mapping mapping) const {
    mapping.filename = strings_[mapping.filename];
    mapping.build_id = strings_[mapping.build_id];
    return mapping;
  }

  void AddFunctions() {
    functions_ = AddAll(
        other_.functions, sum_.functions, [this](Words from, auto& batch) {
          SumTables::Function function = SumTables::Function::Read(from);
          function.name = strings_[function.name];
          function.system_name = strings_[function.system_name];
          function.filename = strings_[function.filename];
          function.Write(batch.Room(from.size()));
        });
  }

  void AddLocations() {
    locations_ = AddAll(
        other_.locations, sum_.locations, [this](Words from, auto& batch) {
          SumTables::Location location = SumTables::Location::Read(from);
          if (location.mapping != SumTables::kNoMapping) {
            location.mapping = mappings_[location.mapping];
          }
          uint32_t* words = batch.Room(from.size());
          location.Write(words);
          for (size_t i = SumTables::Location::kWords; i < from.size();
               i += SumTables::Line::kWords) {
            SumTables::Line line = SumTables::Line::Read(from.data() + i);
            line.function = functions_[line.function];
            line.Write(words + i);
          }
        });
  }

  void AddLabelSets() {
    label_sets_ = AddAll(
        other_.label_sets, sum_.label_sets, [this](Words from, auto& batch) {
          uint32_t* words = batch.Room(from.size());
          for (size_t i = 0; i < from.size(); i += SumTables::Label::kWords) {
            SumTables::Label label = SumTables::Label::Read(from.data() + i);
            label.key = strings_[label.key];
            label.text = strings_[label.text];
            label.unit = strings_[label.unit];
            label.Write(words + i);
          }
        });
  }

  // In the order of samples and not of stacks, which are numbered alike but
  // may each have several.
  void AddSamples() {
    SequenceBatch batch(sum_.stacks, [this](Added added) {
      for (AddedSequence stack : added) sum_.PrefetchSample(stack.number);
      for (AddedSequence stack : added) {
        sum_.AddValues(stack.number,
                       label_sets_[other_.samples[stack.tag].label_set],
                       other_.values.data() + stack.tag * types_, types_);
      }
    });
    for (uint32_t i = 0; i < other_.samples.size(); ++i) {
      Words stack = other_.stacks.WordsAt(other_.samples[i].stack);
      uint32_t* words = batch.Room(stack.size());
      for (uint32_t location : stack) *words++ = locations_[location];
      batch.PushWritten(i);
    }
    batch.Flush();
  }

  const SumTables& other_;
  size_t types_;
  SumTables& sum_;

  // Numbers in the sum, by numbers in the other.
  FlatArray<uint32_t> strings_;
  FlatArray<uint32_t> mappings_;
  FlatArray<uint32_t> functions_;
  FlatArray<uint32_t> locations_;
  FlatArray<uint32_t> label_sets_;
};

}  // namespace

bool AddToSum(const SumTables& other, size_t types, size_t max_bytes,
              SumTables& sum) {
  return SumAdder(other, types, sum).Add(max_bytes);
}

}  // namespace wallprof
