#include "fleet/pgo/events/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace wallprof::pgo {
namespace {

using ::testing::HasSubstr;

TEST(EventUrlTest, Right) {
  setenv("NATS_SERVER_URL", "nats://127.0.0.1", 1);
  for (const char* url :
       {"nats://host/pgo", "nats://a:1,b:2/pgo.events?consumer=builders",
        "tls://host/pgo?ack_wait=5m", "nats://pgo.events",
        "nats://pgo.events?queue=workers&natsv2"}) {
    EXPECT_TRUE(CheckEventUrl(url).ok()) << CheckEventUrl(url);
  }
  unsetenv("NATS_SERVER_URL");
}

TEST(EventUrlTest, RightOfKafka) {
  setenv("KAFKA_BROKERS", "a:1, b", 1);
  for (const char* url :
       {"kafka://host/pgo.events", "kafka://a:1,b:2/pgo?group=builders",
        "kafka://pgo_events", "kafka://builders?topic=pgo.events"}) {
    EXPECT_TRUE(CheckEventUrl(url).ok()) << CheckEventUrl(url);
  }
  for (const char* wrong : {"", "a,:1"}) {
    setenv("KAFKA_BROKERS", wrong, 1);
    const absl::Status status = CheckEventUrl("kafka://pgo");
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong;
    EXPECT_THAT(std::string(status.message()), HasSubstr("KAFKA_BROKERS"));
  }
  unsetenv("KAFKA_BROKERS");
}

TEST(EventUrlTest, WrongOnesAreNamed) {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "nats://"},
      {"pgo", "nats://"},
      {"http://host/pgo", "nats://"},
      {"nats://host/", "subject ''"},
      {"nats://host:4222", "NATS_SERVER_URL"},
      {"nats://host/pgo.*", "subject 'pgo.*'"},
      {"nats://host/pgo..events", "subject"},
      {"nats://host/pgo?consumer=a.b", "consumer"},
      {"nats://host/pgo?consumer=", "consumer"},
      {"nats://host/pgo?ack_wait=1ms", "ack_wait"},
      {"nats://host/pgo?ack_wait=soon", "ack_wait"},
      {"kafka://host/", "topic"},
      {"kafka://host/a b", "kafka"},
      {"kafka://host/pgo?topic=other", "GROUP?topic=TOPIC"},
      {"kafka://host/pgo?group=", "group"},
      {"kafka://host/pgo?offset=newest", "'offset'"},
  };
  for (const auto& [url, why] : wrong) {
    for (const absl::Status& status :
         {CheckEventUrl(url), OpenEventWriter(url).status(),
          OpenEventReader(url).status()}) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << url << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << url;
    }
  }
}

TEST(EventUrlTest, OthersAreNotSpoken) {
  for (const char* url :
       {"awssns:///arn:aws:sns:us-east-2:1:events", "awssqs://sqs.aws/1/events",
        "azuresb://events", "gcppubsub://projects/p/topics/t",
        "rabbit://events", "mem://events"}) {
    const absl::Status status = CheckEventUrl(url);
    EXPECT_TRUE(absl::IsUnimplemented(status)) << url << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("use nats://HOST:PORT/SUBJECT"));
  }
}

}  // namespace
}  // namespace wallprof::pgo
