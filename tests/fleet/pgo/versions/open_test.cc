#include "fleet/pgo/versions/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace wallprof::pgo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(VersionsUrlTest, Right) {
  setenv("NATS_SERVER_URL", "nats://127.0.0.1", 1);
  for (const char* url :
       {"nats://host/wallprof-pgo", "nats://a:1,b:2/bucket", "tls://host/b",
        "nats://bucket", "postgres://me@host/db", "postgresql://host/db",
        "file:///var/lib/wallprof"}) {
    EXPECT_TRUE(CheckVersionsUrl(url).ok()) << CheckVersionsUrl(url);
  }
  unsetenv("NATS_SERVER_URL");
}

TEST(VersionsUrlTest, WrongOnesAreNamed) {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "nats://"},
      {"redis://me:hunter2@host", "postgres://"},
      {"nats://host/a.b", "bucket"},
      {"nats://host/", "bucket"},
      {"nats://me:hunter2@host/b", "environment"},
      {"nats://bucket", "NATS_SERVER_URL"},
      {"nats://host/b?history=5", "'history'"},
      {"postgres://me:hunter2@[::1/db", "PostgreSQL"},
      {"file://relative", "file:///DIRECTORY"},
      {"file:///", "file:///DIRECTORY"},
      {"file:///a?mode=b", "file:///DIRECTORY"},
  };
  for (const auto& [url, why] : wrong) {
    for (const absl::Status& status :
         {CheckVersionsUrl(url), OpenBaseVersions(url).status()}) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << url << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << url;
      EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
    }
  }
}

TEST(VersionsUrlTest, BesideEvents) {
  EXPECT_EQ(VersionsUrlBeside("nats://a:1,b:2/pgo.events?consumer=c"),
            "nats://a:1,b:2/wallprof-pgo");
  EXPECT_EQ(VersionsUrlBeside("tls://a/pgo"), "tls://a/wallprof-pgo");
  EXPECT_EQ(VersionsUrlBeside("nats://pgo.events?queue=q"),
            "nats://wallprof-pgo");
  EXPECT_EQ(VersionsUrlBeside("kafka://a:1/pgo"), std::nullopt);
}

}  // namespace
}  // namespace wallprof::pgo
