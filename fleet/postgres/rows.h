// What goes to PostgreSQL and what comes back, both as text.
#ifndef WALLPROF_FLEET_POSTGRES_ROWS_H_
#define WALLPROF_FLEET_POSTGRES_ROWS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

struct pg_result;  // libpq's PGresult

namespace wallprof::postgres {

// The rows of an answer, by number and column.
class Rows {
 public:
  Rows() = default;
  explicit Rows(pg_result* result) : result_(result) {}

  int size() const;
  std::string_view Text(int row, int column) const;
  int64_t Number(int row, int column) const;
  bool IsTrue(int row, int column) const;
  // Of a bytea.
  std::string Bytes(int row, int column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

// A bytea.
std::string BytesLiteral(std::string_view bytes);

// An array of one dimension, made element by element.
class ArrayLiteral {
 public:
  ArrayLiteral& Add(int64_t number);
  // Without NUL.
  ArrayLiteral& Add(std::string_view text);

  std::string Done() && { return std::move(text_ += '}'); }

 private:
  void Separate();

  std::string text_ = "{";
};

}  // namespace wallprof::postgres

#endif  // WALLPROF_FLEET_POSTGRES_ROWS_H_
