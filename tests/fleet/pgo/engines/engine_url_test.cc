#include "fleet/pgo/engines/engine_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "fleet/pgo/engines/nats_servers.h"

namespace wallprof::pgo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

absl::StatusOr<EngineUrl> Parse(std::string_view url) {
  return ParseEngineUrl(url, "event bus", 4222, {"group", "topic"});
}

absl::StatusOr<NatsServers> Find(std::string_view url) {
  const auto parsed = Parse(url);
  if (!parsed.ok()) return parsed.status();
  return FindNatsServers(*parsed, "event bus", url);
}

TEST(EngineUrlTest, HostsAndName) {
  const auto url = Parse("nats://a,b:7,[::1],[::1]:9/pgo.events?group=g");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->scheme, "nats");
  EXPECT_THAT(url->hosts,
              ElementsAre("a:4222", "b:7", "[::1]:4222", "[::1]:9"));
  EXPECT_EQ(url->name, "pgo.events");
  EXPECT_EQ(url->Parameter("group", "other"), "g");
  EXPECT_EQ(url->Parameter("topic", "other"), "other");
}

TEST(EngineUrlTest, WithoutHosts) {
  const auto url = Parse("kafka://group?topic=events");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_THAT(url->hosts, IsEmpty());
  EXPECT_EQ(url->name, "group");
  EXPECT_EQ(url->Parameter("topic", ""), "events");
}

TEST(EngineUrlTest, ErrorsNameWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"pgo.events", "no scheme"},
      {"nats://me:secret@host/pgo", "environment"},
      {"nats://host/pgo?token=a@secret", "environment"},
      {"nats://host:/pgo", "'host:'"},
      {"nats://host:70000/pgo", "'host:70000'"},
      {"nats://:4222/pgo", "':4222'"},
      {"nats://a,,b/pgo", "''"},
      {"nats://host/pgo?zone=a", "'zone'"},
      {"nats://host/pgo?group=a&group=b", "twice"},
      {"nats://host/p go", "blanks"},
  };
  for (const auto& [text, why] : wrong) {
    const absl::Status status = Parse(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("event bus"));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
}

class NatsServersTest : public testing::Test {
 protected:
  void SetUp() override { Clear(); }
  void TearDown() override { Clear(); }
  void Clear() {
    for (const char* name :
         {"NATS_SERVER_URL", "NATS_USER", "NATS_PASSWORD", "NATS_TOKEN",
          "NATS_CREDS", "NATS_CA", "NATS_CERT", "NATS_KEY"}) {
      unsetenv(name);
    }
  }
};

TEST_F(NatsServersTest, OfTheUrl) {
  setenv("NATS_SERVER_URL", "nats://elsewhere", 1);
  setenv("NATS_USER", "me", 1);
  setenv("NATS_PASSWORD", "secret", 1);
  const auto servers = Find("nats://a,b:7/pgo");
  ASSERT_TRUE(servers.ok()) << servers.status();
  EXPECT_THAT(servers->urls, ElementsAre("nats://a:4222", "nats://b:7"));
  EXPECT_EQ(servers->place, "NATS at a:4222,b:7");
  EXPECT_FALSE(servers->tls);
  EXPECT_EQ(servers->user, "me");
  EXPECT_EQ(servers->password, "secret");
}

TEST_F(NatsServersTest, OfTheEnvironment) {
  setenv("NATS_SERVER_URL", "tls://me:se@cret@a/, b:7", 1);
  const auto servers = Find("nats://pgo.events");
  ASSERT_TRUE(servers.ok()) << servers.status();
  EXPECT_THAT(servers->urls, ElementsAre("tls://a:4222", "tls://b:7"));
  EXPECT_TRUE(servers->tls);
  EXPECT_EQ(servers->user, "me");
  EXPECT_EQ(servers->password, "se@cret");
  EXPECT_EQ(servers->place, "NATS at a:4222,b:7");
  setenv("NATS_SERVER_URL", "nats://sesame@a", 1);
  EXPECT_EQ(Find("nats://pgo")->token, "sesame");
}

TEST_F(NatsServersTest, ErrorsNameWhatIsWrong) {
  absl::Status status = Find("nats://pgo").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("NATS_SERVER_URL"));
  for (const char* wrong : {"http://secret@a", "secret@", "a:secret"}) {
    setenv("NATS_SERVER_URL", wrong, 1);
    status = Find("nats://pgo").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong;
    EXPECT_THAT(std::string(status.message()), HasSubstr("NATS_SERVER_URL"));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
  setenv("NATS_CERT", "cert.pem", 1);
  status = Find("nats://a/pgo").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("NATS_KEY"));
}

}  // namespace
}  // namespace wallprof::pgo
