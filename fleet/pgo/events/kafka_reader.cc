#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/events/kafka_client.h"

namespace wallprof::pgo {
namespace {

constexpr absl::Duration kCheckPatience = absl::Seconds(2);

// How often it is asked whether to go on.
constexpr absl::Duration kSlice = absl::Milliseconds(50);

constexpr absl::Duration kGoodbyePatience = absl::Seconds(2);
constexpr int kGoodbyeMilliseconds = 20;

// Of one reader, kept as long as its deliveries are. Thread-safe.
class Session {
 public:
  explicit Session(KafkaEvents events) : events_(std::move(events)) {}

  ~Session();

  absl::Status Start();

  absl::Status Check(absl::Duration patience) {
    return CheckKafka(client_.get(), events_, patience);
  }

  // What was returned and is due now, or came while another was held.
  KafkaOwned<rd_kafka_message_t> TakeDue();
  // What the brokers have.
  KafkaOwned<rd_kafka_message_t> TakeNext(absl::Duration slice);

  // What went wrong since it was asked last.
  absl::Status TakeError() {
    std::lock_guard lock(mutex_);
    return std::exchange(error_, absl::OkStatus());
  }

  // Of messages that were taken while the same partitions were here.
  int64_t assignment() {
    std::lock_guard lock(mutex_);
    return assignment_;
  }
  absl::Status Done(const rd_kafka_message_t& message, int64_t assignment);
  void GiveBack(KafkaOwned<rd_kafka_message_t> message, int64_t assignment,
                absl::Time due);

  // Whoever does not ask for messages is taken for dead.
  void Extend() {
    if (auto message = TakeNext(absl::ZeroDuration()); message != nullptr) {
      GiveBack(std::move(message), assignment(), absl::InfinitePast());
    }
  }

 private:
  static void Rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                        rd_kafka_topic_partition_list_t* partitions,
                        void* opaque);
  static void HearError(rd_kafka_t*, int error, const char*, void* opaque);
  absl::Status Commit(int32_t partition, int64_t offset);

  const KafkaEvents events_;
  std::mutex mutex_;
  // Messages of this assignment that are to be given out again.
  std::multimap<absl::Time, KafkaOwned<rd_kafka_message_t>> given_back_;
  // By partition: what was given out and is not done with, and where the rest
  // begins.
  struct Progress {
    std::set<int64_t> open;
    int64_t end = 0;
  };
  std::map<int32_t, Progress> progress_;
  int64_t assignment_ = 0;
  absl::Status error_;
  KafkaOwned<rd_kafka_t> client_;  // its threads use the above
};

void Session::Rebalance(rd_kafka_t* client, rd_kafka_resp_err_t what,
                        rd_kafka_topic_partition_list_t* partitions,
                        void* opaque) {
  auto& session = *static_cast<Session*>(opaque);
  {
    // All partitions go before others come; what was not done with comes again,
    // here or elsewhere.
    std::lock_guard lock(session.mutex_);
    ++session.assignment_;
    session.given_back_.clear();
    session.progress_.clear();
  }
  rd_kafka_assign(client, what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
                              ? partitions
                              : nullptr);
}

void Session::HearError(rd_kafka_t*, int error, const char*, void* opaque) {
  // One of several brokers, or one that drops who is idle.
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT) return;
  auto& session = *static_cast<Session*>(opaque);
  std::lock_guard lock(session.mutex_);
  session.error_ =
      KafkaError(session.events_, static_cast<rd_kafka_resp_err_t>(error),
                 "awaiting an event");
}

Session::~Session() {
  given_back_.clear();  // they are the client's
  rd_kafka_t* const client = client_.release();
  if (client == nullptr) return;
  // Says goodbye, so that others have its partitions at once; where nobody
  // hears it, they will see.
  const absl::Time end = absl::Now() + kGoodbyePatience;
  {
    const KafkaOwned<rd_kafka_queue_t> words(rd_kafka_queue_new(client));
    rd_kafka_error_t* const error =
        rd_kafka_consumer_close_queue(client, words.get());
    while (error == nullptr && !rd_kafka_consumer_closed(client) &&
           absl::Now() < end) {
      const KafkaOwned<rd_kafka_event_t> word(
          rd_kafka_queue_poll(words.get(), kGoodbyeMilliseconds));
      if (word != nullptr &&
          rd_kafka_event_type(word.get()) == RD_KAFKA_EVENT_REBALANCE) {
        rd_kafka_assign(client, nullptr);
      }
    }
    rd_kafka_error_destroy(error);
  }
  rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

absl::Status Session::Start() {
  auto client =
      NewKafkaClient(RD_KAFKA_CONSUMER, events_,
                     {{"group.id", events_.group},
                      {"enable.auto.commit", "false"},
                      {"enable.auto.offset.store", "false"},
                      {"auto.offset.reset", "earliest"},
                      {"allow.auto.create.topics", "true"},
                      {"partition.assignment.strategy", "range,roundrobin"}},
                     [this](rd_kafka_conf_t* settings) {
                       rd_kafka_conf_set_opaque(settings, this);
                       rd_kafka_conf_set_rebalance_cb(settings, Rebalance);
                       rd_kafka_conf_set_error_cb(settings, HearError);
                     });
  if (!client.ok()) return client.status();
  client_ = *std::move(client);
  rd_kafka_poll_set_consumer(client_.get());
  const KafkaOwned<rd_kafka_topic_partition_list_t> topics(
      rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), events_.topic.c_str(),
                                    RD_KAFKA_PARTITION_UA);
  return KafkaError(events_, rd_kafka_subscribe(client_.get(), topics.get()),
                    "subscribing");
}

KafkaOwned<rd_kafka_message_t> Session::TakeDue() {
  std::lock_guard lock(mutex_);
  const auto first = given_back_.begin();
  if (first == given_back_.end() || first->first > absl::Now()) return nullptr;
  auto message = std::move(first->second);
  given_back_.erase(first);
  return message;
}

KafkaOwned<rd_kafka_message_t> Session::TakeNext(absl::Duration slice) {
  KafkaOwned<rd_kafka_message_t> message(rd_kafka_consumer_poll(
      client_.get(), static_cast<int>(absl::ToInt64Milliseconds(slice))));
  if (message == nullptr) return nullptr;
  std::lock_guard lock(mutex_);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    error_ = KafkaError(events_, message->err, "awaiting an event");
    return nullptr;
  }
  Progress& progress = progress_[message->partition];
  progress.open.insert(message->offset);
  progress.end = std::max(progress.end, message->offset + 1);
  return message;
}

absl::Status Session::Done(const rd_kafka_message_t& message,
                           int64_t assignment) {
  int64_t offset = 0;
  {
    std::lock_guard lock(mutex_);
    if (assignment != assignment_) {
      return absl::UnavailableError(absl::StrCat(
          "Kafka at ", events_.brokers,
          ": the event's partition has gone to another reader meanwhile"));
    }
    Progress& progress = progress_[message.partition];
    progress.open.erase(message.offset);
    offset = progress.open.empty() ? progress.end : *progress.open.begin();
  }
  return Commit(message.partition, offset);
}

absl::Status Session::Commit(int32_t partition, int64_t offset) {
  const KafkaOwned<rd_kafka_topic_partition_list_t> offsets(
      rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), events_.topic.c_str(),
                                    partition)
      ->offset = offset;
  const KafkaOwned<rd_kafka_queue_t> answers(rd_kafka_queue_new(client_.get()));
  const rd_kafka_resp_err_t sent = rd_kafka_commit_queue(
      client_.get(), offsets.get(), answers.get(), nullptr, nullptr);
  if (sent != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(events_, sent, "acknowledging an event");
  }
  const KafkaOwned<rd_kafka_event_t> answer(rd_kafka_queue_poll(
      answers.get(),
      static_cast<int>(absl::ToInt64Milliseconds(events_.patience))));
  return KafkaError(events_,
                    answer == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT
                                      : rd_kafka_event_error(answer.get()),
                    "acknowledging an event");
}

void Session::GiveBack(KafkaOwned<rd_kafka_message_t> message,
                       int64_t assignment, absl::Time due) {
  std::lock_guard lock(mutex_);
  if (assignment == assignment_) given_back_.emplace(due, std::move(message));
}

class KafkaDelivery : public Delivery {
 public:
  KafkaDelivery(std::shared_ptr<Session> session,
                KafkaOwned<rd_kafka_message_t> message)
      : session_(std::move(session)),
        assignment_(session_->assignment()),
        text_(static_cast<const char*>(message->payload), message->len),
        message_(std::move(message)) {}

  ~KafkaDelivery() override {
    if (message_ != nullptr) GiveBack(absl::InfinitePast());
  }

  std::string_view text() const override { return text_; }

  absl::Status Acknowledge() override {
    return session_->Done(*std::exchange(message_, nullptr), assignment_);
  }

  absl::Status Return(absl::Duration delay) override {
    GiveBack(absl::Now() + delay);
    return absl::OkStatus();
  }

  void Extend() override { session_->Extend(); }

 private:
  void GiveBack(absl::Time due) {
    session_->GiveBack(std::move(message_), assignment_, due);
  }

  const std::shared_ptr<Session> session_;
  const int64_t assignment_;
  const std::string text_;
  KafkaOwned<rd_kafka_message_t> message_;  // until something was said of it
};

class KafkaReader : public EventReader {
 public:
  KafkaReader(std::shared_ptr<Session> session, absl::Duration patience)
      : session_(std::move(session)), patience_(patience) {}

  absl::StatusOr<std::unique_ptr<Delivery>> Receive(
      absl::Duration patience,
      const std::function<bool()>& cancelled) override {
    const absl::Time end = absl::Now() + patience;
    session_->TakeError().IgnoreError();  // what was wrong may have passed
    for (;;) {
      if (cancelled && cancelled()) return nullptr;
      auto message = session_->TakeDue();
      if (message == nullptr) {
        message = session_->TakeNext(
            std::clamp(end - absl::Now(), absl::ZeroDuration(), kSlice));
      }
      if (message != nullptr) {
        return std::make_unique<KafkaDelivery>(session_, std::move(message));
      }
      if (absl::Now() < end) continue;
      if (absl::Status error = session_->TakeError(); !error.ok()) return error;
      return nullptr;
    }
  }

  absl::Status Check() override {
    return session_->Check(std::min(kCheckPatience, patience_));
  }

 private:
  const std::shared_ptr<Session> session_;
  const absl::Duration patience_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventReader>> OpenKafkaReader(
    const KafkaEvents& events) {
  auto session = std::make_shared<Session>(events);
  if (absl::Status started = session->Start(); !started.ok()) return started;
  if (absl::Status there = session->Check(events.patience); !there.ok()) {
    return there;
  }
  return std::make_unique<KafkaReader>(std::move(session), events.patience);
}

}  // namespace wallprof::pgo
