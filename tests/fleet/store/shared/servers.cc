#include "tests/fleet/store/shared/servers.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>

#include "fleet/postgres/connection.h"

namespace wallprof::store::shared {
namespace {

// Fails the test if it is not there.
std::string TestVariable(const char* name) {
  const char* value = getenv(name);
  EXPECT_NE(value, nullptr) << name << " is set by servers_test.py";
  return value == nullptr ? "" : value;
}

std::unique_ptr<postgres::Connection> Connect(const std::string& url) {
  auto connection = postgres::Connection::Open(url);
  EXPECT_TRUE(connection.ok()) << connection.status();
  return *std::move(connection);
}

}  // namespace

std::string FreshPostgresUrl() {
  static std::atomic<int> count{0};
  const std::string url = TestVariable("WALLPROF_TEST_POSTGRES");
  const std::string schema =
      "test_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  const absl::Status made = Connect(url)->RunScript("CREATE SCHEMA " + schema);
  EXPECT_TRUE(made.ok()) << made;
  return url + "?options=-csearch_path%3D" + schema;
}

void KillPostgres() {
  EXPECT_EQ(system(TestVariable("WALLPROF_TEST_POSTGRES_KILL").c_str()), 0);
}

std::string AskPostgres(const std::string& url, const std::string& sql) {
  const absl::StatusOr<postgres::Rows> rows = Connect(url)->Run(sql);
  EXPECT_TRUE(rows.ok()) << rows.status();
  return rows.ok() && rows->size() > 0 ? std::string(rows->Text(0, 0)) : "";
}

ObjectUrls FreshObjectUrls() {
  static std::atomic<int> count{0};
  const std::string url = "s3://profiles/test_" + std::to_string(getpid()) +
                          "_" + std::to_string(++count) + "?endpoint=";
  return {url + TestVariable("WALLPROF_TEST_S3"),
          url + TestVariable("WALLPROF_TEST_S3_FAULTS")};
}

void ScriptFaults(const std::string& faults) {
  httplib::Client proxy(TestVariable("WALLPROF_TEST_S3_FAULTS"));
  const auto answer = proxy.Post("/faults", faults, "text/plain");
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->status, 200);
}

IndexEntry MakeEntry(int64_t second, const std::string& origin,
                     const std::string& service, const std::string& segment) {
  const absl::Time time = absl::FromUnixSeconds(second);
  return {{MakeProfileId(time, origin),
           {service, "cpu", {{"host", "h" + std::to_string(second % 3)}}},
           time},
          {segment, second % 1000 * 100, 100},
          300};
}

}  // namespace wallprof::store::shared
