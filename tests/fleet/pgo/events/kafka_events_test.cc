// Against the brokers that librdkafka has for tests.
#include "fleet/pgo/events/kafka_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <fstream>
#include <set>
#include <thread>

#include "absl/time/clock.h"
#include "tests/fleet/pgo/engines/engine_servers.h"
#include "tests/fleet/pgo/events/bus_conformance.h"

namespace wallprof::pgo {
namespace {

using ::testing::HasSubstr;

constexpr int kBrokers = 2;

// Numbers of Kafka's protocol.
constexpr int16_t kProduce = 0;
constexpr int16_t kOffsetCommit = 8;

void IgnoreLog(const rd_kafka_t*, int, const char*, const char*) {}

rd_kafka_conf_t* Quiet() {
  rd_kafka_conf_t* const settings = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(settings, IgnoreLog);
  return settings;
}

class Cluster {
 public:
  Cluster()
      : client_(rd_kafka_new(RD_KAFKA_PRODUCER, Quiet(), nullptr, 0)),
        cluster_(rd_kafka_mock_cluster_new(client_, kBrokers)) {}
  ~Cluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }

  // A topic of its own, which is there.
  KafkaEvents Fresh() {
    KafkaEvents events;
    events.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    events.topic = FreshName();
    events.group = "readers";
    // The rest of a group is awaited a little less long when one comes or goes,
    // the first for three seconds.
    events.settings_file = testing::TempDir() + FreshName();
    std::ofstream(events.settings_file) << "session.timeout.ms=4500\n";
    rd_kafka_mock_topic_create(cluster_, events.topic.c_str(), 3, 1);
    return events;
  }

  void SetUp(bool is_up) {
    for (int broker = 1; broker <= kBrokers; ++broker) {
      is_up ? rd_kafka_mock_broker_set_up(cluster_, broker)
            : rd_kafka_mock_broker_set_down(cluster_, broker);
    }
  }

  void Fail(int16_t request, rd_kafka_resp_err_t error) {
    rd_kafka_mock_push_request_errors(cluster_, request, 2, error, error);
  }

 private:
  rd_kafka_t* const client_;
  rd_kafka_mock_cluster_t* const cluster_;
};

class KafkaPlace : public BusPlace {
 public:
  std::unique_ptr<EventWriter> Writer() override {
    auto writer = OpenKafkaWriter(events);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return writer.ok() ? *std::move(writer) : nullptr;
  }
  std::unique_ptr<EventReader> Reader() override {
    auto reader = OpenKafkaReader(events);
    EXPECT_TRUE(reader.ok()) << reader.status();
    return reader.ok() ? *std::move(reader) : nullptr;
  }

  Cluster cluster;
  KafkaEvents events = cluster.Fresh();
};

INSTANTIATE_TEST_SUITE_P(Kafka, BusConformance,
                         testing::Values([]() -> std::unique_ptr<BusPlace> {
                           return std::make_unique<KafkaPlace>();
                         }));

TEST(KafkaEventsTest, ErrorsThatPassAreNotSeen) {
  KafkaPlace place;
  const auto writer = place.Writer();
  const auto reader = place.Reader();
  place.cluster.Fail(kProduce, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
  place.cluster.Fail(kOffsetCommit,
                     RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
  const std::string id = Write(*writer, "shop");
  const auto delivery = Next(*reader);
  ASSERT_NE(delivery, nullptr);
  EXPECT_EQ(IdOf(*delivery), id);
  EXPECT_TRUE(delivery->Acknowledge().ok());
}

TEST(KafkaEventsTest, BrokersThatAreAwayAreAwaited) {
  KafkaPlace place;
  const auto writer = place.Writer();
  const auto reader = place.Reader();
  std::set<std::string> written = {Write(*writer, "shop")}, read;
  const auto first = Next(*reader);
  ASSERT_NE(first, nullptr);
  place.cluster.SetUp(false);
  std::thread back([&] {
    absl::SleepFor(absl::Milliseconds(500));
    place.cluster.SetUp(true);
  });
  for (int i = 0; i < 5; ++i) written.insert(Write(*writer, "shop"));
  back.join();
  if (first->Acknowledge().ok()) read.insert(IdOf(*first));
  for (const absl::Time end = absl::Now() + kPatience;
       read.size() < written.size() && absl::Now() < end;) {
    const auto received = reader->Receive(absl::Seconds(1), nullptr);
    if (!received.ok() || *received == nullptr) continue;
    if ((*received)->Acknowledge().ok()) read.insert(IdOf(**received));
  }
  EXPECT_EQ(read, written);
}

TEST(KafkaEventsTest, WaitingIsBoundedWhereNobodyIs) {
  KafkaEvents events;
  events.brokers = "127.0.0.1:1";
  events.topic = "pgo";
  events.group = "readers";
  events.patience = absl::Milliseconds(300);
  for (const absl::Status& status :
       {OpenKafkaWriter(events).status(), OpenKafkaReader(events).status()}) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("Kafka at 127.0.0.1:1: "));
  }
}

TEST(KafkaEventsTest, WritersWaitingIsBoundedWhereBrokersHaveGone) {
  KafkaPlace place;
  place.events.patience = absl::Milliseconds(500);
  const auto writer = place.Writer();
  place.cluster.SetUp(false);
  for (const absl::Status& status :
       {writer->Publish(NewEvent(kDeleted, "shop")), writer->Check()}) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("Kafka at 127."));
  }
}

TEST(KafkaEventsTest, ReadersWaitingIsBoundedWhereBrokersHaveGone) {
  KafkaPlace place;
  place.events.patience = absl::Milliseconds(500);
  const auto reader = place.Reader();
  Write(*place.Writer(), "shop");
  const auto delivery = Next(*reader);
  ASSERT_NE(delivery, nullptr);
  place.cluster.SetUp(false);
  for (const absl::Status& status :
       {reader->Check(), delivery->Acknowledge()}) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("Kafka at 127."));
  }
}

TEST(KafkaEventsTest, SettingsAreTakenFromAFile) {
  KafkaPlace place;
  const std::string path = place.events.settings_file;
  std::ofstream(path) << "# ours\n\n client.rack = here\n";
  EXPECT_NE(place.Writer(), nullptr);
  const std::pair<const char*, const char*> wrong[] = {
      {"sasl.passwort=hunter2\n", "there is no setting 'sasl.passwort'"},
      {"# a\nsecurity.protocol=hunter2\n", ":2: a wrong value for"},
      {"hunter2\n", ":1: there is no setting"},
  };
  for (const auto& [text, why] : wrong) {
    std::ofstream(path, std::ios::trunc) << text;
    const absl::Status status = OpenKafkaWriter(place.events).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  }
  place.events.settings_file = "/nowhere";
  EXPECT_TRUE(
      absl::IsFailedPrecondition(OpenKafkaReader(place.events).status()));
}

}  // namespace
}  // namespace wallprof::pgo
