// What goes to PostgreSQL and what comes back, both as text.
#ifndef WALLPROF_FLEET_STORE_SHARED_ROWS_H_
#define WALLPROF_FLEET_STORE_SHARED_ROWS_H_

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace wallprof::store::shared {

// The rows of an answer, by number and column.
class Rows {
 public:
  Rows() = default;
  explicit Rows(PGresult* result) : result_(result) {}

  int size() const { return PQntuples(result_.get()); }
  std::string_view Text(int row, int column) const;
  int64_t Number(int row, int column) const;
  bool IsTrue(int row, int column) const;
  // Of a bytea.
  std::string Bytes(int row, int column) const;

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
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

}  // namespace wallprof::store::shared

#endif  // WALLPROF_FLEET_STORE_SHARED_ROWS_H_
