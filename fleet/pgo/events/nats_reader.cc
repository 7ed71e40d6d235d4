#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/engines/nats_connection.h"
#include "fleet/pgo/events/nats_events.h"
#include "fleet/pgo/events/nats_stream.h"

namespace wallprof::pgo {
namespace {

constexpr absl::Duration kCheckPatience = absl::Seconds(2);

// How often it is asked whether to go on.
constexpr absl::Duration kSlice = absl::Milliseconds(50);

// A request for an event is in force for so long: an idle reader asks twelve
// times a minute. Answers may be late.
constexpr absl::Duration kLongestRequest = absl::Seconds(5);
constexpr absl::Duration kShortestRequest = absl::Milliseconds(100);
constexpr absl::Duration kLate = absl::Seconds(1);

// Events that all readers together may have at a time.
constexpr int kMaxUnacknowledged = 10'000;

struct Destroy {
  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
  void operator()(natsSubscription* inbox) const {
    natsSubscription_Destroy(inbox);
  }
  void operator()(jsConsumerInfo* info) const { jsConsumerInfo_Destroy(info); }
};
using Message = std::unique_ptr<natsMsg, Destroy>;

class NatsDelivery : public Delivery {
 public:
  NatsDelivery(std::shared_ptr<NatsConnection> connection,
               absl::Duration patience, Message message)
      : connection_(std::move(connection)),
        patience_(patience),
        message_(std::move(message)) {}

  // It comes again at once, not when the server has waited for long enough.
  ~NatsDelivery() override {
    if (!replied_) static_cast<void>(Tell("-NAK"));
  }

  std::string_view text() const override {
    return {natsMsg_GetData(message_.get()),
            static_cast<size_t>(natsMsg_GetDataLength(message_.get()))};
  }

  absl::Status Acknowledge() override {
    replied_ = true;
    return connection_->Insist(
        patience_, [&](NatsSession& session, absl::Duration wait) {
          natsMsg* answer = nullptr;
          const natsStatus status = natsConnection_RequestString(
              &answer, session.connection(), natsMsg_GetReply(message_.get()),
              "+ACK", absl::ToInt64Milliseconds(wait));
          natsMsg_Destroy(answer);
          return ErrorOf(session, status);
        });
  }

  absl::Status Return(absl::Duration delay) override {
    replied_ = true;
    const std::string nak =
        absl::StrCat("-NAK {\"delay\":", absl::ToInt64Nanoseconds(delay), "}");
    return connection_->Insist(
        patience_, [&](NatsSession& session, absl::Duration wait) {
          if (absl::Status told = Tell(nak.c_str()); !told.ok()) return told;
          return ErrorOf(session, natsConnection_FlushTimeout(
                                      session.connection(),
                                      absl::ToInt64Milliseconds(wait)));
        });
  }

  // Where it is not heard, the event goes to another, which may be.
  void Extend() override { static_cast<void>(Tell("+WPI")); }

 private:
  absl::Status Tell(const char* text) {
    const auto session = connection_->Session();
    if (!session.ok()) return session.status();
    return ErrorOf(**session, natsConnection_PublishString(
                                  (*session)->connection(),
                                  natsMsg_GetReply(message_.get()), text));
  }

  absl::Status ErrorOf(NatsSession& session, natsStatus status) const {
    if (status == NATS_OK) return absl::OkStatus();
    return connection_->ErrorOf(session, status, static_cast<jsErrCode>(0),
                                "replying to an event");
  }

  const std::shared_ptr<NatsConnection> connection_;
  const absl::Duration patience_;
  const Message message_;
  bool replied_ = false;
};

class NatsReader : public EventReader {
 public:
  NatsReader(std::shared_ptr<NatsConnection> connection, NatsEvents events)
      : connection_(std::move(connection)), events_(std::move(events)) {}

  absl::StatusOr<std::unique_ptr<Delivery>> Receive(
      absl::Duration patience,
      const std::function<bool()>& cancelled) override {
    const absl::Time end = absl::Now() + patience;
    for (;;) {
      if (cancelled && cancelled()) return nullptr;
      auto received = ReceiveSoon(end);
      const bool is_away =
          !received.ok() && absl::IsUnavailable(received.status());
      if (!is_away && (!received.ok() || *received != nullptr)) return received;
      if (absl::Now() >= end) return received;
      if (is_away) absl::SleepFor(std::min(kSlice, end - absl::Now()));
    }
  }

  absl::Status Check() override {
    return Prepare(std::min(kCheckPatience, events_.patience)).status();
  }

  // The subject by which events are asked for. Makes stream and consumer where
  // they are not there.
  absl::StatusOr<std::string> Prepare(absl::Duration patience) {
    std::string subject;
    const absl::Status ready = connection_->Insist(
        patience, [&](NatsSession& session, absl::Duration wait) {
          const auto stream =
              FindStream(*connection_, session, events_.subject, wait);
          if (!stream.ok()) return stream.status();
          subject = absl::StrCat("$JS.API.CONSUMER.MSG.NEXT.", stream->name,
                                 ".", events_.consumer);
          return FindConsumer(session, *stream, wait);
        });
    if (!ready.ok()) return ready;
    return subject;
  }

 private:
  // An event that comes within a slice.
  absl::StatusOr<std::unique_ptr<Delivery>> ReceiveSoon(absl::Time end);
  absl::Status Ask(absl::Duration patience);
  absl::Status FindConsumer(NatsSession& session, const NatsStream& stream,
                            absl::Duration wait);
  absl::Status HeedWord(natsMsg* message);

  const std::shared_ptr<NatsConnection> connection_;
  const NatsEvents events_;

  // Of the session for which it was made.
  std::shared_ptr<NatsSession> session_;
  std::unique_ptr<natsSubscription, Destroy> inbox_;
  std::string subject_;  // for requests; empty: consumer has to be made
  absl::Time asked_until_ = absl::InfinitePast();
  uint64_t asked_in_ = 0;  // reconnects() when it was asked
};

absl::Status NatsReader::FindConsumer(NatsSession& session,
                                      const NatsStream& stream,
                                      absl::Duration wait) {
  jsConsumerConfig config;
  jsConsumerConfig_Init(&config);
  config.Durable = events_.consumer.c_str();
  config.AckPolicy = js_AckExplicit;
  config.AckWait = absl::ToInt64Nanoseconds(events_.ack_wait);
  config.MaxDeliver = -1;  // what fails for good is put aside by its reader
  config.MaxAckPending = kMaxUnacknowledged;
  if (!stream.filter.empty()) config.FilterSubject = stream.filter.c_str();
  jsOptions options = OptionsOf(wait);
  jsConsumerInfo* made = nullptr;
  jsErrCode code = static_cast<jsErrCode>(0);
  natsStatus status =
      js_GetConsumerInfo(&made, session.streams(), stream.name.c_str(),
                         events_.consumer.c_str(), &options, &code);
  if (status == NATS_NOT_FOUND) {
    status = js_AddConsumer(&made, session.streams(), stream.name.c_str(),
                            &config, &options, &code);
  }
  const std::unique_ptr<jsConsumerInfo, Destroy> info(made);
  if (status == NATS_OK) return absl::OkStatus();
  return connection_->ErrorOf(
      session, status, code,
      absl::StrCat("the consumer ", events_.consumer, " of ", stream.name));
}

absl::Status NatsReader::Ask(absl::Duration patience) {
  const auto session = connection_->Session();
  if (!session.ok()) return session.status();
  const auto error_of = [&](natsStatus status) {
    return connection_->ErrorOf(**session, status, static_cast<jsErrCode>(0),
                                "asking for an event");
  };
  if (!(*session)->IsConnected()) return error_of(NATS_NOT_YET_CONNECTED);
  if (session_ != *session) {
    natsInbox* name = nullptr;
    natsSubscription* inbox = nullptr;
    natsStatus status = natsInbox_Create(&name);
    if (status == NATS_OK) {
      status =
          natsConnection_SubscribeSync(&inbox, (*session)->connection(), name);
    }
    natsInbox_Destroy(name);
    if (status != NATS_OK) return error_of(status);
    inbox_.reset(inbox);
    session_ = *session;
    asked_until_ = absl::InfinitePast();
  }
  // What has come since is looked at first. Of a request that is over the
  // server says so, unless there is no consumer.
  uint64_t come = 0;
  natsSubscription_QueuedMsgs(inbox_.get(), &come);
  if (come > 0) return absl::OkStatus();
  if (asked_until_ != absl::InfinitePast() && absl::Now() >= asked_until_) {
    subject_.clear();
  }
  if (subject_.empty()) {
    auto subject = Prepare(NatsConnection::kAnswerTimeout);
    if (!subject.ok()) return subject.status();
    subject_ = *std::move(subject);
    asked_until_ = absl::InfinitePast();
  }
  // A server that was started again knows nothing of requests.
  const uint64_t reconnects = session_->reconnects();
  if (absl::Now() < asked_until_ && reconnects == asked_in_) {
    return absl::OkStatus();
  }
  patience = std::clamp(patience, kShortestRequest, kLongestRequest);
  const natsStatus status = natsConnection_PublishRequestString(
      session_->connection(), subject_.c_str(),
      natsSubscription_GetSubject(inbox_.get()),
      absl::StrCat(
          "{\"batch\":1,\"expires\":", absl::ToInt64Nanoseconds(patience), "}")
          .c_str());
  if (status != NATS_OK) return error_of(status);
  asked_until_ = absl::Now() + patience + kLate;
  asked_in_ = reconnects;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Delivery>> NatsReader::ReceiveSoon(
    absl::Time end) {
  if (absl::Status asked = Ask(end - absl::Now()); !asked.ok()) return asked;
  natsMsg* received = nullptr;
  const natsStatus status = natsSubscription_NextMsg(
      &received, inbox_.get(), absl::ToInt64Milliseconds(kSlice));
  if (status == NATS_TIMEOUT) return nullptr;
  if (status != NATS_OK) {
    const auto session = std::exchange(session_, nullptr);  // another inbox
    subject_.clear();  // the consumer may be gone
    return connection_->ErrorOf(*session, status, static_cast<jsErrCode>(0),
                                "awaiting an event");
  }
  Message message(received);
  asked_until_ = absl::InfinitePast();
  if (const char* reply = natsMsg_GetReply(received);
      reply == nullptr || *reply == '\0') {
    if (absl::Status heeded = HeedWord(received); !heeded.ok()) return heeded;
    return nullptr;
  }
  return std::make_unique<NatsDelivery>(connection_, events_.patience,
                                        std::move(message));
}

// The server's own: a status in place of an event.
absl::Status NatsReader::HeedWord(natsMsg* message) {
  constexpr std::string_view kNoEvents = "404", kExpired = "408";
  const char* status = nullptr;
  const char* why = nullptr;
  natsMsgHeader_Get(message, "Status", &status);
  natsMsgHeader_Get(message, "Description", &why);
  if (status != nullptr && (status == kNoEvents || status == kExpired)) {
    return absl::OkStatus();
  }
  subject_.clear();  // the consumer may be gone
  return absl::UnavailableError(
      absl::StrCat("the consumer ", events_.consumer, ": ",
                   why == nullptr ? "nobody answers" : why));
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventReader>> OpenNatsReader(
    const NatsEvents& events) {
  auto connection = NatsConnection::Open(events.servers, events.patience);
  if (!connection.ok()) return connection.status();
  auto reader = std::make_unique<NatsReader>(*std::move(connection), events);
  auto ready = reader->Prepare(events.patience);
  if (!ready.ok()) return ready.status();
  return reader;
}

}  // namespace wallprof::pgo
