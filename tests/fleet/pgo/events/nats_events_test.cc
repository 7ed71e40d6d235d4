#include "fleet/pgo/events/nats_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "fleet/pgo/engines/nats_connection.h"
#include "fleet/pgo/events/open.h"
#include "tests/fleet/pgo/engines/engine_servers.h"
#include "tests/fleet/pgo/events/bus_conformance.h"

namespace wallprof::pgo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class NatsPlace : public BusPlace {
 public:
  std::unique_ptr<EventWriter> Writer() override {
    auto writer = OpenEventWriter(url);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return writer.ok() ? *std::move(writer) : nullptr;
  }
  std::unique_ptr<EventReader> Reader() override {
    auto reader = OpenEventReader(url);
    EXPECT_TRUE(reader.ok()) << reader.status();
    return reader.ok() ? *std::move(reader) : nullptr;
  }

  const std::string subject = FreshName() + ".events";
  const std::string url = "nats://" + NatsHost() + "/" + subject;
};

INSTANTIATE_TEST_SUITE_P(Nats, BusConformance,
                         testing::Values([]() -> std::unique_ptr<BusPlace> {
                           return std::make_unique<NatsPlace>();
                         }));

// Beside what the bus does: as another program would.
std::unique_ptr<NatsConnection> Connect() {
  const auto url = ParseEngineUrl("nats://" + NatsHost() + "/x", "", 0, {});
  auto connection =
      NatsConnection::Open(*FindNatsServers(*url, "", ""), absl::Seconds(10));
  EXPECT_TRUE(connection.ok()) << connection.status();
  return *std::move(connection);
}

NatsEvents Impatient(const std::string& host, const std::string& subject) {
  NatsEvents events;
  events.servers.urls = {"nats://" + host};
  events.servers.place = "NATS at " + host;
  events.subject = subject;
  events.consumer = "c";
  events.ack_wait = absl::Seconds(5);
  events.patience = absl::Milliseconds(300);
  return events;
}

TEST(NatsEventsTest, WhatIsWrittenWhileNobodyReadsIsKept) {
  NatsPlace place;
  const auto writer = place.Writer();
  place.Reader();  // and gone
  const std::string id = Write(*writer, "shop");
  EXPECT_EQ(IdOf(*Next(*place.Reader())), id);
}

TEST(NatsEventsTest, AnEventThatIsWrittenTwiceIsThereOnce) {
  NatsPlace place;
  const auto writer = place.Writer();
  const auto reader = place.Reader();
  const Event event = NewEvent(kDeleted, "shop");
  EXPECT_TRUE(writer->Publish(event).ok());
  EXPECT_TRUE(writer->Publish(event).ok());
  EXPECT_TRUE(Next(*reader)->Acknowledge().ok());
  EXPECT_TRUE(IsEmpty(*reader));
}

TEST(NatsEventsTest, OthersMayWriteAnythingToTheSubject) {
  NatsPlace place;
  const auto reader = place.Reader();
  const auto connection = Connect();
  for (const char* text : {"no event", ""}) {
    ASSERT_EQ(
        natsConnection_PublishString((*connection->Session())->connection(),
                                     place.subject.c_str(), text),
        NATS_OK);
    const auto delivery = Next(*reader);
    ASSERT_NE(delivery, nullptr);
    EXPECT_EQ(delivery->text(), text);
    EXPECT_TRUE(delivery->Acknowledge().ok());
  }
}

TEST(NatsEventsTest, AStreamThatIsThereIsUsed) {
  NatsPlace place;
  const auto connection = Connect();
  const std::string name = FreshName();
  const std::string all = place.subject + ".>";
  const std::string others = name + ".others";
  const char* subjects[] = {all.c_str(), others.c_str()};
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = name.c_str();
  config.Subjects = subjects;
  config.SubjectsLen = 2;
  const auto session = connection->Session();
  ASSERT_EQ(
      js_AddStream(nullptr, (*session)->streams(), &config, nullptr, nullptr),
      NATS_OK);
  ASSERT_EQ(natsConnection_PublishString((*session)->connection(),
                                         others.c_str(), "not ours"),
            NATS_OK);
  const auto reader = place.Reader();
  const std::string id = Write(*place.Writer(), "shop");
  EXPECT_EQ(IdOf(*Next(*reader)), id);
}

TEST(NatsEventsTest, AStreamThatIsTakenAwayIsMadeAgain) {
  NatsPlace place;
  const auto writer = place.Writer();
  const auto reader = place.Reader();
  EXPECT_TRUE(IsEmpty(*reader));
  const auto connection = Connect();
  const std::string name = "wallprof-" +
                           place.subject.substr(0, place.subject.find('.')) +
                           "_events";
  ASSERT_EQ(js_DeleteStream((*connection->Session())->streams(), name.c_str(),
                            nullptr, nullptr),
            NATS_OK);
  const std::string id = Write(*writer, "shop");
  // That the consumer is gone is seen when no answer comes.
  std::unique_ptr<Delivery> delivery;
  for (const absl::Time end = absl::Now() + kPatience;
       delivery == nullptr && absl::Now() < end;) {
    auto received = reader->Receive(absl::Milliseconds(300), nullptr);
    if (received.ok()) delivery = *std::move(received);
  }
  ASSERT_NE(delivery, nullptr);
  EXPECT_EQ(IdOf(*delivery), id);
}

TEST(NatsEventsTest, AnEventStaysWithWhomIsBusyAndLeavesWhomIsSilent) {
  NatsPlace place;
  NatsEvents events = Impatient(NatsHost(), place.subject);
  events.ack_wait = absl::Seconds(1);
  const auto writer = OpenNatsWriter(events);
  const auto busy = OpenNatsReader(events), other = OpenNatsReader(events);
  ASSERT_TRUE(writer.ok() && busy.ok() && other.ok());
  const std::string id = Write(**writer, "shop");
  const auto held = Next(**busy);
  ASSERT_NE(held, nullptr);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(IsEmpty(**other));
    held->Extend();
  }
  const auto taken = Next(**other);
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(IdOf(*taken), id);
  EXPECT_TRUE(taken->Acknowledge().ok());
  EXPECT_TRUE(held->Acknowledge().ok()) << "late, and no harm";
}

TEST(NatsEventsTest, NothingIsLostWhenNatsIsKilledAgainAndAgain) {
  NatsPlace place;
  const auto writer = place.Writer();
  const auto reader = place.Reader();
  std::set<std::string> written, read;
  std::atomic<bool> is_killed{false}, is_written{false};
  std::thread killing([&] {
    for (int i = 0; i < 2; ++i) {
      absl::SleepFor(absl::Milliseconds(100));
      KillNats();
    }
    is_killed = true;
  });
  std::thread writing([&] {
    while (!is_killed || written.size() < 100) {
      written.insert(Write(*writer, "shop"));
      absl::SleepFor(absl::Milliseconds(2));
    }
    is_written = true;
  });
  const absl::Time end = absl::Now() + kPatience;
  while ((!is_written || read.size() < written.size()) && absl::Now() < end) {
    const auto received = reader->Receive(absl::Milliseconds(300), nullptr);
    if (!received.ok() || *received == nullptr) continue;
    const std::string id = IdOf(**received);
    if ((*received)->Acknowledge().ok()) read.insert(id);
  }
  killing.join();
  writing.join();
  EXPECT_EQ(read, written);
}

TEST(NatsEventsTest, ServersThatAreAwayAtTheStartAreAwaited) {
  std::optional<NatsAway> away(std::in_place);
  std::thread back([&] {
    absl::SleepFor(absl::Milliseconds(300));
    away.reset();
  });
  NatsPlace place;
  const auto writer = place.Writer();
  back.join();
  Write(*writer, "shop");
}

TEST(NatsEventsTest, WaitingIsBoundedWhereNobodyIs) {
  const NatsEvents events = Impatient("127.0.0.1:1", "pgo");
  for (const absl::Status& status :
       {OpenNatsWriter(events).status(), OpenNatsReader(events).status()}) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("NATS at 127.0.0.1:1: "));
  }
}

TEST(NatsEventsTest, WaitingIsBoundedWhereTheServerStandsStill) {
  NatsPlace place;
  const NatsEvents events = Impatient(NatsHost(), place.subject);
  const auto writer = OpenNatsWriter(events);
  const auto reader = OpenNatsReader(events);
  ASSERT_TRUE(writer.ok() && reader.ok());
  Write(**writer, "shop");
  const auto delivery = Next(**reader);
  ASSERT_NE(delivery, nullptr);
  const Event event = NewEvent(kDeleted, "shop");
  {
    const NatsStandsStill still;
    for (const absl::Status& status :
         {(*writer)->Publish(event), (*writer)->Check(), (*reader)->Check(),
          delivery->Acknowledge()}) {
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(NatsHost()));
    }
    EXPECT_TRUE(IsEmpty(**reader)) << "nothing is known to be wrong";
  }
  EXPECT_TRUE((*writer)->Publish(event).ok());
  EXPECT_TRUE((*writer)->Check().ok());
  EXPECT_EQ(IdOf(*Next(**reader)), event.id) << "written once";
}

class SecuredNatsTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("NATS_USER", "me", 1);
    setenv("NATS_PASSWORD", "a secret", 1);
    setenv("NATS_CA", TestVariable("WALLPROF_TEST_NATS_SECURED_CA").c_str(), 1);
  }
  void TearDown() override {
    for (const char* name :
         {"NATS_USER", "NATS_PASSWORD", "NATS_CA", "NATS_SERVER_URL"}) {
      unsetenv(name);
    }
  }

  const std::string host_ = TestVariable("WALLPROF_TEST_NATS_SECURED");
};

TEST_F(SecuredNatsTest, LetsInByPassword) {
  const std::string url = "tls://" + host_ + "/" + FreshName();
  EXPECT_TRUE(OpenEventWriter(url).ok()) << OpenEventWriter(url).status();
  unsetenv("NATS_USER");
  setenv("NATS_SERVER_URL", ("tls://me:a secret@" + host_).c_str(), 1);
  const auto writer = OpenEventWriter("nats://" + FreshName());
  EXPECT_TRUE(writer.ok()) << writer.status();
}

TEST_F(SecuredNatsTest, KeepsOthersOut) {
  setenv("NATS_PASSWORD", "wrong secret", 1);
  const absl::Status status =
      OpenEventWriter("tls://" + host_ + "/" + FreshName()).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(host_));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
}

TEST_F(SecuredNatsTest, IsNotTrustedUnknown) {
  NatsEvents events = Impatient(host_, "pgo");
  events.servers.tls = true;
  const absl::Status status = OpenNatsWriter(events).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("certificate"));
}

TEST_F(SecuredNatsTest, FilesThatAreMissingAreNamed) {
  setenv("NATS_CA", "/nowhere/ca.pem", 1);
  const absl::Status status =
      OpenEventWriter("tls://" + host_ + "/" + FreshName()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nowhere/ca.pem"));
}

}  // namespace
}  // namespace wallprof::pgo
