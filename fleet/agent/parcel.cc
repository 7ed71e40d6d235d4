#include "fleet/agent/parcel.h"

#include <zlib.h>

#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "fleet/agent/labels.h"

namespace wallprof::agent {
namespace {

constexpr char kMagic[] = "wallprof-parcel";
constexpr char kVersion[] = "1";
constexpr size_t kWords = 4;  // of the first line

uint32_t Checksum(std::string_view query, std::string_view body) {
  // A null pointer would be a request for the initial value.
  uLong sum = crc32_z(0, nullptr, 0);
  for (const std::string_view part : {query, std::string_view("\n"), body}) {
    if (part.empty()) continue;
    sum =
        crc32_z(sum, reinterpret_cast<const Bytef*>(part.data()), part.size());
  }
  return static_cast<uint32_t>(sum);
}

// Up to the next end of line, which is taken off `bytes` with it.
bool TakeLine(std::string_view& bytes, std::string_view& line) {
  const size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return false;
  line = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return true;
}

std::map<std::string, std::string> ParseQuery(std::string_view query) {
  std::map<std::string, std::string> values;
  for (absl::string_view pair :
       absl::StrSplit(absl::string_view(query.data(), query.size()), '&')) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    values[parts.first] = Unescape(parts.second);
  }
  return values;
}

// Whether the first line is one of ours and says of the rest what it is.
absl::Status CheckFrame(std::string_view line, std::string_view rest) {
  const std::vector<std::string> words =
      absl::StrSplit(absl::string_view(line.data(), line.size()), ' ');
  if (words.size() != kWords || words[0] != kMagic) {
    return absl::DataLossError("it is no profile of an agent");
  }
  if (words[1] != kVersion) {
    return absl::DataLossError(
        absl::StrCat("it is of version ", words[1].substr(0, 8)));
  }
  std::string_view query;
  if (!TakeLine(rest, query)) return absl::DataLossError("it is cut short");
  size_t bytes = 0;
  if (!absl::SimpleAtoi(words[3], &bytes) || bytes != rest.size()) {
    return absl::DataLossError(absl::StrCat(
        "it has ", rest.size(), " bytes, not ", words[3].substr(0, 20)));
  }
  if (words[2] != absl::StrFormat("%08x", Checksum(query, rest))) {
    return absl::DataLossError("its checksum is wrong");
  }
  return absl::OkStatus();
}

}  // namespace

std::string FrameParcel(std::string_view query, std::string_view body) {
  return absl::StrFormat("%s %s %08x %d\n%s\n%s", kMagic, kVersion,
                         Checksum(query, body), body.size(), query, body);
}

std::string EncodeParcel(const Parcel& parcel) {
  const std::string query = absl::StrCat(
      "id=", Escape(parcel.id), "&service=", Escape(parcel.service),
      "&type=", Escape(parcel.type),
      "&created_at=", absl::ToUnixNanos(parcel.created_at),
      "&labels=", Escape(FormatLabels(parcel.labels)));
  return FrameParcel(query, parcel.body);
}

absl::StatusOr<Parcel> DecodeParcel(std::string_view bytes) {
  std::string_view line;
  if (!TakeLine(bytes, line)) {
    return absl::DataLossError("it is no profile of an agent");
  }
  if (absl::Status status = CheckFrame(line, bytes); !status.ok()) {
    return status;
  }
  std::string_view query;
  TakeLine(bytes, query);
  std::map<std::string, std::string> values = ParseQuery(query);
  Parcel parcel;
  parcel.id = values["id"];
  parcel.service = values["service"];
  parcel.type = values["type"];
  parcel.labels = ParseLabels(values["labels"]);
  int64_t created_ns = 0;
  if (parcel.id.empty() || parcel.service.empty() || parcel.type.empty() ||
      !absl::SimpleAtoi(values["created_at"], &created_ns)) {
    return absl::DataLossError("it lacks its id, service, type or time");
  }
  parcel.created_at = absl::FromUnixNanos(created_ns);
  parcel.body = std::string(bytes);
  return parcel;
}

}  // namespace wallprof::agent
