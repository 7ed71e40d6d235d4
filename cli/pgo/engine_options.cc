#include "cli/pgo/engine_options.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fleet/pgo/events/open.h"
#include "fleet/pgo/versions/open.h"

namespace wallprof::cli {
namespace {

// Small: whether a store answers, not what it has.
constexpr int kProbedObjects = 1;

std::string CheckEvents(const std::string& url) {
  return std::string(pgo::CheckEventUrl(url).message());
}

std::string CheckVersions(const std::string& url) {
  return std::string(pgo::CheckVersionsUrl(url).message());
}

// `status` of what `flag` names.
absl::Status Named(const absl::Status& status, absl::string_view flag) {
  return absl::Status(status.code(),
                      absl::StrCat(flag, ": ", status.message()));
}

}  // namespace

void Engines::AddTo(pgo::Health& health) {
  health.Add("blob", [&objects = *objects] {
    return objects.List("", "", kProbedObjects).status();
  });
  health.Add("versions", [&versions = *versions] { return versions.Check(); });
  if (reader != nullptr) {
    health.Add("event-reader", [&reader = *reader] { return reader.Check(); });
  }
  health.Add("event-writer", [&writer = *writer] { return writer.Check(); });
}

void EngineArguments::AddTo(CLI::App& verb, bool reads) {
  static constexpr char kGroup[] = "Where things are";
  const auto add = [&verb](const char* name, std::string& url,
                           const char* what) {
    return verb.add_option(name, url, what)->type_name("URL")->group(kGroup);
  };
  add("--blob-store-url", objects_,
      "Profiles: s3://BUCKET/PREFIX?endpoint=URL, credentials as in "
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or file:///DIR")
      ->required();
  if (reads) {
    add("--event-reader-url", reader_,
        "Events: nats://HOST:PORT/SUBJECT, nats://SUBJECT, "
        "kafka://HOST:PORT/TOPIC or kafka://GROUP?topic=TOPIC")
        ->required()
        ->check(CheckEvents);
  }
  add("--event-writer-url", writer_,
      "Where events go: nats://HOST:PORT/SUBJECT, nats://SUBJECT, "
      "kafka://HOST:PORT/TOPIC or kafka://TOPIC")
      ->required()
      ->check(CheckEvents);
  add("--version-store-url", versions_,
      "Which profile is the newest: nats://HOST:PORT/BUCKET, "
      "postgres://USER@HOST/DATABASE or file:///DIR; the same for all servers "
      "and workers. By default the bucket wallprof-pgo beside events in NATS")
      ->check(CheckVersions);
}

std::string EngineArguments::VersionsUrl() const {
  if (!versions_.empty()) return versions_;
  std::optional<std::string> url = pgo::VersionsUrlBeside(writer_);
  if (!url) {
    throw CLI::RequiredError(
        "--version-store-url is required where events are not in NATS",
        CLI::ExitCodes::RequiredError);
  }
  return *std::move(url);
}

absl::StatusOr<Engines> EngineArguments::Open(
    std::function<bool()> cancelled) const {
  const std::string versions_url = VersionsUrl();
  Engines engines;
  ObjectStoreOptions options;
  options.cancelled = std::move(cancelled);
  auto objects = OpenObjectStore(objects_, options);
  if (!objects.ok()) return Named(objects.status(), "--blob-store-url");
  engines.objects = *std::move(objects);
  auto versions = pgo::OpenBaseVersions(versions_url);
  if (!versions.ok()) return Named(versions.status(), "--version-store-url");
  engines.versions = *std::move(versions);
  auto writer = pgo::OpenEventWriter(writer_);
  if (!writer.ok()) return Named(writer.status(), "--event-writer-url");
  engines.writer = *std::move(writer);
  if (!reader_.empty()) {
    auto reader = pgo::OpenEventReader(reader_);
    if (!reader.ok()) return Named(reader.status(), "--event-reader-url");
    engines.reader = *std::move(reader);
  }
  engines.store =
      std::make_unique<pgo::BaseStore>(*engines.objects, *engines.versions);
  return engines;
}

}  // namespace wallprof::cli
