#include "fleet/pgo/profile/prune_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "profiler/profile/cut_stacks.h"
#include "wallprof/merge.h"

namespace wallprof::pgo {
namespace {

using Json = nlohmann::json;
using Pattern = std::shared_ptr<const RE2>;

struct Rule {
  Pattern drop;
  Pattern keep;  // may be null
};

// `pattern` anywhere in a name.
NameMatch MatchOf(const Pattern& pattern) {
  if (pattern == nullptr) return {};
  return [pattern](std::string_view name) {
    return RE2::PartialMatch(re2::StringPiece(name.data(), name.size()),
                             *pattern);
  };
}

// Reads a file of rules. What is wrong is said in one sentence with the place.
class Reader {
 public:
  using Apps = std::map<std::string, std::vector<Rule>, std::less<>>;

  Reader(std::string_view path, Apps& apps) : path_(path), apps_(apps) {}

  absl::Status Read(std::string_view text) {
    Json entries;
    try {
      entries = Json::parse(text, nullptr, /*allow_exceptions=*/true,
                            /*ignore_comments=*/true);
    } catch (const Json::parse_error& error) {
      return Wrong("", absl::StrCat("is no JSON: byte ", error.byte));
    } catch (const Json::out_of_range&) {
      return Wrong("", "has a number beyond all that can be");
    }
    if (!entries.is_array()) return Wrong("", "is no list of applications");
    for (size_t i = 0; i < entries.size(); ++i) {
      absl::Status s = ReadApp(absl::StrCat("entry ", i + 1), entries[i]);
      if (!s.ok()) return s;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Wrong(const std::string& place, absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, place.empty() ? " " : ", ", place,
                     place.empty() ? "" : " ", what));
  }

  absl::Status ReadApp(const std::string& place, const Json& entry) {
    absl::Status s = CheckMembers(place, entry, {"app", "rules"});
    if (!s.ok()) return s;
    const Json* app = Member(entry, "app");
    if (app == nullptr || !app->is_string() ||
        app->get_ref<const std::string&>().empty()) {
      return Wrong(place, "has no text \"app\"");
    }
    const Json* rules = Member(entry, "rules");
    if (rules == nullptr || !rules->is_array()) {
      return Wrong(place, "has no list \"rules\"");
    }
    const auto [added, is_new] = apps_.try_emplace(app->get<std::string>());
    if (!is_new) {
      return Wrong(place, absl::StrCat("is of ", added->first,
                                       ", which is there before"));
    }
    for (size_t i = 0; i < rules->size(); ++i) {
      Rule rule;
      s = ReadRule(absl::StrCat(place, ", rule ", i + 1), (*rules)[i], rule);
      if (!s.ok()) return s;
      added->second.push_back(std::move(rule));
    }
    return absl::OkStatus();
  }

  absl::Status ReadRule(const std::string& place, const Json& entry,
                        Rule& rule) const {
    absl::Status s = CheckMembers(place, entry, {"drop", "keep"});
    if (s.ok()) s = ReadPattern(place, entry, "drop", rule.drop);
    if (s.ok()) s = ReadPattern(place, entry, "keep", rule.keep);
    if (s.ok() && rule.drop == nullptr) {
      return Wrong(place, "has no \"drop\"");
    }
    return s;
  }

  // Null where there is none, and where it is empty, as autopgo has it.
  absl::Status ReadPattern(const std::string& place, const Json& entry,
                           const char* name, Pattern& pattern) const {
    const Json* member = Member(entry, name);
    if (member == nullptr) return absl::OkStatus();
    if (!member->is_string()) {
      return Wrong(place, absl::StrCat("has a \"", name, "\" that is no text"));
    }
    const std::string& text = member->get_ref<const std::string&>();
    if (text.empty()) return absl::OkStatus();
    auto read = std::make_shared<const RE2>(text, RE2::Quiet);
    if (!read->ok()) {
      return Wrong(place, absl::StrCat("has a \"", name,
                                       "\" that is no regular expression: ",
                                       read->error()));
    }
    pattern = std::move(read);
    return absl::OkStatus();
  }

  absl::Status CheckMembers(const std::string& place, const Json& entry,
                            std::initializer_list<const char*> known) const {
    if (!entry.is_object()) return Wrong(place, "is no object");
    for (const auto& [name, value] : entry.items()) {
      const bool is_known =
          std::find(known.begin(), known.end(), name) != known.end();
      if (!is_known) {
        return Wrong(place, absl::StrCat("has \"", name,
                                         "\", which means nothing here"));
      }
    }
    return absl::OkStatus();
  }

  static const Json* Member(const Json& entry, const char* name) {
    const auto found = entry.find(name);
    return found == entry.end() ? nullptr : &*found;
  }

  const std::string path_;
  Apps& apps_;
};

}  // namespace

struct PruneRules::Apps {
  Reader::Apps by_name;
};

PruneRules::PruneRules() : apps_(std::make_shared<const Apps>()) {}

absl::StatusOr<PruneRules> PruneRules::Parse(std::string_view text,
                                             std::string_view path) {
  auto apps = std::make_shared<Apps>();
  absl::Status read = Reader(path, apps->by_name).Read(text);
  if (!read.ok()) return read;
  PruneRules rules;
  rules.apps_ = std::move(apps);
  return rules;
}

bool PruneRules::HasRulesFor(std::string_view app) const {
  const auto found = apps_->by_name.find(app);
  return found != apps_->by_name.end() && !found->second.empty();
}

void PruneRules::CutStacks(std::string_view app, Profile& profile) const {
  const auto found = apps_->by_name.find(app);
  if (found == apps_->by_name.end()) return;
  for (const Rule& rule : found->second) {
    wallprof::CutStacks(MatchOf(rule.drop), MatchOf(rule.keep), profile);
  }
}

absl::StatusOr<Profile> PruneRules::Apply(std::string_view app,
                                          Profile profile) const {
  if (absl::Status s = CheckValid(profile); !s.ok()) return s;
  CutStacks(app, profile);
  return Merge(absl::MakeConstSpan(&profile, 1));
}

}  // namespace wallprof::pgo
