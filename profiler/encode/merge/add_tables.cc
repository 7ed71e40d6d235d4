#include <algorithm>

#include "absl/types/span.h"
#include "profiler/encode/merge/add_to_sum.h"
#include "profiler/encode/merge/sequence_batch.h"

namespace wallprof {
namespace {

class TablesAdder {
 public:
  TablesAdder(const PprofTables& message, SumTables& sum)
      : message_(message), sum_(sum) {}

  bool Add(size_t max_bytes) && {
    WantStrings();
    if (!sum_.MakeRoom(Growth(), max_bytes)) return false;
    AddStrings();
    AddComments();
    AddMappings();
    AddFunctions();
    AddLocations();
    AddLabelSets();
    AddSamples();
    return true;
  }

 private:
  // Instead of an entity's number in the sum.
  static constexpr uint32_t kUnused = FlatIndex::kNone;
  static constexpr uint32_t kWanted = kUnused - 1;

  using Added = absl::Span<const AddedSequence>;

  // Keeps the number of each sequence by its place in the message.
  struct Note {
    FlatArray<uint32_t>& numbers;
    void operator()(Added added) const {
      for (AddedSequence sequence : added) {
        numbers[sequence.tag] = sequence.number;
      }
    }
  };

  // Where content decides, unused ones count for nothing: they go when it is
  // written, and a sum of sums must not know more than one of profiles.
  bool TakesFirstMapping() const {
    return sum_.decides == Decides::kFirst && !sum_.first_mapping.has_value() &&
           !message_.mappings.empty();
  }

  void WantStrings() {
    strings_.Assign(message_.strings.size(), kUnused);
    for (const PprofTables::Function& function : message_.functions) {
      if (!function.is_used) continue;
      Want(function.name);
      Want(function.system_name);
      Want(function.filename);
    }
    for (const PprofTables::Mapping& mapping : message_.mappings) {
      if (mapping.is_used) WantStrings(mapping);
    }
    if (TakesFirstMapping()) WantStrings(message_.mappings[0]);
    for (const PprofTables::LabelSet& set : message_.label_sets) {
      if (!set.is_used) continue;
      for (uint32_t i = set.begin; i < set.end; ++i) {
        Want(message_.labels[i].key);
        Want(message_.labels[i].text);
        Want(message_.labels[i].unit);
      }
    }
  }

  void WantStrings(const PprofTables::Mapping& mapping) {
    Want(mapping.filename);
    Want(mapping.build_id);
  }

  void Want(uint32_t string) {
    if (strings_[string] != kUnused) return;
    strings_[string] = kWanted;
    wanted_.push_back(string);
  }

  // What is used may all be new.
  SumGrowth Growth() const {
    SumGrowth growth;
    growth.strings.sequences = wanted_.size();
    for (uint32_t string : wanted_) {
      growth.strings.words += WordsFor(message_.strings[string].size());
    }
    growth.comments.sequences = message_.comments.size();
    for (uint32_t comment : message_.comments) {
      growth.comments.words += WordsFor(message_.strings[comment].size());
    }
    growth.mappings.sequences = message_.mappings.size();
    growth.mappings.words = message_.mappings.size() * kIdentityWords;
    for (const PprofTables::Function& function : message_.functions) {
      growth.functions.sequences += function.is_used ? 1 : 0;
    }
    growth.functions.words =
        growth.functions.sequences * SumTables::Function::kWords;
    for (const PprofTables::Location& location : message_.locations) {
      if (!location.is_used) continue;
      ++growth.locations.sequences;
      growth.locations.words += WordsOf(location);
    }
    for (const PprofTables::LabelSet& set : message_.label_sets) {
      if (!set.is_used) continue;
      ++growth.label_sets.sequences;
      growth.label_sets.words +=
          (set.end - set.begin) * SumTables::Label::kWords;
    }
    growth.stacks.sequences = message_.samples.size();
    growth.stacks.words = message_.sample_locations.size();
    growth.samples = message_.samples.size();
    growth.values = message_.values.size();
    return growth;
  }

  static size_t WordsOf(const PprofTables::Location& location) {
    return SumTables::Location::kWords +
           (location.lines_end - location.lines_begin) *
               SumTables::Line::kWords;
  }

  void AddStrings() {
    SequenceBatch batch(sum_.strings, Note{strings_});
    for (uint32_t string : wanted_) {
      batch.Push(string, message_.strings[string]);
    }
    batch.Flush();
  }

  void AddComments() {
    SequenceBatch batch(sum_.comments, [](Added) {});
    for (uint32_t comment : message_.comments) {
      batch.Push(comment, message_.strings[comment]);
    }
    batch.Flush();
  }

  void AddMappings() {
    const auto& mappings = message_.mappings;
    if (TakesFirstMapping()) OfferFirstMapping(sum_, InSum(mappings[0]));
    mappings_.Assign(mappings.size(), kUnused);
    const size_t known = sum_.mappings.size();
    size_t used = 0;
    size_t old = 0;
    for (size_t i = 0; i < mappings.size(); ++i) {
      if (!mappings[i].is_used) continue;
      SumTables::Mapping mapping = InSum(mappings[i]);
      if (used++ == 0 && sum_.decides == Decides::kContent) {
        OfferFirstMapping(sum_, mapping);
      }
      mappings_[i] = AddMapping(sum_, mapping);
      old += mappings_[i] < known ? 1 : 0;
    }
    const bool are_distinct = sum_.mappings.size() - known == used - old;
    if (!are_distinct && sum_.decides == Decides::kFirst) KeepFirstUsed(known);
  }

  // Of mappings from `known` on that are one to the sum, the one that a sample
  // leads to first is kept.
  void KeepFirstUsed(size_t known) {
    FlatArray<bool> is_settled;
    is_settled.Assign(sum_.mappings.size(), false);
    for (uint32_t place : message_.sample_locations) {
      uint64_t i = message_.locations[place].mapping;
      if (i == PprofTables::kNoMapping) continue;
      uint32_t number = mappings_[i];
      if (number < known || is_settled[number]) continue;
      is_settled[number] = true;
      sum_.mappings[number] = InSum(message_.mappings[i]);
    }
  }

  SumTables::Mapping InSum(const PprofTables::Mapping& mapping) const {
    return {mapping.start,
            mapping.limit,
            mapping.file_offset,
            strings_[mapping.filename],
            strings_[mapping.build_id],
            mapping.has_functions,
            mapping.has_filenames,
            mapping.has_line_numbers,
            mapping.has_inline_frames};
  }

  void AddFunctions() {
    const auto& functions = message_.functions;
    functions_.Assign(functions.size(), kUnused);
    SequenceBatch batch(sum_.functions, Note{functions_});
    for (size_t i = 0; i < functions.size(); ++i) {
      const PprofTables::Function& function = functions[i];
      if (!function.is_used) continue;
      SumTables::Function{strings_[function.name],
                          strings_[function.system_name],
                          strings_[function.filename], function.start_line}
          .Write(batch.Room(SumTables::Function::kWords));
      batch.PushWritten(static_cast<uint32_t>(i));
    }
    batch.Flush();
  }

  void AddLocations() {
    const auto& locations = message_.locations;
    locations_.Assign(locations.size(), kUnused);
    SequenceBatch batch(sum_.locations, Note{locations_});
    for (size_t i = 0; i < locations.size(); ++i) {
      const PprofTables::Location& location = locations[i];
      if (!location.is_used) continue;
      SumTables::Location in_sum = {location.address, SumTables::kNoMapping,
                                    location.is_folded};
      if (location.mapping != PprofTables::kNoMapping) {
        in_sum.offset -= message_.mappings[location.mapping].start;
        in_sum.mapping = mappings_[location.mapping];
      }
      uint32_t* words = batch.Room(WordsOf(location));
      in_sum.Write(words);
      words += SumTables::Location::kWords;
      for (uint64_t j = location.lines_begin; j < location.lines_end; ++j) {
        const PprofTables::Line& line = message_.lines[j];
        SumTables::Line{functions_[line.function], line.line, line.column}
            .Write(words);
        words += SumTables::Line::kWords;
      }
      batch.PushWritten(static_cast<uint32_t>(i));
    }
    batch.Flush();
  }

  void AddLabelSets() {
    const auto& sets = message_.label_sets;
    label_sets_.Assign(sets.size(), kUnused);
    SequenceBatch batch(sum_.label_sets, Note{label_sets_});
    for (size_t i = 0; i < sets.size(); ++i) {
      const PprofTables::LabelSet& set = sets[i];
      if (!set.is_used) continue;
      uint32_t* words =
          batch.Room((set.end - set.begin) * SumTables::Label::kWords);
      for (uint32_t j = set.begin; j < set.end; ++j) {
        const PprofTables::Label& label = message_.labels[j];
        SumTables::Label{strings_[label.key], strings_[label.text],
                         strings_[label.unit], label.number}
            .Write(words);
        words += SumTables::Label::kWords;
      }
      batch.PushWritten(static_cast<uint32_t>(i));
    }
    batch.Flush();
  }

  void AddSamples() {
    const size_t types = message_.types.size();
    SequenceBatch batch(sum_.stacks, [this, types](Added added) {
      for (AddedSequence stack : added) sum_.PrefetchSample(stack.number);
      for (AddedSequence stack : added) {
        sum_.AddValues(stack.number,
                       label_sets_[message_.samples[stack.tag].label_set],
                       message_.values.data() + stack.tag * types, types);
      }
    });
    const uint32_t* place = message_.sample_locations.data();
    for (size_t i = 0; i < message_.samples.size(); ++i) {
      const uint32_t* end =
          message_.sample_locations.data() + message_.samples[i].locations_end;
      uint32_t* words = batch.Room(end - place);
      while (place != end) *words++ = locations_[*place++];
      batch.PushWritten(static_cast<uint32_t>(i));
    }
    batch.Flush();
  }

  const PprofTables& message_;
  SumTables& sum_;

  FlatArray<uint32_t> wanted_;  // strings that something used names

  // Numbers in the sum, by places in the message.
  FlatArray<uint32_t> strings_;
  FlatArray<uint32_t> mappings_;
  FlatArray<uint32_t> functions_;
  FlatArray<uint32_t> locations_;
  FlatArray<uint32_t> label_sets_;
};

}  // namespace

bool AddToSum(const PprofTables& message, size_t max_bytes, SumTables& sum) {
  return TablesAdder(message, sum).Add(max_bytes);
}

}  // namespace wallprof
