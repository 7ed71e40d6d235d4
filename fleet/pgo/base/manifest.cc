#include "fleet/pgo/base/manifest.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace wallprof::pgo {
namespace {

using Json = nlohmann::ordered_json;

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat(what, " of a base is damaged"));
}

// `text` as `read` finds it in there; DataLoss where it does not fit.
template <typename T, typename Read>
absl::StatusOr<T> Decode(std::string_view text, absl::string_view what,
                         Read read) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Damaged(what);
  try {
    return read(json);
  } catch (const Json::exception&) {
    return Damaged(what);
  }
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int64_t Nanoseconds(absl::Time time) { return absl::ToUnixNanos(time); }

absl::Time TimeOf(const Json& number) {
  return absl::FromUnixNanos(number.get<int64_t>());
}

}  // namespace

std::string EncodeRecord(const Record& record) {
  Json json;
  json["generation"] = record.generation;
  json["manifest"] = record.manifest;
  json["base"] = record.base;
  json["bytes"] = record.bytes;
  json["modified"] = Nanoseconds(record.modified);
  return Dump(json);
}

absl::StatusOr<Record> DecodeRecord(std::string_view text) {
  return Decode<Record>(text, "the record", [](const Json& json) {
    Record record;
    json.at("generation").get_to(record.generation);
    json.at("manifest").get_to(record.manifest);
    json.at("base").get_to(record.base);
    json.at("bytes").get_to(record.bytes);
    record.modified = TimeOf(json.at("modified"));
    return record;
  });
}

const MergedProfile* Manifest::Find(int64_t id) const {
  const auto found = std::lower_bound(
      merged.begin(), merged.end(), id,
      [](const MergedProfile& profile, int64_t i) { return profile.id < i; });
  return found != merged.end() && found->id == id ? &*found : nullptr;
}

bool Manifest::Needs(std::string_view key) const {
  return key == base ||
         std::any_of(parts.begin(), parts.end(),
                     [key](const ManifestPart& p) { return p.key == key; });
}

std::string EncodeManifest(const Manifest& manifest) {
  Json json;
  json["base"] = manifest.base;
  Json& parts = json["parts"] = Json::array();
  for (const ManifestPart& part : manifest.parts) {
    Json& one = parts.emplace_back();
    one["version"] = part.version;
    one["length"] = absl::ToInt64Nanoseconds(part.length);
    one["stretch"] = part.stretch;
    one["first"] = Nanoseconds(part.first);
    one["last"] = Nanoseconds(part.last);
    one["profiles"] = part.profiles;
    one["key"] = part.key;
    one["bytes"] = part.bytes;
  }
  Json& versions = json["versions"] = Json::array();
  for (const auto& [version, first] : manifest.versions) {
    versions.push_back({version, Nanoseconds(first)});
  }
  Json& merged = json["merged"] = Json::array();
  for (const MergedProfile& profile : manifest.merged) {
    merged.push_back({profile.id, absl::ToUnixSeconds(profile.seen)});
  }
  return Dump(json);
}

absl::StatusOr<Manifest> DecodeManifest(std::string_view text) {
  return Decode<Manifest>(text, "the manifest", [](const Json& json) {
    Manifest manifest;
    json.at("base").get_to(manifest.base);
    for (const Json& one : json.at("parts")) {
      ManifestPart& part = manifest.parts.emplace_back();
      one.at("version").get_to(part.version);
      part.length = absl::Nanoseconds(one.at("length").get<int64_t>());
      one.at("stretch").get_to(part.stretch);
      part.first = TimeOf(one.at("first"));
      part.last = TimeOf(one.at("last"));
      one.at("profiles").get_to(part.profiles);
      one.at("key").get_to(part.key);
      one.at("bytes").get_to(part.bytes);
    }
    for (const Json& one : json.at("versions")) {
      manifest.versions[one.at(0).get<std::string>()] = TimeOf(one.at(1));
    }
    for (const Json& one : json.at("merged")) {
      manifest.merged.push_back(
          {one.at(0).get<int64_t>(),
           absl::FromUnixSeconds(one.at(1).get<int64_t>())});
    }
    std::sort(manifest.merged.begin(), manifest.merged.end(),
              [](const MergedProfile& a, const MergedProfile& b) {
                return a.id < b.id;
              });
    return manifest;
  });
}

}  // namespace wallprof::pgo
