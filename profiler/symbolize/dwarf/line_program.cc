#include "profiler/symbolize/dwarf/line_program.h"

#include <dwarf.h>

#include <algorithm>
#include <cstddef>

#include "profiler/symbolize/dwarf/byte_reader.h"

namespace wallprof::symbolize {
namespace {

class Run {
 public:
  Run(const LineProgramFormat& format, std::string_view program,
      const std::vector<uint64_t>& addresses, uint64_t lowest_code)
      : format_(format),
        first_special_(static_cast<uint8_t>(format.operands.size() + 1)),
        whole_(program),
        program_(program),
        addresses_(addresses),
        lowest_code_(lowest_code),
        rows_(addresses.size()),
        known_(addresses.size()) {}

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

  std::vector<LineRow> Rows() && { return std::move(rows_); }

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
      Cover(address_);
      if (in_sequence_ && !ignored_) AddSequence();
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

  // A row reaches up to the next one.
  void Emit() {
    if (!in_sequence_) {
      in_sequence_ = true;
      begin_ = address_;
      ignored_ = address_ < lowest_code_;
      next_ = std::lower_bound(addresses_.begin(), addresses_.end(), address_) -
              addresses_.begin();
    } else {
      Cover(address_);
    }
    held_ = now_;
    now_.discriminator = 0;  // said anew for each row
  }

  void Cover(uint64_t end) {
    if (!in_sequence_ || ignored_) return;
    for (; next_ < addresses_.size() && addresses_[next_] < end; ++next_) {
      if (known_[next_]) continue;
      known_[next_] = true;
      rows_[next_] = held_;
    }
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
  const std::vector<uint64_t>& addresses_;
  const uint64_t lowest_code_;
  std::vector<LineRow> rows_;
  std::vector<bool> known_;
  std::vector<LineSequence> sequences_;

  uint64_t address_ = 0;
  LineRow now_;
  LineRow held_;     // the last row
  size_t next_ = 0;  // address that no row of the sequence has reached
  bool in_sequence_ = false;
  bool ignored_ = false;
  bool ended_ = false;
  uint64_t begin_ = 0;  // of the sequence
  size_t start_ = 0;    // the same in the program
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
  Run run(format, program, addresses, lowest_code);
  if (sequences.empty()) {
    sequences = run.All();
  } else {
    for (const LineSequence& sequence : sequences) {
      if (Covers(sequence, addresses)) run.One(sequence);
    }
  }
  return std::move(run).Rows();
}

}  // namespace wallprof::symbolize
