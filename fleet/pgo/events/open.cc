#include "fleet/pgo/events/open.h"

#include <stdlib.h>

#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "fleet/pgo/engines/engine_url.h"
#include "fleet/pgo/events/kafka_events.h"
#include "fleet/pgo/events/nats_events.h"
#include "fleet/pgo/events/nats_stream.h"

namespace wallprof::pgo {
namespace {

constexpr int kKafkaPort = 9092;

constexpr char kWhat[] = "event bus";

// Readers that are not told otherwise share the events.
constexpr char kGroup[] = "wallprof-pgo";

// A worker that died is noticed so soon; merges that take longer say so.
constexpr char kAckWait[] = "30s";
constexpr absl::Duration kShortestAckWait = absl::Milliseconds(100);
constexpr absl::Duration kLongestAckWait = absl::Hours(1);

struct Unspoken {
  std::string_view scheme;
  std::string_view name;
};
constexpr Unspoken kUnspoken[] = {
    {"awssns", "Amazon SNS"},         {"awssqs", "Amazon SQS"},
    {"azuresb", "Azure Service Bus"}, {"gcppubsub", "Google Cloud Pub/Sub"},
    {"rabbit", "RabbitMQ"},           {"mem", "A bus in memory"},
};

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

std::string Variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

// Names of consumers and groups.
bool IsName(std::string_view name) {
  constexpr size_t kMaxBytes = 200;
  bool good = !name.empty() && name.size() <= kMaxBytes;
  for (const unsigned char c : name) {
    good &= absl::ascii_isalnum(c) || c == '-' || c == '_';
  }
  return good;
}

absl::StatusOr<NatsEvents> ParseNats(std::string_view url) {
  // Those of gocloud.dev are "queue", and "natsv2", which changes nothing here.
  auto parsed = ParseEngineUrl(url, kWhat, kNatsPort,
                               {"consumer", "queue", "natsv2", "ack_wait"});
  if (!parsed.ok()) return parsed.status();
  auto servers = FindNatsServers(*parsed, kWhat, url);
  if (!servers.ok()) return servers.status();
  NatsEvents events;
  events.servers = *std::move(servers);
  events.subject = parsed->name;
  if (absl::Status good = CheckSubject(events.subject); !good.ok()) {
    return WrongUrl(kWhat, url, std::string(good.message()));
  }
  events.consumer =
      parsed->Parameter("consumer", parsed->Parameter("queue", kGroup));
  if (!IsName(events.consumer)) {
    return WrongUrl(kWhat, url,
                    "consumer must be letters, digits, '-' and '_'");
  }
  if (!absl::ParseDuration(parsed->Parameter("ack_wait", kAckWait),
                           &events.ack_wait) ||
      events.ack_wait < kShortestAckWait || events.ack_wait > kLongestAckWait) {
    return WrongUrl(kWhat, url, "ack_wait must be 100ms to 1h");
  }
  return events;
}

// Those of gocloud.dev: kafka://TOPIC, and for readers
// kafka://GROUP?topic=TOPIC too.
absl::StatusOr<KafkaEvents> ParseKafka(std::string_view url) {
  auto parsed = ParseEngineUrl(url, kWhat, kKafkaPort, {"group", "topic"});
  if (!parsed.ok()) return parsed.status();
  KafkaEvents events;
  events.topic = parsed->name;
  events.group = parsed->Parameter("group", kGroup);
  if (const std::string topic = parsed->Parameter("topic", "");
      !topic.empty()) {
    if (!parsed->hosts.empty() || parsed->parameters.count("group") > 0) {
      return WrongUrl(kWhat, url,
                      "topic is for kafka://GROUP?topic=TOPIC; else it is "
                      "kafka://HOST:PORT/TOPIC?group=GROUP");
    }
    events.group = std::exchange(events.topic, topic);
  }
  // The names that Kafka allows.
  if (!IsName(absl::StrReplaceAll(events.topic, {{".", "-"}}))) {
    return WrongUrl(kWhat, url,
                    "the topic must be letters, digits, '-', '_' and dots");
  }
  if (!IsName(absl::StrReplaceAll(events.group, {{".", "-"}}))) {
    return WrongUrl(kWhat, url,
                    "the group must be letters, digits, '-', '_' and dots");
  }
  if (parsed->hosts.empty()) {
    for (const absl::string_view host :
         absl::StrSplit(Variable("KAFKA_BROKERS"), ',', absl::SkipEmpty())) {
      const absl::string_view bare = absl::StripAsciiWhitespace(host);
      parsed->hosts.push_back(WithPort({bare.data(), bare.size()}, kKafkaPort));
    }
    if (parsed->hosts.empty() || absl::c_linear_search(parsed->hosts, "")) {
      return WrongUrl(kWhat, url,
                      "it names no host, and KAFKA_BROKERS is not HOST:PORT, "
                      "or several with commas between");
    }
  }
  events.brokers = absl::StrJoin(parsed->hosts, ",");
  events.settings_file = Variable("KAFKA_CONFIG");
  return events;
}

absl::Status NotSpoken(std::string_view url) {
  const std::string_view scheme = SchemeOf(url);
  for (const Unspoken& unspoken : kUnspoken) {
    // RabbitMQ and others have variants, as gcppubsub3.
    if (scheme == unspoken.scheme) {
      return absl::UnimplementedError(
          absl::StrCat(View(unspoken.name), " (", View(scheme),
                       "://) is not supported; use nats://HOST:PORT/SUBJECT or "
                       "kafka://HOST:PORT/TOPIC"));
    }
  }
  return WrongUrl(kWhat,
                  scheme.empty() ? url : absl::StrCat(View(scheme), "://..."),
                  "it must begin with nats://, tls:// or kafka://");
}

}  // namespace

absl::Status CheckEventUrl(std::string_view url) {
  const std::string_view scheme = SchemeOf(url);
  if (scheme == "nats" || scheme == "tls") return ParseNats(url).status();
  if (scheme == "kafka") return ParseKafka(url).status();
  return NotSpoken(url);
}

absl::StatusOr<std::unique_ptr<EventWriter>> OpenEventWriter(
    std::string_view url) {
  if (absl::Status good = CheckEventUrl(url); !good.ok()) return good;
  if (SchemeOf(url) == "kafka") return OpenKafkaWriter(*ParseKafka(url));
  return OpenNatsWriter(*ParseNats(url));
}

absl::StatusOr<std::unique_ptr<EventReader>> OpenEventReader(
    std::string_view url) {
  if (absl::Status good = CheckEventUrl(url); !good.ok()) return good;
  if (SchemeOf(url) == "kafka") return OpenKafkaReader(*ParseKafka(url));
  return OpenNatsReader(*ParseNats(url));
}

}  // namespace wallprof::pgo
