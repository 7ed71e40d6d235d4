#include "profiler/symbolize/dwarf/line_program.h"

#include <dwarf.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "profiler/symbolize/dwarf/byte_reader.h"

namespace wallprof::symbolize {
namespace {

// Runs a program. What becomes of its rows is the matter of `Rows`, which has
//   void Begin(uint64_t address);   a sequence
//   void Add(const LineRow& row, uint64_t address);
//   void End(uint64_t address);
// and is told nothing of what the linker left out.
template <typename Rows>
class Run {
 public:
  Run(const LineProgramFormat& format, std::string_view program,
      uint64_t lowest_code, Rows& rows)
      : format_(format),
        first_special_(static_cast<uint8_t>(format.operands.size() + 1)),
        whole_(program),
        program_(program),
        lowest_code_(lowest_code),
        rows_(rows) {}

  // Returns the sequences.
  std::vector<LineSequence> All() {
    Restart();
    while (!program_.at_end()) Step();
    return std::move(sequences_);
  }

  void One(const LineSequence& sequence) {
    if (sequence.at >= whole_.size()) return;
    program_ = ByteReader(whole_.substr(sequence.at));
    Restart();
    for (ended_ = false; !ended_ && !program_.at_end();) Step();
  }

 private:
  void Step() {
    const auto opcode = static_cast<uint8_t>(program_.Fixed(1));
    if (opcode >= first_special_) {
      Special(static_cast<uint8_t>(opcode - first_special_));
    } else if (opcode == 0) {
      const uint64_t size = program_.Leb128();
      Extended(program_.Take(size));
    } else {
      Standard(opcode);
    }
  }

  void Special(uint8_t adjusted) {
    Advance(adjusted / format_.line_range);
    now_.line += format_.line_base + adjusted % format_.line_range;
    Emit();
  }

  void Standard(uint8_t opcode) {
    switch (opcode) {
      case DW_LNS_copy:
        Emit();
        break;
      case DW_LNS_advance_pc:
        Advance(program_.Leb128());
        break;
      case DW_LNS_advance_line:
        now_.line += program_.SignedLeb128();
        break;
      case DW_LNS_set_file:
        now_.file = program_.Leb128();
        break;
      case DW_LNS_const_add_pc:
        Advance((255 - first_special_) / format_.line_range);
        break;
      case DW_LNS_fixed_advance_pc:
        address_ += program_.Fixed(2);
        break;
      default:
        for (int i = 0; i < format_.operands[opcode - 1]; ++i) {
          program_.Leb128();
        }
        break;
    }
  }

  void Extended(ByteReader operation) {
    const uint64_t opcode = operation.Fixed(1);
    if (opcode == DW_LNE_end_sequence) {
      if (in_sequence_ && !ignored_) {
        rows_.End(address_);
        AddSequence();
      }
      Restart();
      ended_ = true;
    } else if (opcode == DW_LNE_set_address) {
      address_ = operation.Fixed(8);
    } else if (opcode == DW_LNE_set_discriminator) {
      now_.discriminator = static_cast<uint32_t>(operation.Leb128());
    }
  }

  void Advance(uint64_t operations) {
    address_ += operations * format_.instruction_size;
  }

  void Emit() {
    if (!in_sequence_) {
      in_sequence_ = true;
      begin_ = address_;
      ignored_ = address_ < lowest_code_;
      if (!ignored_) rows_.Begin(address_);
    }
    if (!ignored_) rows_.Add(now_, address_);
    now_.discriminator = 0;  // said anew for each row
  }

  void AddSequence() {
    const uint64_t size = address_ - begin_;
    if (size != static_cast<uint32_t>(size) ||
        start_ != static_cast<uint32_t>(start_)) {
      return;
    }
    sequences_.push_back(
        {begin_, static_cast<uint32_t>(size), static_cast<uint32_t>(start_)});
  }

  void Restart() {
    start_ = whole_.size() - program_.rest().size();
    address_ = 0;
    now_ = {1, 1, 0};
    in_sequence_ = false;
  }

  const LineProgramFormat& format_;
  const uint8_t first_special_;
  const std::string_view whole_;
  ByteReader program_;
  const uint64_t lowest_code_;
  Rows& rows_;
  std::vector<LineSequence> sequences_;

  uint64_t address_ = 0;
  LineRow now_;
  bool in_sequence_ = false;
  bool ignored_ = false;
  bool ended_ = false;
  uint64_t begin_ = 0;  // of the sequence
  size_t start_ = 0;    // the same in the program
};

// The rows in force at some sorted addresses.
class RowsAt {
 public:
  explicit RowsAt(const std::vector<uint64_t>& addresses)
      : addresses_(addresses),
        rows_(addresses.size()),
        known_(addresses.size()) {}

  void Begin(uint64_t address) {
    next_ = std::lower_bound(addresses_.begin(), addresses_.end(), address) -
            addresses_.begin();
    held_ = {};
  }

  // A row reaches up to the next one.
  void Add(const LineRow& row, uint64_t address) {
    End(address);
    held_ = row;
  }

  void End(uint64_t address) {
    for (; next_ < addresses_.size() && addresses_[next_] < address; ++next_) {
      if (known_[next_]) continue;
      known_[next_] = true;
      rows_[next_] = held_;
    }
  }

  std::vector<LineRow> Take() && { return std::move(rows_); }

 private:
  const std::vector<uint64_t>& addresses_;
  std::vector<LineRow> rows_;
  std::vector<bool> known_;
  LineRow held_;     // the last row
  size_t next_ = 0;  // address that no row of the sequence has reached
};

// Where rows begin in some sorted ranges.
class RowStarts {
 public:
  explicit RowStarts(const std::vector<AddressRange>& ranges)
      : ranges_(ranges) {}

  void Begin(uint64_t) {}
  void End(uint64_t) {}

  void Add(const LineRow&, uint64_t address) {
    const auto after =
        std::upper_bound(ranges_.begin(), ranges_.end(), address,
                         [](uint64_t at, const AddressRange& range) {
                           return at < range.begin;
                         });
    const bool inside =
        after != ranges_.begin() && address < std::prev(after)->end;
    // Several rows at one address follow each other.
    if (inside && (starts_.empty() || starts_.back() != address)) {
      starts_.push_back(address);
    }
  }

  std::vector<uint64_t> Take() && { return std::move(starts_); }

 private:
  const std::vector<AddressRange>& ranges_;
  std::vector<uint64_t> starts_;
};

bool Covers(const LineSequence& sequence,
            const std::vector<uint64_t>& addresses) {
  const auto next =
      std::lower_bound(addresses.begin(), addresses.end(), sequence.begin);
  return next != addresses.end() && *next - sequence.begin < sequence.size;
}

}  // namespace

std::vector<LineRow> FindRows(const LineProgramFormat& format,
                              std::string_view program,
                              const std::vector<uint64_t>& addresses,
                              uint64_t lowest_code,
                              std::vector<LineSequence>& sequences) {
  RowsAt rows(addresses);
  Run run(format, program, lowest_code, rows);
  if (sequences.empty()) {
    sequences = run.All();
  } else {
    for (const LineSequence& sequence : sequences) {
      if (Covers(sequence, addresses)) run.One(sequence);
    }
  }
  return std::move(rows).Take();
}

std::vector<uint64_t> FindRowStarts(const LineProgramFormat& format,
                                    std::string_view program,
                                    const std::vector<AddressRange>& ranges,
                                    uint64_t lowest_code) {
  RowStarts starts(ranges);
  Run(format, program, lowest_code, starts).All();
  return std::move(starts).Take();
}

}  // namespace wallprof::symbolize
