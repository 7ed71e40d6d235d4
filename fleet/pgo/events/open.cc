#include "fleet/pgo/events/open.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "fleet/pgo/engines/engine_url.h"
#include "fleet/pgo/events/nats_events.h"
#include "fleet/pgo/events/nats_stream.h"

namespace wallprof::pgo {
namespace {

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

absl::Status NotSpoken(std::string_view url) {
  const std::string_view scheme = SchemeOf(url);
  for (const Unspoken& unspoken : kUnspoken) {
    // RabbitMQ and others have variants, as gcppubsub3.
    if (scheme == unspoken.scheme) {
      return absl::UnimplementedError(
          absl::StrCat(View(unspoken.name), " (", View(scheme),
                       "://) is not supported; use nats://HOST:PORT/SUBJECT"));
    }
  }
  return WrongUrl(kWhat,
                  scheme.empty() ? url : absl::StrCat(View(scheme), "://..."),
                  "it must begin with nats:// or tls://");
}

}  // namespace

absl::Status CheckEventUrl(std::string_view url) {
  const std::string_view scheme = SchemeOf(url);
  if (scheme == "nats" || scheme == "tls") return ParseNats(url).status();
  return NotSpoken(url);
}

absl::StatusOr<std::unique_ptr<EventWriter>> OpenEventWriter(
    std::string_view url) {
  if (absl::Status good = CheckEventUrl(url); !good.ok()) return good;
  return OpenNatsWriter(*ParseNats(url));
}

absl::StatusOr<std::unique_ptr<EventReader>> OpenEventReader(
    std::string_view url) {
  if (absl::Status good = CheckEventUrl(url); !good.ok()) return good;
  return OpenNatsReader(*ParseNats(url));
}

}  // namespace wallprof::pgo
