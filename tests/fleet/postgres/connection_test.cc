// What goes wrong between a program and PostgreSQL.
#include "fleet/postgres/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "fleet/postgres/connection_pool.h"
#include "tests/fleet/store/shared/servers.h"

namespace wallprof::postgres {
namespace {

using store::shared::FreshPostgresUrl;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(PostgresTest, NoErrorShowsAPassword) {
  for (const char* url :
       {"postgresql://me:hunter2@127.0.0.1:1/db",
        "host=127.0.0.1 port=1 password=hunter2",
        "postgresql://me:hunter2@[::1/db",
        "postgresql://me:hunter2@h/db?hunter2",
        "postgresql://me:%zzhunter2@h/db", "hunter2", "password='hunter2"}) {
    auto connection = Connection::Open(url);
    ASSERT_FALSE(connection.ok());
    EXPECT_THAT(std::string(connection.status().message()),
                Not(HasSubstr("hunter2")))
        << url;
  }
}

TEST(PostgresTest, ErrorsOfTheServerAreTold) {
  auto connection = Connection::Open(FreshPostgresUrl());
  ASSERT_TRUE(connection.ok()) << connection.status();
  const std::pair<const char*, absl::StatusCode> codes[] = {
      {"53100", absl::StatusCode::kResourceExhausted},  // disk full
      {"53300", absl::StatusCode::kUnavailable},        // too many connections
      {"57P03", absl::StatusCode::kUnavailable},        // starting up
      {"40P01", absl::StatusCode::kUnavailable},        // deadlock
      {"25006", absl::StatusCode::kUnavailable},        // read only
      {"XX001", absl::StatusCode::kDataLoss},           // corrupted
      {"58P01", absl::StatusCode::kDataLoss},           // missing file
      {"58030", absl::StatusCode::kUnavailable},        // input and output
      {"42501", absl::StatusCode::kPermissionDenied},
      {"3D000", absl::StatusCode::kFailedPrecondition},
      {"22012", absl::StatusCode::kInternal}};
  for (const auto& [state, code] : codes) {
    const absl::Status status =
        (*connection)
            ->RunScript(std::string("DO $$ BEGIN RAISE "
                                    "'broken\nnow' "
                                    "USING ERRCODE = '") +
                        state + "'; END $$");
    EXPECT_EQ(status.code(), code) << state << ": " << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("PostgreSQL at 127.0.0.1:"),
                      HasSubstr("broken"), Not(HasSubstr("\n"))));
    EXPECT_TRUE((*connection)->IsIdle()) << "it is good for more";
  }
}

TEST(PostgresTest, ATransactionThatFailedIsNotGoneOnWith) {
  auto connection = Connection::Open(FreshPostgresUrl());
  ASSERT_TRUE((*connection)->RunScript("BEGIN").ok());
  EXPECT_FALSE((*connection)->IsIdle());
  EXPECT_FALSE((*connection)->Run("SELECT 1 / 0").ok());
  EXPECT_FALSE((*connection)->IsIdle());
  ASSERT_TRUE((*connection)->RunScript("ROLLBACK").ok());
  EXPECT_TRUE((*connection)->IsIdle());
}

TEST(PostgresTest, AServerThatStopsIsNotWaitedForForEver) {
  auto connection = Connection::Open(FreshPostgresUrl());
  const auto pid = (*connection)->Run("SELECT pg_backend_pid()");
  ASSERT_TRUE(pid.ok()) << pid.status();
  const auto backend = static_cast<pid_t>(pid->Number(0, 0));
  ASSERT_EQ(kill(backend, SIGSTOP), 0);
  const absl::Status status =
      (*connection)->Run("SELECT 1", {}, absl::Milliseconds(100)).status();
  ASSERT_EQ(kill(backend, SIGCONT), 0);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("does not answer"));
  EXPECT_FALSE((*connection)->IsIdle()) << "its answer may yet come";
}

// A call that has waited for its patience is not followed by others that do.
TEST(PostgresTest, AServerThatIsDownIsAskedLess) {
  ConnectionPool pool("postgresql://127.0.0.1:1/db");
  const auto nothing = [](Connection&, int) { return absl::OkStatus(); };
  const absl::Time start = absl::Now();
  EXPECT_TRUE(absl::IsUnavailable(pool.Run(absl::Milliseconds(300), nothing)));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(300));
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      refused +=
          absl::IsUnavailable(pool.Run(absl::Milliseconds(300), nothing));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, 20);
}

TEST(PostgresTest, NobodyListens) {
  const absl::Status status =
      Connection::Open("postgresql://127.0.0.1:1/db").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("127.0.0.1:1/db"), Not(HasSubstr("\n"))));
}

}  // namespace
}  // namespace wallprof::postgres
