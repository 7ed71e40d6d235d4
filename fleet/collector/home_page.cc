#include "fleet/collector/home_page.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fleet/agent/labels.h"
#include "fleet/collector/entry_json.h"
#include "fleet/collector/envelope.h"
#include "fleet/collector/home_style.h"
#include "fleet/collector/parameters.h"
#include "fleet/collector/profile_type.h"
#include "http/response.h"
#include "profiler/encode/markup.h"

namespace wallprof::collector {
namespace {

// As many bars as can be told apart and hit with a pointer.
constexpr int64_t kBars = 96;

// The newest profiles of a time; the whole list is a click away.
constexpr size_t kListed = 50;

// What is shown of a service that has several types, in this order.
constexpr std::string_view kFirstTypes[] = {"wall", "cpu"};

// Ranges to choose from, each ending now.
struct Range {
  const char* name;
  const char* from;
};
constexpr Range kRanges[] = {{"15 minutes", "-15m"}, {"1 hour", "-1h"},
                             {"6 hours", "-6h"},     {"24 hours", "-24h"},
                             {"7 days", "-168h"},    {"30 days", "-720h"}};

// One way to look at the store: what the page's links change a part of.
struct Sight {
  std::string service;
  std::string type;
  std::string labels;  // as the API has them
  std::string query;
  std::string from;  // as asked for; empty: the last hour
  std::string to;
};

std::string Markup(std::string_view text) { return MarkupText(text); }

// "?service=shop&type=wall", for an attribute.
std::string LinkQuery(const Sight& sight, std::string_view more = "") {
  std::vector<std::string> parts;
  const auto add = [&parts](const char* name, const std::string& value) {
    if (value.empty()) return;
    parts.push_back(absl::StrCat(name, "=", agent::Escape(value)));
  };
  add("service", sight.service);
  add("type", sight.type);
  add("labels", sight.labels);
  add("query", sight.query);
  add("from", sight.from);
  add("to", sight.to);
  if (!more.empty()) parts.push_back(std::string(more));
  return Markup(absl::StrCat("?", absl::StrJoin(parts, "&")));
}

std::string Link(const std::string& target, std::string_view text,
                 bool is_current = false) {
  return absl::StrCat("<a href=\"", target, "\"",
                      is_current ? " class=\"on\"" : "", ">", Markup(text),
                      "</a>");
}

// What the request wants to see, as it said it.
absl::StatusOr<Sight> TakeSight(http::Query parameters) {
  Sight sight;
  const auto take = [&parameters](const char* name, std::string& value) {
    value = parameters.Take(name).value_or("");
  };
  take("service", sight.service);
  take("type", sight.type);
  take("labels", sight.labels);
  take("query", sight.query);
  take("from", sight.from);
  take("to", sight.to);
  if (absl::Status s = parameters.CheckAllTaken(); !s.ok()) return s;
  return sight;
}

// When profiles came, and the newest of them.
struct Timeline {
  std::vector<int64_t> counts = std::vector<int64_t>(kBars, 0);
  std::deque<store::ProfileInfo> newest;
  int64_t profiles = 0;
};

absl::StatusOr<Timeline> LookAt(Context& context, const store::Query& query) {
  Timeline timeline;
  const double width =
      std::max(1.0, absl::ToDoubleSeconds(query.to - query.from)) / kBars;
  const absl::Status s =
      context.shared.store.Find(query, [&](const store::IndexEntry& entry) {
        const double at =
            absl::ToDoubleSeconds(entry.info.created_at - query.from) / width;
        ++timeline.counts[std::clamp<int64_t>(static_cast<int64_t>(at), 0,
                                              kBars - 1)];
        timeline.newest.push_back(entry.info);
        if (timeline.newest.size() > kListed) timeline.newest.pop_front();
        constexpr int64_t kAskEvery = 1024;
        return ++timeline.profiles % kAskEvery != 0 || !context.IsClientGone();
      });
  if (!s.ok()) return s;
  return timeline;
}

// Bars that lead to their part of the time.
std::string DrawTimeline(const Sight& sight, const store::Query& query,
                         const Timeline& timeline) {
  constexpr double kWidth = 960;
  constexpr double kHeight = 60;
  const int64_t highest =
      *std::max_element(timeline.counts.begin(), timeline.counts.end());
  const absl::Duration width = (query.to - query.from) / kBars;
  std::string svg = absl::StrCat("<svg class=\"timeline\" viewBox=\"0 0 ",
                                 kWidth, " ", kHeight,
                                 "\" preserveAspectRatio=\"none\" role=\"img\" "
                                 "aria-label=\"Profiles over time\">\n");
  for (int64_t i = 0; i < kBars; ++i) {
    const int64_t count = timeline.counts[i];
    if (count == 0) continue;
    Sight part = sight;
    part.from = TimeText(query.from + width * i);
    part.to = TimeText(query.from + width * (i + 1));
    const double height = std::max(2.0, kHeight * count / highest);
    absl::StrAppend(&svg, "<a href=\"", LinkQuery(part), "\"><rect x=\"",
                    kWidth * i / kBars, "\" y=\"", kHeight - height,
                    "\" width=\"", kWidth / kBars - 1, "\" height=\"", height,
                    "\"><title>", part.from, " to ", part.to, ": ", count,
                    count == 1 ? " profile" : " profiles",
                    "</title></rect></a>\n");
  }
  absl::StrAppend(&svg, "</svg>\n<p class=\"ends\"><span>",
                  TimeText(query.from), "</span><span>", timeline.profiles,
                  timeline.profiles == 1 ? " profile" : " profiles",
                  "</span><span>", TimeText(query.to), "</span></p>\n");
  return svg;
}

std::string ListProfiles(const Sight& sight, const Timeline& timeline) {
  std::string table =
      "<table><tr><th>Time (UTC)</th><th>Labels</th><th></th></tr>\n";
  for (auto info = timeline.newest.rbegin(); info != timeline.newest.rend();
       ++info) {
    Sight alone = sight;
    alone.query.clear();
    alone.service = info->series.service;
    alone.type = info->series.type;
    alone.labels = agent::FormatLabels(info->series.labels);
    alone.from = alone.to = TimeText(info->created_at);
    std::string labels;
    for (const auto& [key, value] : info->series.labels) {
      absl::StrAppend(&labels, "<span class=\"label\">", Markup(key), "=",
                      Markup(value), "</span> ");
    }
    absl::StrAppend(&table, "<tr><td>",
                    Link(LinkQuery(alone), TimeText(info->created_at)),
                    "</td><td>", labels, "</td><td>",
                    Link(absl::StrCat("api/0/profiles/", info->id), "pprof"),
                    "</td></tr>\n");
  }
  return absl::StrCat(table, "</table>\n");
}

std::string ShowServices(const std::vector<store::Series>& series,
                         const Sight& sight) {
  std::map<std::string, std::set<std::string>> services;
  for (const store::Series& one : series) {
    services[one.service].insert(one.type);
  }
  std::string html = "<nav>\n";
  for (const auto& [service, types] : services) {
    Sight other = sight;
    other.labels.clear();
    other.query.clear();
    other.service = service;
    // The type that is shown now, if this one has it.
    if (types.count(sight.type) == 0) {
      other.type = *types.begin();
      for (const std::string_view type : kFirstTypes) {
        if (types.count(std::string(type)) == 0) continue;
        other.type = type;
        break;
      }
    }
    absl::StrAppend(
        &html, Link(LinkQuery(other), service, service == sight.service), "\n");
  }
  return absl::StrCat(html, "</nav>\n");
}

std::string ShowTypes(const std::vector<store::Series>& series,
                      const Sight& sight) {
  std::set<std::string> types;
  for (const store::Series& one : series) {
    if (one.service == sight.service) types.insert(one.type);
  }
  std::string html = "<nav class=\"small\">";
  for (const std::string& type : types) {
    Sight other = sight;
    other.type = type;
    absl::StrAppend(&html, Link(LinkQuery(other), type, type == sight.type),
                    "\n");
  }
  absl::StrAppend(&html, "<span class=\"gap\"></span>");
  for (const Range& range : kRanges) {
    Sight other = sight;
    other.from = range.from;
    other.to.clear();
    absl::StrAppend(&html,
                    Link(LinkQuery(other), range.name,
                         sight.to.empty() && sight.from == range.from),
                    "\n");
  }
  return absl::StrCat(html, "</nav>\n");
}

std::string ShowForm(const Sight& sight) {
  const auto input = [](const char* name, const std::string& value,
                        const char* hint) {
    return absl::StrCat("<label>", name, " <input name=\"", name, "\" value=\"",
                        Markup(value), "\" placeholder=\"", Markup(hint),
                        "\"></label>\n");
  };
  return absl::StrCat(
      "<form>\n", input("service", sight.service, "any"),
      input("type", sight.type, "wall"),
      input("query", sight.query, "host=~\"db.*\",zone!=\"eu\""),
      input("from", sight.from, "-1h or 2026-01-02T03:10:00"),
      input("to", sight.to, "now"), "<button>Show</button>\n</form>\n");
}

// Times that stay what they are while the page is looked at.
Sight WithTimes(const Sight& sight, const store::Query& query) {
  Sight fixed = sight;
  fixed.from = TimeText(query.from);
  fixed.to = TimeText(query.to);
  return fixed;
}

std::string ShowGraph(const Sight& sight) {
  const auto api = [&sight](const char* path, std::string_view more) {
    return absl::StrCat("api/0/", path, LinkQuery(sight, more));
  };
  return absl::StrCat(
      "<object type=\"image/svg+xml\" data=\"", api("flamegraph", "format=svg"),
      "\">", Link(api("flamegraph", "format=svg"), "Flame graph"),
      "</object>\n<p class=\"small\">",
      Link(api("flamegraph", "format=html"), "page with table"), "\n",
      Link(api("profiles/merge", ""), "pprof"), "\n",
      Link(api("flamegraph", "format=folded"), "folded stacks"), "\n",
      Link(api("flamegraph", "format=speedscope"), "speedscope"), "\n",
      Link(api("top", "n=50"), "top functions (JSON)"), "</p>\n");
}

HttpResponse Page(const std::string& body) {
  return http::Content(http::kHtml,
                       absl::StrCat(kHomeHead, body, "</body>\n</html>\n"));
}

constexpr char kNoProfiles[] =
    "<p>There are no profiles yet. Send some:</p>\n"
    "<pre>wallprof agent --collector http://THIS_HOST:PORT --service NAME "
    "--target HOST:PORT</pre>\n";

}  // namespace

absl::StatusOr<HttpResponse> AnswerHome(Context& context) {
  const absl::StatusOr<Sight> sight = TakeSight(context.parameters);
  if (!sight.ok()) return sight.status();
  // Fields of the form that were left empty say nothing.
  std::vector<std::string> said;
  for (const char* name :
       {"service", "type", "labels", "query", "from", "to"}) {
    std::optional<std::string> value = context.parameters.Take(name);
    if (!value.has_value() || value->empty()) continue;
    said.push_back(absl::StrCat(name, "=", agent::Escape(*value)));
  }
  auto parameters = http::Query::Parse(absl::StrJoin(said, "&"));
  if (!parameters.ok()) return parameters.status();
  const auto series = context.shared.store.FindSeries({});
  if (!series.ok()) return series.status();
  std::string body = ShowServices(*series, *sight);
  const auto query = TakeQuery(*parameters, Times::kLastHour,
                               /*is_service_required=*/false, context.now);
  if (!query.ok()) {
    absl::StrAppend(&body, ShowForm(*sight), "<p class=\"wrong\">",
                    Markup(query.status().message().data()), "</p>\n");
    HttpResponse page = Page(body);
    page.status = 400;
    return page;
  }
  if (series->empty()) return Page(kNoProfiles);
  absl::StrAppend(&body, ShowTypes(*series, *sight), ShowForm(*sight));
  const absl::StatusOr<Timeline> timeline = LookAt(context, *query);
  if (!timeline.ok()) return timeline.status();
  absl::StrAppend(&body, DrawTimeline(*sight, *query, *timeline));
  const std::string type = query->selector.ValueOf("type").value_or("");
  if (timeline->profiles > 0 && !type.empty() && IsPprof(type)) {
    absl::StrAppend(&body, ShowGraph(WithTimes(*sight, *query)));
  } else if (timeline->profiles > 0) {
    absl::StrAppend(&body,
                    "<p>Choose a service and a type to see where its time "
                    "goes.</p>\n");
  } else {
    absl::StrAppend(&body, "<p>Nothing was sent in this time.</p>\n");
  }
  absl::StrAppend(&body, ListProfiles(*sight, *timeline));
  return Page(body);
}

}  // namespace wallprof::collector
