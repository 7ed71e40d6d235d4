#include "fleet/store/local/sqlite.h"

#include <sqlite3.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace wallprof::store::local {
namespace {

// Of one process; its own threads wait for each other for no longer than a
// checkpoint takes.
constexpr int kBusyTimeoutMs = 10'000;

absl::Status ErrorOf(sqlite3* database) {
  const std::string message = absl::StrCat("index: ", sqlite3_errmsg(database));
  const int error = sqlite3_system_errno(database);
  switch (sqlite3_errcode(database) & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_IOERR:
      if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
        return absl::ResourceExhaustedError(message);
      }
      return absl::UnavailableError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace

Statement::Statement(sqlite3* database, std::string_view sql)
    : database_(database) {
  if (sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement_,
                         nullptr) != SQLITE_OK) {
    error_ = ErrorOf(database);
  }
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Bind(int64_t value) {
  if (statement_ != nullptr &&
      sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) {
    error_ = ErrorOf(database_);
  }
  return *this;
}

Statement& Statement::Bind(std::string_view value) {
  // No text is told from an empty one by its pointer.
  const char* const text = value.data() == nullptr ? "" : value.data();
  if (statement_ != nullptr && sqlite3_bind_text(statement_, ++bound_, text,
                                                 static_cast<int>(value.size()),
                                                 SQLITE_STATIC) != SQLITE_OK) {
    error_ = ErrorOf(database_);
  }
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (!error_.ok()) return error_;
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return ErrorOf(database_);
  }
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = true;
  while (row.ok() && *row) row = Step();
  Reset();
  return row.status();
}

int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::Text(int column) const {
  const auto* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

void Statement::Reset() {
  if (statement_ == nullptr) return;
  // What it returns is the error of the last step, told already.
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bound_ = 0;
  error_ = absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    const std::string& path) {
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      nullptr);
  if (handle == nullptr) return absl::UnavailableError("index: no memory");
  std::unique_ptr<Database> database(new Database(handle));
  if (opened != SQLITE_OK) return ErrorOf(handle);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  if (absl::Status set = database->Execute(
          "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
      !set.ok()) {
    return set;
  }
  return database;
}

Database::~Database() {
  statements_.clear();
  sqlite3_close_v2(database_);
}

absl::Status Database::Execute(const std::string& sql) {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) ==
      SQLITE_OK) {
    return absl::OkStatus();
  }
  return ErrorOf(database_);
}

Statement& Database::Use(std::string_view sql) {
  auto it = statements_.find(sql);
  if (it == statements_.end()) {
    it = statements_.emplace(sql, Prepare(sql)).first;
  } else {
    it->second->Reset();
  }
  return *it->second;
}

std::unique_ptr<Statement> Database::Prepare(std::string_view sql) {
  return std::make_unique<Statement>(database_, sql);
}

int64_t Database::changed() const { return sqlite3_changes64(database_); }

int64_t Database::last_key() const {
  return sqlite3_last_insert_rowid(database_);
}

Transaction::Transaction(Database& database)
    : database_(database),
      begun_(database.Use("BEGIN IMMEDIATE").Run()),
      is_open_(begun_.ok()) {}

Transaction::~Transaction() {
  // SQLite may have undone it already, after an error; else this does.
  if (is_open_) database_.Use("ROLLBACK").Run().IgnoreError();
}

absl::Status Transaction::Commit() {
  absl::Status committed = database_.Use("COMMIT").Run();
  if (committed.ok()) is_open_ = false;
  return committed;
}

}  // namespace wallprof::store::local
