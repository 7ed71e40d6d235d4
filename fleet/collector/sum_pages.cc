#include "fleet/collector/sum_pages.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "fleet/collector/envelope.h"
#include "fleet/collector/flame_json.h"
#include "fleet/collector/merging.h"
#include "fleet/collector/parameters.h"
#include "fleet/collector/profile_type.h"
#include "fleet/collector/sampling.h"
#include "fleet/gzip/whole_gzip.h"
#include "http/response.h"
#include "wallprof/formats.h"
#include "wallprof/merge.h"

namespace wallprof::collector {
namespace {

constexpr char kOctets[] = "application/octet-stream";

// Functions in a table that nobody asked for more of.
constexpr int64_t kTopFunctions = 20;

// Which of several types a sum has to be of; profefe answers 405 to others.
absl::StatusOr<std::string> TypeOf(const store::Query& query) {
  const std::optional<std::string> type = query.selector.ValueOf("type");
  if (!type.has_value()) {
    return absl::FailedPreconditionError(
        "can't merge profiles of unknown type");
  }
  if (!IsPprof(*type)) {
    return absl::FailedPreconditionError(
        absl::StrCat("can't merge profiles of type \"", *type, "\""));
  }
  return *type;
}

// How a picture or a table is wanted.
struct Look {
  std::optional<Format> format;
  std::optional<View> view;
  bool threads = false;
};

absl::StatusOr<Look> TakeLook(http::Query& parameters) {
  Look look;
  const auto bad = [](std::string_view name, const std::string& value,
                      std::string_view expected) {
    return absl::InvalidArgumentError(absl::StrCat(
        "bad request: bad \"", std::string(name), "\" ", http::Quoted(value),
        ": ", std::string(expected), " expected"));
  };
  if (const auto text = parameters.Take("format")) {
    look.format = FormatOfName(*text);
    if (!look.format.has_value()) {
      return bad("format", *text,
                 "folded, pprof, speedscope, svg, html, json or chrome");
    }
  }
  if (const auto text = parameters.Take("view")) {
    look.view = ViewOfName(*text);
    if (!look.view.has_value()) {
      return bad("view", *text, "wall, cpu, offcpu or blockedby");
    }
  }
  if (const auto text = parameters.Take("threads")) {
    if (*text != "0" && *text != "1") return bad("threads", *text, "0 or 1");
    look.threads = *text == "1";
  }
  return look;
}

absl::StatusOr<Sum> AddUpEntries(
    Context& context, const std::vector<store::IndexEntry>& entries) {
  const QueryPlace place(context.shared);
  if (!place.status().ok()) return place.status();
  const Limits& limits = context.shared.limits;
  return AddUp(context.shared.store, entries, limits,
               absl::Now() + limits.query_time,
               [&context] { return context.IsClientGone(); });
}

// The sum of what `query` asks for, of `most` at most.
absl::StatusOr<Sum> SumOf(Context& context, const store::Query& query,
                          int64_t most) {
  const absl::StatusOr<Chosen> chosen =
      Choose(context.shared.store, query, most,
             [&context] { return context.IsClientGone(); });
  if (!chosen.ok()) return chosen.status();
  if (chosen->entries.empty()) return absl::NotFoundError(kNothingFound);
  absl::StatusOr<Sum> sum = AddUpEntries(context, chosen->entries);
  if (!sum.ok()) return sum.status();
  if (const auto taken = static_cast<int64_t>(chosen->entries.size());
      taken < chosen->matching) {
    sum->warning = JoinWarnings(
        absl::StrCat("the sum is of ", taken, " profiles, chosen evenly from ",
                     chosen->matching),
        sum->warning);
  }
  return sum;
}

absl::StatusOr<HttpResponse> PprofResponse(Sum sum, const std::string& type) {
  const absl::StatusOr<std::string> message =
      std::move(sum.merger).FinishMessage();
  if (!message.ok()) return message.status();
  return Bytes(kOctets, type, fleet::PackWhole(*message), sum.warning);
}

// The profile seen as `look` wants it, which a format without a view of its own
// shows.
absl::StatusOr<Profile> Seen(Profile profile, const Look& look) {
  if (!look.view.has_value() || *look.view == View::kWall) return profile;
  return SelectView(profile, *look.view);
}

HttpResponse Shown(const Profile& profile, Format format, const Look& look,
                   const std::string& title, const std::string& warning) {
  const View view = look.view.value_or(View::kWall);
  FlameGraphOptions graph;
  graph.view = view;
  graph.threads = look.threads;
  graph.title = title;
  switch (format) {
    case Format::kSvg:
      return Bytes("image/svg+xml", "", EncodeSvg(profile, graph), warning);
    case Format::kHtml:
      return Bytes(http::kHtml, "", EncodeHtml(profile, graph), warning);
    case Format::kPprof:
      return Bytes(kOctets, "profile.pb.gz", EncodePprof(profile), warning);
    case Format::kFolded: {
      FoldedOptions folded;
      folded.view = view;
      folded.threads = look.threads;
      return Bytes(http::kPlainText, "", EncodeFolded(profile, folded),
                   warning);
    }
    case Format::kJson:
      return ReplyText(EncodeJson(profile), warning);
    case Format::kSpeedscope:
    case Format::kChrome:
      break;
  }
  return Bytes(http::kJson, "", Encode(profile, format, {.view = view}),
               warning);
}

std::string TitleOf(const store::Query& query, const std::string& type) {
  constexpr char kShort[] = "%Y-%m-%d %H:%M:%S";
  const std::string service =
      query.selector.ValueOf("service").value_or("all services");
  return absl::StrCat(
      service, ", ", type, ", ",
      absl::FormatTime(kShort, query.from, absl::UTCTimeZone()), " to ",
      absl::FormatTime(kShort, query.to, absl::UTCTimeZone()), " UTC");
}

// A profile of what the request asks for, and what is missing in it.
struct Asked {
  Profile profile;
  std::string warning;
  std::string title;
};

absl::StatusOr<Asked> AnswerAsked(Context& context, const store::Query& query,
                                  int64_t most) {
  const absl::StatusOr<std::string> type = TypeOf(query);
  if (!type.ok()) return type.status();
  absl::StatusOr<Sum> sum = SumOf(context, query, most);
  if (!sum.ok()) return sum.status();
  absl::StatusOr<Profile> profile = std::move(sum->merger).Finish();
  if (!profile.ok()) return profile.status();
  return Asked{*std::move(profile), sum->warning, TitleOf(query, *type)};
}

// What top, flamegraph and diff take alike.
struct SumRequest {
  store::Query query;
  int64_t most = 0;
  Look look;
};

absl::StatusOr<SumRequest> TakeSumRequest(Context& context) {
  SumRequest asked;
  absl::StatusOr<store::Query> query =
      TakeQuery(context.parameters, Times::kLastHour,
                /*is_service_required=*/true, context.now);
  if (!query.ok()) return query.status();
  asked.query = *std::move(query);
  const int64_t most = context.shared.limits.merged;
  const auto limit = TakeCount(context.parameters, "limit", most);
  if (!limit.ok()) return limit.status();
  asked.most = std::min(*limit, most);
  const auto look = TakeLook(context.parameters);
  if (!look.ok()) return look.status();
  asked.look = *look;
  return asked;
}

}  // namespace

absl::StatusOr<HttpResponse> MergedResponse(
    Context& context, const std::vector<store::IndexEntry>& entries,
    const std::string& warning) {
  const std::string& type = entries.front().info.series.type;
  for (const store::IndexEntry& entry : entries) {
    if (!IsPprof(entry.info.series.type)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "can't merge profiles of type \"", entry.info.series.type, "\""));
    }
  }
  absl::StatusOr<Sum> sum = AddUpEntries(context, entries);
  if (!sum.ok()) return sum.status();
  sum->warning = JoinWarnings(warning, sum->warning);
  return PprofResponse(*std::move(sum), type);
}

absl::StatusOr<HttpResponse> AnswerMerge(Context& context) {
  absl::StatusOr<store::Query> query =
      TakeQuery(context.parameters, Times::kRequired,
                /*is_service_required=*/true, context.now);
  if (!query.ok()) return query.status();
  const int64_t most = context.shared.limits.merged;
  const auto limit = TakeCount(context.parameters, "limit", most);
  if (!limit.ok()) return limit.status();
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  const absl::StatusOr<std::string> type = TypeOf(*query);
  if (!type.ok()) return type.status();
  absl::StatusOr<Sum> sum = SumOf(context, *query, std::min(*limit, most));
  if (!sum.ok()) return sum.status();
  return PprofResponse(*std::move(sum), *type);
}

absl::StatusOr<HttpResponse> AnswerTop(Context& context) {
  const auto asked = TakeSumRequest(context);
  if (!asked.ok()) return asked.status();
  const auto functions = TakeCount(context.parameters, "n", kTopFunctions);
  if (!functions.ok()) return functions.status();
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  absl::StatusOr<Asked> answer =
      AnswerAsked(context, asked->query, asked->most);
  if (!answer.ok()) return answer.status();
  const absl::StatusOr<Profile> seen =
      Seen(std::move(answer->profile), asked->look);
  if (!seen.ok()) return seen.status();
  Json table = Json::parse(EncodeJson(*seen));
  Json& rows = table["functions"];
  if (rows.size() > static_cast<size_t>(*functions)) {
    rows.erase(rows.begin() + *functions, rows.end());
  }
  return Reply(std::move(table), answer->warning);
}

absl::StatusOr<HttpResponse> AnswerFlameGraph(Context& context) {
  const auto asked = TakeSumRequest(context);
  if (!asked.ok()) return asked.status();
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  absl::StatusOr<Asked> answer =
      AnswerAsked(context, asked->query, asked->most);
  if (!answer.ok()) return answer.status();
  const Look& look = asked->look;
  const Format format = look.format.value_or(Format::kJson);
  if (format != Format::kJson) {
    return Shown(answer->profile, format, look, answer->title, answer->warning);
  }
  const absl::StatusOr<Profile> seen = Seen(std::move(answer->profile), look);
  if (!seen.ok()) return seen.status();
  return Reply(FlameJson(*seen, look.threads), answer->warning);
}

absl::StatusOr<HttpResponse> AnswerDiff(Context& context) {
  const auto asked = TakeSumRequest(context);
  if (!asked.ok()) return asked.status();
  const auto base =
      TakeBaseQuery(context.parameters, asked->query, context.now);
  if (!base.ok()) return base.status();
  DiffOptions options;
  if (const auto text = context.parameters.Take("normalize")) {
    options.normalize = *text == "1";
  }
  if (absl::Status s = context.parameters.CheckAllTaken(); !s.ok()) return s;
  const absl::StatusOr<Asked> before = AnswerAsked(context, *base, asked->most);
  if (!before.ok()) {
    return absl::Status(before.status().code(),
                        absl::StrCat("base: ", before.status().message()));
  }
  const absl::StatusOr<Asked> after =
      AnswerAsked(context, asked->query, asked->most);
  if (!after.ok()) return after.status();
  const Look& look = asked->look;
  const Format format = look.format.value_or(Format::kJson);
  options.label_base = format != Format::kJson;
  const absl::StatusOr<Profile> difference =
      look.view.has_value() ? DiffViews(before->profile, *look.view,
                                        after->profile, *look.view, options)
                            : Diff(before->profile, after->profile, options);
  if (!difference.ok()) return difference.status();
  return Shown(*difference, format, {},
               absl::StrCat(after->title, " against ", before->title),
               JoinWarnings(before->warning.empty()
                                ? ""
                                : absl::StrCat("base: ", before->warning),
                            after->warning));
}

}  // namespace wallprof::collector
