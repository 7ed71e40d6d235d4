// One connection to PostgreSQL.
#ifndef WALLPROF_FLEET_POSTGRES_CONNECTION_H_
#define WALLPROF_FLEET_POSTGRES_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fleet/postgres/rows.h"

struct pg_conn;  // libpq's PGconn

namespace wallprof::postgres {

// For one thread at a time. Errors: Unavailable where it is worth trying again,
// ResourceExhausted where the server's disk is full, DataLoss where what should
// be there is damaged or missing, PermissionDenied or FailedPrecondition where
// the server is not set up for us. They are one line that has the server's
// place but no password.
class Connection {
 public:
  // InvalidArgument unless libpq can read it. Makes no connection.
  static absl::Status CheckUrl(const std::string& url);

  // `url` as libpq reads it; what it does not say has defaults that bound all
  // waiting. InvalidArgument if it cannot be read.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(
      const std::string& url);

  // The server ends a statement itself after 20 seconds; one that has not
  // answered by then has stopped.
  static constexpr absl::Duration kAnswerTimeout = absl::Seconds(25);

  // One statement with $1, $2, ... It is in force when this returns ok. After
  // an error it may be nevertheless if the connection is broken, as it is when
  // no answer comes within `patience`.
  absl::StatusOr<Rows> Run(const std::string& sql,
                           absl::Span<const std::string> parameters = {},
                           absl::Duration patience = kAnswerTimeout);

  // Several statements, without parameters.
  absl::Status RunScript(const std::string& sql);

  // Whether it can be used for something else: it is neither broken nor amidst
  // a transaction.
  bool IsIdle() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };

  Connection() = default;
  absl::Status SetUp();
  absl::StatusOr<Rows> Answer(absl::Duration patience);
  absl::Status AwaitAnswer(absl::Time end);
  absl::Status Broken(const std::string& why);
  absl::Status ErrorOf(const pg_result* result) const;

  std::unique_ptr<pg_conn, Finish> connection_;
  std::string place_;  // "PostgreSQL at HOST:PORT/DATABASE"
  bool broken_ = false;
};

// Whether the error is that of a condition (a CHECK) which a row does not meet,
// as where its partition is not there.
bool IsCheckViolation(const absl::Status& status);

}  // namespace wallprof::postgres

#endif  // WALLPROF_FLEET_POSTGRES_CONNECTION_H_
