#include "fleet/pgo/events/kafka_client.h"

#include <algorithm>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"

namespace wallprof::pgo {
namespace {

constexpr size_t kErrorBytes = 512;

// What the file may change. A broker that is back is found soon. A reader that
// died is noticed in ten seconds; one that lives says so by itself, but one
// that neither receives nor extends for five minutes has stopped.
const KafkaSetting kDefaults[] = {
    {"client.id", "wallprof"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "2000"},
    {"socket.keepalive.enable", "true"},
};
const KafkaSetting kReaderDefaults[] = {
    {"session.timeout.ms", "10000"},
    {"max.poll.interval.ms", "300000"},
};

// Else the library prints them. What fails is seen by the call that fails.
void IgnoreLog(const rd_kafka_t*, int, const char*, const char*) {}

std::string PlaceOf(const KafkaEvents& events) {
  return absl::StrCat("Kafka at ", events.brokers);
}

absl::Status Wrong(const KafkaEvents& events, const std::string& why) {
  return absl::FailedPreconditionError(
      absl::StrCat(PlaceOf(events), ": ", why));
}

absl::Status Set(rd_kafka_conf_t* settings, const KafkaEvents& events,
                 const std::string& name, const std::string& value,
                 const std::string& where) {
  char why[kErrorBytes];
  const rd_kafka_conf_res_t set = rd_kafka_conf_set(
      settings, name.c_str(), value.c_str(), why, sizeof(why));
  if (set == RD_KAFKA_CONF_OK) return absl::OkStatus();
  // What the library says may have the value, which may be a password.
  return Wrong(events, absl::StrCat(where, ": ",
                                    set == RD_KAFKA_CONF_UNKNOWN
                                        ? "there is no setting '"
                                        : "a wrong value for '",
                                    name, "'"));
}

absl::Status SetByFile(rd_kafka_conf_t* settings, const KafkaEvents& events) {
  if (events.settings_file.empty()) return absl::OkStatus();
  std::ifstream file(events.settings_file);
  if (!file) {
    return Wrong(events,
                 absl::StrCat(events.settings_file, ": cannot be read"));
  }
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    absl::StripAsciiWhitespace(&line);
    if (line.empty() || line[0] == '#') continue;
    const std::pair<std::string, std::string> named =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const absl::Status set = Set(
        settings, events, std::string(absl::StripAsciiWhitespace(named.first)),
        std::string(absl::StripAsciiWhitespace(named.second)),
        absl::StrCat(events.settings_file, ":", number));
    if (!set.ok()) return set;
  }
  return absl::OkStatus();
}

absl::StatusCode CodeOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return absl::StatusCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      return absl::StatusCode::kFailedPrecondition;
    default:  // brokers that start, elect and move what they have
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

absl::Status KafkaError(const KafkaEvents& events, rd_kafka_resp_err_t error,
                        std::string_view doing) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  return {CodeOf(error),
          absl::StrCat(PlaceOf(events), ": ",
                       absl::string_view(doing.data(), doing.size()), ": ",
                       rd_kafka_err2str(error))};
}

absl::StatusOr<KafkaOwned<rd_kafka_t>> NewKafkaClient(
    rd_kafka_type_t type, const KafkaEvents& events,
    const std::vector<KafkaSetting>& ours,
    const std::function<void(rd_kafka_conf_t*)>& change) {
  KafkaOwned<rd_kafka_conf_t> settings(rd_kafka_conf_new());
  absl::Status set;
  const auto set_all = [&](absl::Span<const KafkaSetting> some) {
    for (const auto& [name, value] : some) {
      if (set.ok()) set = Set(settings.get(), events, name, value, "wallprof");
    }
  };
  set_all(kDefaults);
  if (type == RD_KAFKA_CONSUMER) set_all(kReaderDefaults);
  if (set.ok()) set = SetByFile(settings.get(), events);
  set_all(ours);
  set_all({{"bootstrap.servers", events.brokers}});
  if (!set.ok()) return set;
  rd_kafka_conf_set_log_cb(settings.get(), IgnoreLog);
  change(settings.get());
  char why[kErrorBytes];
  KafkaOwned<rd_kafka_t> client(
      rd_kafka_new(type, settings.get(), why, sizeof(why)));
  if (client == nullptr) return Wrong(events, why);
  static_cast<void>(settings.release());  // the client has taken them
  return client;
}

absl::Status CheckKafka(rd_kafka_t* client, const KafkaEvents& events,
                        absl::Duration patience) {
  const struct rd_kafka_metadata* brokers = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client, /*all_topics=*/0, nullptr, &brokers,
                        static_cast<int>(absl::ToInt64Milliseconds(patience)));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(brokers);
  return KafkaError(events, error, "asking for the brokers");
}

}  // namespace wallprof::pgo
