#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/pgo/events/kafka_client.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

constexpr absl::Duration kCheckPatience = absl::Seconds(2);

// The library ends a message's tries by itself; who waits for it waits a little
// longer.
constexpr absl::Duration kLate = absl::Seconds(2);

constexpr int kPollMilliseconds = 20;

// What became of one message. Kept by who waits and by the library.
struct Fate {
  std::mutex mutex;
  bool is_known = false;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
};

void Deliver(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  const std::unique_ptr<std::shared_ptr<Fate>> kept(
      static_cast<std::shared_ptr<Fate>*>(message->_private));
  std::lock_guard lock((*kept)->mutex);
  (*kept)->is_known = true;
  (*kept)->error = message->err;
}

class KafkaWriter : public EventWriter {
 public:
  explicit KafkaWriter(KafkaEvents events) : events_(std::move(events)) {}

  absl::Status Publish(const Event& event) override {
    if (absl::Status named = CheckApp(event.app); !named.ok()) return named;
    const auto client = Client();
    if (!client.ok()) return client.status();
    const std::string text = EncodeEvent(event);
    const auto fate = std::make_shared<Fate>();
    auto kept = std::make_unique<std::shared_ptr<Fate>>(fate);
    const rd_kafka_resp_err_t queued = rd_kafka_producev(
        client->get(), RD_KAFKA_V_TOPIC(events_.topic.c_str()),
        RD_KAFKA_V_KEY(event.app.data(), event.app.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(text.data()), text.size()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(kept.get()),
        RD_KAFKA_V_END);
    if (queued != RD_KAFKA_RESP_ERR_NO_ERROR) return Error(queued);
    static_cast<void>(kept.release());  // Deliver() destroys it
    const absl::Time end = absl::Now() + events_.patience + kLate;
    for (;;) {
      // On this thread, perhaps, another's fate becomes known.
      rd_kafka_poll(client->get(), kPollMilliseconds);
      std::lock_guard lock(fate->mutex);
      if (fate->is_known || absl::Now() > end) return Error(fate->error);
    }
  }

  absl::Status Check() override {
    const auto client = Client();
    if (!client.ok()) return client.status();
    return CheckKafka(client->get(), events_,
                      std::min(kCheckPatience, events_.patience));
  }

  // Whether it can be reached at the start.
  absl::Status Prepare() {
    const auto client = Client();
    if (!client.ok()) return client.status();
    return CheckKafka(client->get(), events_, events_.patience);
  }

 private:
  // Another one where the last has met what it cannot go on from, as when the
  // broker has forgotten what it was sent.
  absl::StatusOr<std::shared_ptr<rd_kafka_t>> Client() {
    std::lock_guard lock(mutex_);
    if (client_ == nullptr || rd_kafka_fatal_error(client_.get(), nullptr, 0) !=
                                  RD_KAFKA_RESP_ERR_NO_ERROR) {
      auto made = NewKafkaClient(
          RD_KAFKA_PRODUCER, events_,
          {{"enable.idempotence", "true"},
           {"linger.ms", "0"},
           {"message.timeout.ms",
            absl::StrCat(absl::ToInt64Milliseconds(events_.patience))}},
          [](rd_kafka_conf_t* settings) {
            rd_kafka_conf_set_dr_msg_cb(settings, Deliver);
          });
      if (!made.ok()) return made.status();
      client_ = std::shared_ptr<rd_kafka_t>(made->release(), DestroyKafka());
    }
    return client_;
  }

  absl::Status Error(rd_kafka_resp_err_t error) const {
    return KafkaError(events_, error, "writing an event");
  }

  const KafkaEvents events_;
  std::mutex mutex_;
  std::shared_ptr<rd_kafka_t> client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventWriter>> OpenKafkaWriter(
    const KafkaEvents& events) {
  auto writer = std::make_unique<KafkaWriter>(events);
  if (absl::Status ready = writer->Prepare(); !ready.ok()) return ready;
  return writer;
}

}  // namespace wallprof::pgo
