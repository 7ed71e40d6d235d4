// Versions in NATS and PostgreSQL, and what goes wrong with those.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/engines/nats_connection.h"
#include "fleet/pgo/versions/nats_versions.h"
#include "fleet/pgo/versions/open.h"
#include "fleet/pgo/versions/postgres_versions.h"
#include "tests/fleet/pgo/engines/engine_servers.h"
#include "tests/fleet/pgo/versions/versions_conformance.h"

namespace wallprof::pgo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string NewNatsUrl() { return "nats://" + NatsHost() + "/" + FreshName(); }

std::string NewFileUrl() {
  return "file://" + testing::TempDir() + FreshName();
}

INSTANTIATE_TEST_SUITE_P(Nats, VersionsConformance,
                         testing::Values(&NewNatsUrl));
INSTANTIATE_TEST_SUITE_P(Postgres, VersionsConformance,
                         testing::Values(&FreshPostgresUrl));
INSTANTIATE_TEST_SUITE_P(Files, VersionsConformance,
                         testing::Values(&NewFileUrl));

std::unique_ptr<BaseVersions> Open(const std::string& url) {
  auto versions = OpenBaseVersions(url);
  EXPECT_TRUE(versions.ok()) << versions.status();
  return versions.ok() ? *std::move(versions) : nullptr;
}

void Disturb(void (*kill)()) {
  for (int i = 0; i < 2; ++i) {
    absl::SleepFor(absl::Milliseconds(50));
    kill();
  }
}

TEST(NatsVersionsTest, NothingIsLostWhenNatsIsKilledAgainAndAgain) {
  const std::string url = NewNatsUrl();
  Open(url);
  AddWhile(url, [] { Disturb(&KillNats); });
}

TEST(PostgresVersionsTest, NothingIsLostWhenPostgresIsKilledAgainAndAgain) {
  const std::string url = FreshPostgresUrl();
  Open(url);
  AddWhile(url, [] { Disturb(&KillPostgres); });
}

TEST(PostgresVersionsTest, ManyWhoStartAtOnceMakeOneTable) {
  const std::string url = FreshPostgresUrl();
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] { EXPECT_NE(Open(url), nullptr); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(NatsVersionsTest, ManyWhoStartAtOnceMakeOneBucket) {
  const std::string url = NewNatsUrl();
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] { EXPECT_NE(Open(url), nullptr); });
  }
  for (std::thread& thread : threads) thread.join();
}

NatsServers ServersAt(const std::string& host) {
  NatsServers servers;
  servers.urls = {"nats://" + host};
  servers.place = "NATS at " + host;
  return servers;
}

TEST(NatsVersionsTest, WaitingIsBounded) {
  constexpr absl::Duration kPatience = absl::Milliseconds(300);
  const std::string bucket = FreshName();
  const auto versions =
      NatsVersions::Open(ServersAt(NatsHost()), bucket, kPatience);
  ASSERT_TRUE(versions.ok()) << versions.status();
  {
    const NatsStandsStill still;
    for (const absl::Status& status :
         {(*versions)->Get("shop").status(),
          (*versions)->Replace("shop", 0, "a").status(),
          (*versions)->List().status(), (*versions)->Check(),
          NatsVersions::Open(ServersAt("127.0.0.1:1"), bucket, kPatience)
              .status()}) {
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("NATS at 127."));
    }
  }
  // What was sent when it stood still has been done; who did it cannot know.
  EXPECT_TRUE((*versions)->Check().ok());
  EXPECT_EQ((*versions)->Get("shop")->record, "a");
}

TEST(PostgresVersionsTest, WaitingIsBounded) {
  const absl::Status status =
      PostgresVersions::Open("postgresql://me:hunter2@127.0.0.1:1/db",
                             absl::Milliseconds(300))
          .status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("127.0.0.1:1"), Not(HasSubstr("hunter2"))));
}

class BucketTest : public testing::Test {
 protected:
  BucketTest() {
    auto opened =
        NatsConnection::Open(ServersAt(NatsHost()), absl::Seconds(10));
    EXPECT_TRUE(opened.ok()) << opened.status();
    connection_ = *std::move(opened);
    session_ = *connection_->Session();
  }

  void Make(const std::function<void(kvConfig&)>& change) {
    kvConfig config;
    kvConfig_Init(&config);
    config.Bucket = name_.c_str();
    change(config);
    kvStore* made = nullptr;
    ASSERT_EQ(js_CreateKeyValue(&made, session_->streams(), &config), NATS_OK);
    kvStore_Destroy(made);
  }

  const std::string name_ = FreshName();
  const std::string url_ = "nats://" + NatsHost() + "/" + name_;
  std::unique_ptr<NatsConnection> connection_;
  std::shared_ptr<NatsSession> session_;
};

TEST_F(BucketTest, ThatForgetsIsRefused) {
  Make([](kvConfig& config) { config.TTL = 1'000'000'000; });
  const absl::Status status = OpenBaseVersions(url_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(name_));
}

TEST_F(BucketTest, ThatIsInMemoryIsRefused) {
  Make([](kvConfig& config) { config.StorageType = js_MemoryStorage; });
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenBaseVersions(url_).status()));
}

// Tools of NATS read and write what is there.
TEST_F(BucketTest, IsAsOthersMakeIt) {
  Make([](kvConfig& config) { config.History = 5; });
  const auto versions = Open(url_);
  kvStore* store = nullptr;
  ASSERT_EQ(js_KeyValue(&store, session_->streams(), name_.c_str()), NATS_OK);
  uint64_t revision = 0;
  ASSERT_EQ(kvStore_PutString(&revision, store, "shop", "a"), NATS_OK);
  EXPECT_EQ(versions->Get("shop")->record, "a");
  EXPECT_EQ(versions->Get("shop")->revision, revision);
  ASSERT_TRUE(versions->Replace("shop", revision, "b").ok());
  kvEntry* entry = nullptr;
  ASSERT_EQ(kvStore_Get(&entry, store, "shop"), NATS_OK);
  EXPECT_STREQ(kvEntry_ValueString(entry), "b");
  kvEntry_Destroy(entry);
  ASSERT_EQ(kvStore_Delete(store, "shop"), NATS_OK);
  const auto deleted = versions->Get("shop");
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->record, "");
  EXPECT_GT(deleted->revision, revision);
  EXPECT_TRUE(versions->List()->empty());
  EXPECT_TRUE(versions->Replace("shop", deleted->revision, "c").ok());
  kvStore_Destroy(store);
}

TEST_F(BucketTest, ThatIsTakenAwayIsDamage) {
  const auto versions = Open(url_);
  ASSERT_TRUE(versions->Replace("shop", 0, "a").ok());
  ASSERT_EQ(js_DeleteKeyValue(session_->streams(), name_.c_str()), NATS_OK);
  for (const absl::Status& status :
       {versions->Get("shop").status(), versions->List().status(),
        versions->Replace("shop", 1, "b").status(), versions->Check()}) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name_));
  }
}

TEST(PostgresVersionsTest, ATableThatIsTakenAwayIsDamage) {
  const std::string url = FreshPostgresUrl();
  const auto versions = Open(url);
  RunInPostgres(url, "DROP TABLE wallprof_pgo_versions");
  for (const absl::Status& status :
       {versions->Get("shop").status(), versions->List().status(),
        versions->Replace("shop", 1, "b").status(), versions->Check()}) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  }
}

TEST(PostgresVersionsTest, WhoMayNotMakeTablesFindsThem) {
  const std::string url = FreshPostgresUrl();
  Open(url);
  RunInPostgres(url, R"(
DROP ROLE IF EXISTS worker; CREATE ROLE worker LOGIN;
DO $$ BEGIN
  EXECUTE 'GRANT USAGE ON SCHEMA ' || quote_ident(current_schema()) || ' TO worker';
END $$;
GRANT SELECT, INSERT, UPDATE ON wallprof_pgo_versions TO worker;
GRANT USAGE ON wallprof_pgo_revisions TO worker;)");
  std::string as_worker = url;
  as_worker.replace(as_worker.find("wallprof@"), 9, "worker@");
  const auto versions = Open(as_worker);
  ASSERT_NE(versions, nullptr);
  EXPECT_TRUE(versions->Replace("shop", 0, "a").ok());
}

}  // namespace
}  // namespace wallprof::pgo
