#include "fleet/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace wallprof::postgres {
namespace {

// A statement of ours takes milliseconds; one that waits so long for a lock or
// a disk may as well be tried again.
constexpr absl::Duration kStatementTimeout = absl::Seconds(20);

constexpr size_t kMaxErrorText = 300;

constexpr char kCheckPayload[] = "wallprof/postgres/check-violation";

// What a statement's behaviour depends on, whatever the server's defaults are.
// Compiling queries takes longer than ours run.
constexpr char kSettings[] = R"(
SET idle_in_transaction_session_timeout = '60s';
SET default_transaction_isolation = 'read committed';
SET bytea_output = 'hex';
SET jit = off;
SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') = 'off';
)";

// In order of precedence; PostgreSQL's manual, appendix A.
struct ErrorClass {
  std::string_view prefix;
  absl::StatusCode code;
};
constexpr ErrorClass kErrorClasses[] = {
    {"53100", absl::StatusCode::kResourceExhausted},  // disk full
    {"53", absl::StatusCode::kUnavailable},           // too many connections
    {"08", absl::StatusCode::kUnavailable},           // connection
    {"25006", absl::StatusCode::kUnavailable},  // read only: no primary now
    {"40", absl::StatusCode::kUnavailable},     // deadlock, serialization
    {"55", absl::StatusCode::kUnavailable},     // lock not available
    {"57", absl::StatusCode::kUnavailable},     // shut down, timed out
    {"58030", absl::StatusCode::kUnavailable},  // input and output
    {"XX", absl::StatusCode::kDataLoss},        // corrupted
    {"58", absl::StatusCode::kDataLoss},        // a file is missing
    {"42P01", absl::StatusCode::kDataLoss},     // a table is missing
    {"42703", absl::StatusCode::kDataLoss},     // a column is missing
    {"28", absl::StatusCode::kPermissionDenied},
    {"42501", absl::StatusCode::kPermissionDenied},
    {"3", absl::StatusCode::kFailedPrecondition},  // no such database or schema
};

absl::StatusCode CodeOf(std::string_view state) {
  for (const ErrorClass& known : kErrorClasses) {
    if (state.substr(0, known.prefix.size()) == known.prefix) return known.code;
  }
  return absl::StatusCode::kInternal;
}

std::string OneLine(const char* text) {
  std::string line(text, strnlen(text, kMaxErrorText));
  for (char& c : line) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return std::string(absl::StripAsciiWhitespace(line));
}

}  // namespace

void Connection::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

// libpq quotes what it cannot read, which may be all of the URL.
absl::Status Connection::CheckUrl(const std::string& url) {
  char* error = nullptr;
  PQconninfoOption* options = PQconninfoParse(url.c_str(), &error);
  if (options != nullptr) {
    PQconninfoFree(options);
    return absl::OkStatus();
  }
  const std::string why = error == nullptr ? "out of memory" : OneLine(error);
  PQfreemem(error);
  return absl::InvalidArgumentError(
      absl::StrCat("the URL of PostgreSQL cannot be read: ",
                   why.substr(0, why.find_first_of("\":"))));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(
    const std::string& url) {
  if (absl::Status checked = CheckUrl(url); !checked.ok()) return checked;
  // What is before "dbname" gives way to the URL, what is after does not. A
  // server that vanished without a word is noticed in about 20 seconds, and of
  // several servers that which can be written is taken.
  const std::pair<const char*, const char*> words[] = {
      {"connect_timeout", "5"},         {"tcp_user_timeout", "20000"},
      {"keepalives_idle", "10"},        {"keepalives_interval", "5"},
      {"keepalives_count", "2"},        {"target_session_attrs", "read-write"},
      {"application_name", "wallprof"}, {"dbname", url.c_str()},
      {"client_encoding", "UTF8"}};
  std::vector<const char*> names, values;
  for (const auto& [name, value] : words) {
    names.push_back(name);
    values.push_back(value);
  }
  names.push_back(nullptr);
  values.push_back(nullptr);

  std::unique_ptr<Connection> opened(new Connection);
  opened->connection_.reset(
      PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/1));
  if (absl::Status set_up = opened->SetUp(); !set_up.ok()) return set_up;
  return opened;
}

absl::Status Connection::SetUp() {
  PGconn* connection = connection_.get();
  if (connection == nullptr) return absl::UnavailableError("out of memory");
  const auto text = [](const char* value) {
    return std::string(value == nullptr ? "" : value);
  };
  place_ = absl::StrCat("PostgreSQL at ", text(PQhost(connection)), ":",
                        text(PQport(connection)), "/", text(PQdb(connection)));
  // They would go to standard error; what ends a call is in its error.
  PQsetNoticeReceiver(
      connection, [](void*, const PGresult*) {}, nullptr);
  if (PQstatus(connection) != CONNECTION_OK ||
      PQsetnonblocking(connection, 1) != 0) {
    return Broken(PQerrorMessage(connection));
  }
  return RunScript(absl::StrCat(
      "SET statement_timeout = ", absl::ToInt64Milliseconds(kStatementTimeout),
      ";", kSettings));
}

absl::StatusOr<Rows> Connection::Run(const std::string& sql,
                                     absl::Span<const std::string> parameters,
                                     absl::Duration patience) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) {
    values.push_back(parameter.c_str());
  }
  if (PQsendQueryParams(connection_.get(), sql.c_str(),
                        static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, /*resultFormat=*/0) != 1) {
    return Broken(PQerrorMessage(connection_.get()));
  }
  return Answer(patience);
}

absl::Status Connection::RunScript(const std::string& sql) {
  if (PQsendQuery(connection_.get(), sql.c_str()) != 1) {
    return Broken(PQerrorMessage(connection_.get()));
  }
  return Answer(kAnswerTimeout).status();
}

// That of the last statement, or the first error.
absl::StatusOr<Rows> Connection::Answer(absl::Duration patience) {
  const absl::Time end = absl::Now() + patience;
  absl::StatusOr<Rows> answer = Rows();
  for (;;) {
    if (absl::Status waited = AwaitAnswer(end); !waited.ok()) return waited;
    PGresult* result = PQgetResult(connection_.get());
    if (result == nullptr) break;
    Rows rows(result);
    const ExecStatusType status = PQresultStatus(result);
    if (!answer.ok()) continue;
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      answer = std::move(rows);
    } else {
      answer = ErrorOf(result);
    }
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    broken_ = true;
    if (answer.ok()) return Broken(PQerrorMessage(connection_.get()));
  }
  return answer;
}

absl::Status Connection::AwaitAnswer(absl::Time end) {
  PGconn* connection = connection_.get();
  for (;;) {
    const int unsent = PQflush(connection);
    if (unsent < 0) return Broken(PQerrorMessage(connection));
    if (unsent == 0 && PQisBusy(connection) == 0) return absl::OkStatus();
    const absl::Duration left = end - absl::Now();
    if (left <= absl::ZeroDuration()) return Broken("it does not answer");
    pollfd waited = {PQsocket(connection),
                     static_cast<short>(POLLIN | (unsent > 0 ? POLLOUT : 0)),
                     0};
    const int ready =
        poll(&waited, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (ready < 0 && errno != EINTR) return Broken(strerror(errno));
    if (ready > 0 && (waited.revents & ~POLLOUT) != 0 &&
        PQconsumeInput(connection) != 1) {
      return Broken(PQerrorMessage(connection));
    }
  }
}

absl::Status Connection::Broken(const std::string& why) {
  broken_ = true;
  return absl::UnavailableError(
      absl::StrCat(place_, ": ", OneLine(why.c_str())));
}

absl::Status Connection::ErrorOf(const PGresult* result) const {
  const auto field = [result](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text == nullptr ? "" : text);
  };
  const std::string state = field(PG_DIAG_SQLSTATE);
  if (state.empty()) {  // libpq's own: the connection is gone
    return absl::UnavailableError(
        absl::StrCat(place_, ": ", OneLine(PQresultErrorMessage(result))));
  }
  const std::string text = field(PG_DIAG_MESSAGE_PRIMARY);
  absl::Status status(CodeOf(state),
                      absl::StrCat(place_, ": ", OneLine(text.c_str())));
  if (state == "23514") {
    status.SetPayload(kCheckPayload, absl::Cord());
  }
  return status;
}

bool Connection::IsIdle() const {
  return !broken_ && PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}

bool IsCheckViolation(const absl::Status& status) {
  return status.GetPayload(kCheckPayload).has_value();
}

}  // namespace wallprof::postgres
