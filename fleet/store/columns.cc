#include "fleet/store/columns.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace wallprof::store {
namespace {

// The messages of profile.proto.
enum Kind {
  kProfile,
  kValueType,
  kSample,
  kLabel,
  kMapping,
  kLocation,
  kLine,
  kFunction,
  kKinds
};

// What there is a column of: for each field of each message its numbers, its
// lengths and its bytes.
enum Part { kNumbers, kLengths, kBytes, kParts };

// Tags of more than a byte are no profile's.
constexpr size_t kFields = 16;
constexpr size_t kFieldColumns = kKinds * kFields * kParts;

// Then for each message its tags; the last of each is zero, which is no tag.
constexpr size_t kTagColumns = kFieldColumns;

// Then for stacks: how many frames at the root the one before has too, how many
// others there are, and their ids.
constexpr size_t kCommonColumn = kTagColumns + kKinds;
constexpr size_t kFreshColumn = kCommonColumn + 1;
constexpr size_t kIdColumn = kFreshColumn + 1;

// Then how many values samples have, and the values, of which the last column
// has the rest.
constexpr size_t kCountColumn = kIdColumn + 1;
constexpr size_t kValueColumns = kCountColumn + 1;
constexpr size_t kMaxValueColumns = 8;
constexpr size_t kColumns = kValueColumns + kMaxValueColumns;

size_t ColumnOf(Kind kind, uint32_t field, Part part) {
  return (kind * kFields + field) * kParts + part;
}

// The message that a field is; kKinds if it is none.
Kind SubmessageOf(Kind kind, uint32_t field) {
  constexpr Kind kOfProfile[] = {kKinds,   kValueType, kSample,
                                 kMapping, kLocation,  kFunction};
  if (kind == kProfile && field < std::size(kOfProfile)) {
    return kOfProfile[field];
  }
  if (kind == kSample && field == 3) return kLabel;
  if (kind == kLocation && field == 4) return kLine;
  return kKinds;
}

bool IsStack(Kind kind, uint32_t field) {
  return kind == kSample && field == 1;
}

bool AreValues(Kind kind, uint32_t field) {
  return kind == kSample && field == 2;
}

// Ids, addresses, lines and indices of names count up.
bool IsDifference(Kind kind) {
  return kind == kLocation || kind == kLine || kind == kFunction ||
         kind == kMapping;
}

uint64_t ToZigzag(uint64_t difference) {
  return difference << 1 ^ (0 - (difference >> 63));
}

uint64_t FromZigzag(uint64_t zigzag) {
  return zigzag >> 1 ^ (0 - (zigzag & 1));
}

void Put(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

bool Take(std::string_view& from, uint64_t& value) {
  // Most are of one byte.
  if (!from.empty() && static_cast<unsigned char>(from.front()) < 0x80) {
    value = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    return true;
  }
  value = 0;
  for (size_t i = 0; i < from.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte < 0x80) {
      from.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool TakeBytes(std::string_view& from, uint64_t size, std::string_view& bytes) {
  if (size > from.size()) return false;
  bytes = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

// False once something is not as a profile has it.
class Splitter {
 public:
  bool Split(Kind kind, std::string_view message) {
    while (!message.empty()) {
      uint64_t tag = 0;
      if (!Take(message, tag) || tag >= 0x80 || tag < 8) return false;
      columns_[kTagColumns + kind] += static_cast<char>(tag);
      const auto field = static_cast<uint32_t>(tag >> 3);
      uint64_t number = 0;
      std::string_view bytes;
      if (!Take(message, number)) return false;
      if ((tag & 7) == 0) {
        PutNumber(kind, field, number);
      } else if ((tag & 7) != 2 || !TakeBytes(message, number, bytes) ||
                 !SplitField(kind, field, bytes)) {
        return false;
      }
    }
    columns_[kTagColumns + kind] += '\0';
    return true;
  }

  std::string Columns() const {
    std::string all;
    for (size_t i = 0; i < kColumns; ++i) {
      if (columns_[i].empty()) continue;
      Put(all, i);
      Put(all, columns_[i].size());
      all += columns_[i];
    }
    return all;
  }

 private:
  void PutNumber(Kind kind, uint32_t field, uint64_t number) {
    const size_t column = ColumnOf(kind, field, kNumbers);
    if (IsDifference(kind)) {
      Put(columns_[column], ToZigzag(number - last_[column]));
      last_[column] = number;
    } else {
      Put(columns_[column], number);
    }
  }

  bool SplitField(Kind kind, uint32_t field, std::string_view bytes) {
    if (IsStack(kind, field)) return SplitStack(bytes);
    if (AreValues(kind, field)) return SplitValues(bytes);
    const Kind inner = SubmessageOf(kind, field);
    if (inner != kKinds) return Split(inner, bytes);
    Put(columns_[ColumnOf(kind, field, kLengths)], bytes.size());
    columns_[ColumnOf(kind, field, kBytes)] += bytes;
    return true;
  }

  // The leaf is first.
  bool SplitStack(std::string_view bytes) {
    std::vector<uint64_t> stack;
    for (uint64_t id = 0; !bytes.empty(); stack.push_back(id)) {
      if (!Take(bytes, id)) return false;
    }
    const auto differ = std::mismatch(stack.rbegin(), stack.rend(),
                                      stack_.rbegin(), stack_.rend());
    const auto common = static_cast<size_t>(differ.first - stack.rbegin());
    Put(columns_[kCommonColumn], common);
    Put(columns_[kFreshColumn], stack.size() - common);
    for (size_t i = 0; i < stack.size() - common; ++i) {
      Put(columns_[kIdColumn], ToZigzag(stack[i] - last_[kIdColumn]));
      last_[kIdColumn] = stack[i];
    }
    stack_ = std::move(stack);
    return true;
  }

  bool SplitValues(std::string_view bytes) {
    size_t count = 0;
    for (uint64_t value = 0; !bytes.empty(); ++count) {
      if (!Take(bytes, value)) return false;
      Put(columns_[kValueColumns + std::min(count, kMaxValueColumns - 1)],
          value);
    }
    Put(columns_[kCountColumn], count);
    return true;
  }

  std::array<std::string, kColumns> columns_;
  std::array<uint64_t, kColumns> last_ = {};
  std::vector<uint64_t> stack_;
};

// Bytes of a varint.
constexpr size_t kMaxVarint = 10;

char* Write(char* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

// The reverse. False once the columns are none that a Splitter makes.
class Joiner {
 public:
  // Room for a number more than fits, so that it is looked at behind each only.
  explicit Joiner(size_t bytes)
      : message_(bytes + 2 * kMaxVarint, '\0'),
        bytes_(bytes),
        at_(message_.data()),
        end_(message_.data() + bytes) {}

  bool ReadColumns(std::string_view columns) {
    while (!columns.empty()) {
      uint64_t number = 0;
      uint64_t size = 0;
      if (!Take(columns, number) || number >= kColumns ||
          !Take(columns, size) || !TakeBytes(columns, size, columns_[number])) {
        return false;
      }
    }
    return true;
  }

  // The whole message, if it is as long as it should be.
  bool Join(std::string& message) {
    if (!JoinFields(kProfile) || at_ != end_) return false;
    message_.resize(bytes_);
    message = std::move(message_);
    return true;
  }

 private:
  bool JoinFields(Kind kind) {
    std::string_view& tags = columns_[kTagColumns + kind];
    while (!tags.empty()) {
      const auto tag = static_cast<unsigned char>(tags.front());
      tags.remove_prefix(1);
      if (tag == 0) return true;
      if (tag >= 0x80 || tag < 8) return false;
      *at_++ = static_cast<char>(tag);
      const uint32_t field = tag >> 3;
      if (!((tag & 7) == 0 ? JoinNumber(kind, field)
                           : JoinField(kind, field)) ||
          at_ > end_) {
        return false;
      }
    }
    return false;
  }

  bool JoinNumber(Kind kind, uint32_t field) {
    const size_t column = ColumnOf(kind, field, kNumbers);
    uint64_t number = 0;
    if (!Take(columns_[column], number)) return false;
    if (IsDifference(kind)) number = last_[column] += FromZigzag(number);
    at_ = Write(at_, number);
    return true;
  }

  bool JoinField(Kind kind, uint32_t field) {
    const Kind inner = SubmessageOf(kind, field);
    if (!IsStack(kind, field) && !AreValues(kind, field) && inner == kKinds) {
      return JoinBytes(kind, field);
    }
    // Behind a length of one byte; most are no longer.
    char* const begin = at_++;
    if (!(IsStack(kind, field)     ? JoinStack()
          : AreValues(kind, field) ? JoinValues()
                                   : JoinFields(inner)) ||
        at_ > end_) {
      return false;
    }
    const auto size = static_cast<size_t>(at_ - begin - 1);
    char length[kMaxVarint];
    const auto length_bytes = static_cast<size_t>(Write(length, size) - length);
    if (size + length_bytes > static_cast<size_t>(end_ - begin)) return false;
    if (length_bytes > 1) std::memmove(begin + length_bytes, begin + 1, size);
    std::memcpy(begin, length, length_bytes);
    at_ = begin + length_bytes + size;
    return true;
  }

  bool JoinBytes(Kind kind, uint32_t field) {
    uint64_t size = 0;
    std::string_view bytes;
    if (!Take(columns_[ColumnOf(kind, field, kLengths)], size) ||
        !TakeBytes(columns_[ColumnOf(kind, field, kBytes)], size, bytes)) {
      return false;
    }
    at_ = Write(at_, size);
    if (at_ > end_ || bytes.size() > static_cast<size_t>(end_ - at_)) {
      return false;
    }
    at_ = std::copy(bytes.begin(), bytes.end(), at_);
    return true;
  }

  bool JoinStack() {
    uint64_t common = 0;
    uint64_t fresh = 0;
    if (!Take(columns_[kCommonColumn], common) ||
        !Take(columns_[kFreshColumn], fresh) || common > ends_.size()) {
      return false;
    }
    char* const begin = at_;
    next_ends_.clear();
    for (uint64_t i = 0; i < fresh; ++i) {
      uint64_t difference = 0;
      if (at_ > end_ || !Take(columns_[kIdColumn], difference)) return false;
      last_[kIdColumn] += FromZigzag(difference);
      at_ = Write(at_, last_[kIdColumn]);
      next_ends_.push_back(static_cast<size_t>(at_ - begin));
    }
    // What is common is at the end of both, as bytes.
    const size_t skipped = ends_.size() - common;
    const size_t from = skipped == 0 ? 0 : ends_[skipped - 1];
    const size_t moved = static_cast<size_t>(at_ - begin) - from;
    if (at_ > end_ || stack_.size() - from > static_cast<size_t>(end_ - at_)) {
      return false;
    }
    at_ = std::copy(stack_.begin() + static_cast<ptrdiff_t>(from), stack_.end(),
                    at_);
    for (size_t i = skipped; i < ends_.size(); ++i) {
      next_ends_.push_back(ends_[i] + moved);
    }
    stack_.assign(begin, at_);
    ends_.swap(next_ends_);
    return true;
  }

  bool JoinValues() {
    uint64_t count = 0;
    if (!Take(columns_[kCountColumn], count)) return false;
    for (size_t i = 0; i < count; ++i) {
      uint64_t value = 0;
      const size_t column = std::min(i, kMaxValueColumns - 1);
      if (at_ > end_ || !Take(columns_[kValueColumns + column], value)) {
        return false;
      }
      at_ = Write(at_, value);
    }
    return true;
  }

  std::string message_;
  const size_t bytes_;
  char* at_;
  char* const end_;
  std::array<std::string_view, kColumns> columns_;
  std::array<uint64_t, kColumns> last_ = {};

  // The stack before, and where each of its ids ends.
  std::string stack_;
  std::vector<size_t> ends_;
  std::vector<size_t> next_ends_;
};

}  // namespace

std::optional<std::string> SplitColumns(std::string_view message) {
  Splitter splitter;
  if (!splitter.Split(kProfile, message)) return std::nullopt;
  std::string columns = splitter.Columns();
  const absl::StatusOr<std::string> joined =
      JoinColumns(columns, static_cast<int64_t>(message.size()));
  // Numbers may be written in more ways than one.
  if (!joined.ok() || *joined != message) return std::nullopt;
  return columns;
}

absl::StatusOr<std::string> JoinColumns(std::string_view columns,
                                        int64_t message_bytes) {
  Joiner joiner(static_cast<size_t>(message_bytes));
  std::string message;
  if (!joiner.ReadColumns(columns) || !joiner.Join(message)) {
    return absl::DataLossError("record: columns are damaged");
  }
  return message;
}

}  // namespace wallprof::store
