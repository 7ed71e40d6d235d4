#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/engines/nats_connection.h"
#include "fleet/pgo/events/nats_events.h"
#include "fleet/pgo/events/nats_stream.h"
#include "fleet/pgo/names.h"

namespace wallprof::pgo {
namespace {

constexpr absl::Duration kCheckPatience = absl::Seconds(2);

class NatsWriter : public EventWriter {
 public:
  NatsWriter(std::unique_ptr<NatsConnection> connection, NatsEvents events)
      : connection_(std::move(connection)), events_(std::move(events)) {}

  absl::Status Publish(const Event& event) override {
    if (absl::Status named = CheckApp(event.app); !named.ok()) return named;
    const std::string subject = absl::StrCat(events_.subject, ".", event.app);
    const std::string text = EncodeEvent(event);
    return connection_->Insist(
        events_.patience, [&](NatsSession& session, absl::Duration wait) {
          return PublishOnce(session, wait, subject, text, event.id);
        });
  }

  absl::Status Check() override {
    return Prepare(std::min(kCheckPatience, events_.patience));
  }

  // Makes the stream if it is not there.
  absl::Status Prepare(absl::Duration patience) {
    return connection_->Insist(patience, [&](NatsSession& session,
                                             absl::Duration wait) {
      return FindStream(*connection_, session, events_.subject, wait).status();
    });
  }

 private:
  absl::Status PublishOnce(NatsSession& session, absl::Duration wait,
                           const std::string& subject, const std::string& text,
                           const std::string& id) {
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MaxWait = absl::ToInt64Milliseconds(wait);
    options.MsgId = id.c_str();
    jsErrCode code = static_cast<jsErrCode>(0);
    const natsStatus status =
        js_Publish(nullptr, session.streams(), subject.c_str(), text.data(),
                   static_cast<int>(text.size()), &options, &code);
    if (status == NATS_OK) return absl::OkStatus();
    const absl::Status error =
        connection_->ErrorOf(session, status, code, "writing an event");
    if (status != NATS_NO_RESPONDERS) return error;
    // The stream is gone; with another one the next attempt succeeds.
    const auto made = FindStream(*connection_, session, events_.subject, wait);
    return made.ok() ? error : made.status();
  }

  const std::unique_ptr<NatsConnection> connection_;
  const NatsEvents events_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EventWriter>> OpenNatsWriter(
    const NatsEvents& events) {
  auto connection = NatsConnection::Open(events.servers, events.patience);
  if (!connection.ok()) return connection.status();
  auto writer = std::make_unique<NatsWriter>(*std::move(connection), events);
  if (absl::Status ready = writer->Prepare(events.patience); !ready.ok()) {
    return ready;
  }
  return writer;
}

}  // namespace wallprof::pgo
