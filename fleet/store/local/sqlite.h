// SQLite, as much of it as an index needs.
#ifndef WALLPROF_FLEET_STORE_LOCAL_SQLITE_H_
#define WALLPROF_FLEET_STORE_LOCAL_SQLITE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace wallprof::store::local {

// A prepared statement. Errors of preparing and binding are told by Step.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // The value of the next parameter, from the left. Text must last until Reset.
  Statement& Bind(int64_t value);
  Statement& Bind(std::string_view value);

  // Whether there is a row, the next one.
  absl::StatusOr<bool> Step();

  // Runs to the end and resets.
  absl::Status Run();

  // Columns of the row, from 0. Text lasts until the next step.
  int64_t Int(int column) const;
  std::string_view Text(int column) const;

  // Ready to be bound and run again.
  void Reset();

 private:
  sqlite3* const database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  absl::Status error_;
};

// A connection to a database file. For one thread at a time.
//
// Errors: ResourceExhausted where the disk is full, DataLoss for a file that is
// damaged or none, else Unavailable.
class Database {
 public:
  // Makes the file, in WAL mode, if it is not there.
  static absl::StatusOr<std::unique_ptr<Database>> Open(
      const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Several statements without parameters.
  absl::Status Execute(const std::string& sql);

  // `sql`, prepared when it is first used, and reset: of one text, one at a
  // time.
  Statement& Use(std::string_view sql);

  // One of the caller's own, however many there are.
  std::unique_ptr<Statement> Prepare(std::string_view sql);

  // Rows that the last statement changed; the key of the last row inserted.
  int64_t changed() const;
  int64_t last_key() const;

 private:
  explicit Database(sqlite3* database) : database_(database) {}

  sqlite3* const database_;
  std::map<std::string, std::unique_ptr<Statement>, std::less<>> statements_;
};

// Undone when it ends, unless Commit was.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  const absl::Status& begun() const { return begun_; }
  absl::Status Commit();

 private:
  Database& database_;
  const absl::Status begun_;
  bool is_open_;
};

}  // namespace wallprof::store::local

#endif  // WALLPROF_FLEET_STORE_LOCAL_SQLITE_H_
