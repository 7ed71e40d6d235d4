#include "fleet/collector/profile_pages.h"

#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fleet/agent/labels.h"
#include "fleet/collector/entry_json.h"
#include "fleet/collector/envelope.h"
#include "fleet/collector/merging.h"
#include "fleet/collector/parameters.h"
#include "fleet/collector/profile_type.h"
#include "fleet/collector/sum_pages.h"
#include "fleet/gzip/whole_gzip.h"

namespace wallprof::collector {
namespace {

// What a sender calls its profile (fleet/agent).
constexpr char kIdHeader[] = "x-wallprof-profile-id";

constexpr char kOctets[] = "application/octet-stream";

// Ids are written with '+' between them and each escaped.
absl::StatusOr<std::vector<std::string>> IdsOf(std::string_view path) {
  std::vector<std::string> ids;
  for (absl::string_view part :
       absl::StrSplit(absl::string_view(path.data(), path.size()), '+')) {
    std::string id = agent::Unescape({part.data(), part.size()});
    if (id.empty()) return absl::InvalidArgumentError("no profile id");
    ids.push_back(std::move(id));
  }
  return ids;
}

// `%2B` is a '+' between ids that was escaped with all of the path.
std::string WithPlus(std::string_view path) {
  std::string plain;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path.substr(i, 3) == "%2B" || path.substr(i, 3) == "%2b") {
      plain += '+';
      i += 2;
    } else {
      plain += path[i];
    }
  }
  return plain;
}

absl::StatusOr<std::vector<store::Series>> TakeSeries(Context& context) {
  const auto query = TakeQuery(context.parameters, Times::kAll,
                               /*is_service_required=*/false, context.now);
  if (!query.ok()) return query.status();
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  return context.shared.store.FindSeries(*query);
}

}  // namespace

absl::StatusOr<HttpResponse> AnswerUpload(Context& context) {
  absl::StatusOr<Upload> upload = TakeUpload(context.parameters, context.now);
  if (!upload.ok()) return upload.status();
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  Sent sent;
  sent.series = std::move(upload->series);
  sent.created_at = upload->created_at;
  sent.body = context.request.body;
  const auto id = context.request.headers.find(kIdHeader);
  if (id != context.request.headers.end()) sent.sender_id = id->second;
  const absl::StatusOr<store::ProfileInfo> info =
      context.shared.ingest.Keep(sent, context.now);
  if (!info.ok()) return info.status();
  return Reply(JsonOf(*info));
}

absl::StatusOr<HttpResponse> AnswerList(Context& context) {
  const auto query = TakeQuery(context.parameters, Times::kRequired,
                               /*is_service_required=*/true, context.now);
  if (!query.ok()) return query.status();
  const int64_t most = context.shared.limits.listed;
  const absl::StatusOr<int64_t> limit =
      TakeCount(context.parameters, "limit", most);
  if (!limit.ok()) return limit.status();
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;

  // The newest, as profefe's own storage has it.
  const auto kept = static_cast<size_t>(std::min(*limit, most));
  std::deque<store::ProfileInfo> newest;
  int64_t matching = 0;
  bool is_gone = false;
  const absl::Status s =
      context.shared.store.Find(*query, [&](const store::IndexEntry& entry) {
        newest.push_back(entry.info);
        if (newest.size() > kept) newest.pop_front();
        constexpr int64_t kAskEvery = 1024;
        is_gone = ++matching % kAskEvery == 0 && context.IsClientGone();
        return !is_gone;
      });
  if (!s.ok()) return s;
  if (is_gone) return absl::CancelledError("the client left");
  if (newest.empty()) return absl::NotFoundError(kNothingFound);
  std::string warning;
  if (matching > most && *limit >= most) {
    warning = absl::StrCat("these are the newest ", kept, " of ", matching);
  }
  Json list = Json::array();
  for (const store::ProfileInfo& info : newest) list.push_back(JsonOf(info));
  return Reply(std::move(list), warning);
}

absl::StatusOr<HttpResponse> AnswerProfile(Context& context) {
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  const auto ids = IdsOf(WithPlus(context.rest));
  if (!ids.ok()) return ids.status();
  const auto entries = context.shared.store.Get(*ids);
  if (!entries.ok()) return entries.status();
  if (entries->empty()) return absl::NotFoundError(kNothingFound);
  if (ids->size() > 1) {
    std::string warning;
    if (entries->size() < ids->size()) {
      warning = absl::StrCat(ids->size() - entries->size(), " of ", ids->size(),
                             " profiles are not there");
    }
    return MergedResponse(context, *entries, warning);
  }
  const store::IndexEntry& entry = entries->front();
  absl::StatusOr<std::string> message = context.shared.store.Read(entry);
  if (!message.ok()) return message.status();
  return Bytes(kOctets, entry.info.id,
               IsPprof(entry.info.series.type) ? fleet::PackWhole(*message)
                                               : *std::move(message));
}

absl::StatusOr<HttpResponse> AnswerDelete(Context& context) {
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  const auto ids = IdsOf(WithPlus(context.rest));
  if (!ids.ok()) return ids.status();
  const absl::StatusOr<int64_t> deleted = context.shared.store.Delete(*ids);
  if (!deleted.ok()) return deleted.status();
  if (*deleted == 0) return absl::NotFoundError(kNothingFound);
  return Reply({{"deleted", *deleted}});
}

absl::StatusOr<HttpResponse> AnswerServices(Context& context) {
  const auto series = TakeSeries(context);
  if (!series.ok()) return series.status();
  std::set<std::string> names;
  for (const store::Series& one : *series) names.insert(one.service);
  if (names.empty()) return absl::NotFoundError(kNothingFound);
  return Reply(Json(names));
}

absl::StatusOr<HttpResponse> AnswerSeries(Context& context) {
  const auto series = TakeSeries(context);
  if (!series.ok()) return series.status();
  Json list = Json::array();
  for (const store::Series& one : *series) list.push_back(JsonOf(one));
  return Reply(std::move(list));
}

absl::StatusOr<HttpResponse> AnswerLabelNames(Context& context) {
  const auto series = TakeSeries(context);
  if (!series.ok()) return series.status();
  std::set<std::string> names;
  for (const store::Series& one : *series) {
    for (const auto& [key, value] : one.labels) names.insert(key);
  }
  return Reply(Json(names));
}

absl::StatusOr<HttpResponse> AnswerLabelValues(Context& context) {
  const std::string name = agent::Unescape(context.rest);
  if (name.empty()) return absl::InvalidArgumentError("no label name");
  const auto series = TakeSeries(context);
  if (!series.ok()) return series.status();
  std::set<std::string> values;
  for (const store::Series& one : *series) {
    if (name == "service") values.insert(one.service);
    if (name == "type") values.insert(one.type);
    for (const auto& [key, value] : one.labels) {
      if (key == name) values.insert(value);
    }
  }
  return Reply(Json(values));
}

}  // namespace wallprof::collector
