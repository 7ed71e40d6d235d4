#include "fleet/postgres/rows.h"

#include <libpq-fe.h>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace wallprof::postgres {

void Rows::Clear::operator()(pg_result* result) const { PQclear(result); }

int Rows::size() const { return PQntuples(result_.get()); }

std::string_view Rows::Text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int64_t Rows::Number(int row, int column) const {
  int64_t number = 0;
  // The columns are of whole numbers; null is 0.
  static_cast<void>(
      absl::SimpleAtoi(PQgetvalue(result_.get(), row, column), &number));
  return number;
}

bool Rows::IsTrue(int row, int column) const {
  return Text(row, column) == "t";
}

std::string Rows::Bytes(int row, int column) const {
  std::string_view hex = Text(row, column);
  hex.remove_prefix(hex.substr(0, 2) == "\\x" ? 2 : 0);
  return absl::HexStringToBytes({hex.data(), hex.size()});
}

std::string BytesLiteral(std::string_view bytes) {
  return absl::StrCat("\\x",
                      absl::BytesToHexString({bytes.data(), bytes.size()}));
}

void ArrayLiteral::Separate() {
  if (text_.size() > 1) text_ += ',';
}

ArrayLiteral& ArrayLiteral::Add(int64_t number) {
  Separate();
  absl::StrAppend(&text_, number);
  return *this;
}

ArrayLiteral& ArrayLiteral::Add(std::string_view text) {
  Separate();
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
  return *this;
}

}  // namespace wallprof::postgres
