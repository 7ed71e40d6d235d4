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
        program_(program),
        addresses_(addresses),
        lowest_code_(lowest_code),
        rows_(addresses.size()),
        known_(addresses.size()) {}

  std::vector<LineRow> Rows() && {
    Restart();
    while (!program_.at_end()) Step();
    return std::move(rows_);
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
      Cover(address_);
      Restart();
    } else if (opcode == DW_LNE_set_address) {
      address_ = operation.Fixed(8);
    }
  }

  void Advance(uint64_t operations) {
    address_ += operations * format_.instruction_size;
  }

  // A row reaches up to the next one.
  void Emit() {
    if (!in_sequence_) {
      in_sequence_ = true;
      ignored_ = address_ < lowest_code_;
      next_ = std::lower_bound(addresses_.begin(), addresses_.end(), address_) -
              addresses_.begin();
    } else {
      Cover(address_);
    }
    held_ = now_;
  }

  void Cover(uint64_t end) {
    if (!in_sequence_ || ignored_) return;
    for (; next_ < addresses_.size() && addresses_[next_] < end; ++next_) {
      if (known_[next_]) continue;
      known_[next_] = true;
      rows_[next_] = held_;
    }
  }

  void Restart() {
    address_ = 0;
    now_ = {1, 1};
    in_sequence_ = false;
  }

  const LineProgramFormat& format_;
  const uint8_t first_special_;
  ByteReader program_;
  const std::vector<uint64_t>& addresses_;
  const uint64_t lowest_code_;
  std::vector<LineRow> rows_;
  std::vector<bool> known_;

  uint64_t address_ = 0;
  LineRow now_;
  LineRow held_;     // the last row
  size_t next_ = 0;  // address that no row of the sequence has reached
  bool in_sequence_ = false;
  bool ignored_ = false;
};

}  // namespace

std::vector<LineRow> FindRows(const LineProgramFormat& format,
                              std::string_view program,
                              const std::vector<uint64_t>& addresses,
                              uint64_t lowest_code) {
  return Run(format, program, addresses, lowest_code).Rows();
}

}  // namespace wallprof::symbolize
