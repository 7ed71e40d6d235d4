#include "cli/filter_options.h"

#include <re2/re2.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/tag_filter.h"

namespace wallprof::cli {
namespace {

absl::StatusOr<NameMatch> MatchOf(const std::string& expression) {
  auto pattern = std::make_shared<const RE2>(expression, RE2::Quiet);
  if (!pattern->ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(expression, ": ", pattern->error()));
  }
  return [pattern](std::string_view name) {
    return RE2::PartialMatch(re2::StringPiece(name.data(), name.size()),
                             *pattern);
  };
}

// pprof matches these against whole names.
absl::StatusOr<NameMatch> MatchOfWhole(const std::string& expression) {
  if (expression.empty()) return NameMatch();
  return MatchOf(absl::StrCat("^(", expression, ")$"));
}

// Adds `name`, whose text `parse` makes a filter of.
template <typename Match>
void AddFilter(CLI::App& verb, const std::string& name,
               const std::string& description, Match& filter,
               absl::StatusOr<Match> (*parse)(const std::string&)) {
  verb.add_option_function<std::string>(
          name,
          [name, &filter, parse](const std::string& text) {
            absl::StatusOr<Match> match = parse(text);
            if (!match.ok()) {
              throw CLI::ValidationError(name,
                                         std::string(match.status().message()));
            }
            filter = *std::move(match);
          },
          description)
      ->group("Filters, as those of go tool pprof");
}

}  // namespace

void AddFilterOptions(CLI::App& verb, FilterOptions& options) {
  verb.add_flag("--detail", options.detail,
                "What samples wait for as their innermost frames, if they were "
                "measured with it");
  Filters& filters = options.filters;
  AddFilter(verb, "--focus", "Only stacks with a frame that matches REGEX",
            filters.focus, MatchOf);
  AddFilter(verb, "--ignore", "No stacks with a frame that matches REGEX",
            filters.ignore, MatchOf);
  AddFilter(verb, "--hide", "No frames that match REGEX", filters.hide,
            MatchOf);
  AddFilter(verb, "--show", "Only frames that match REGEX", filters.show,
            MatchOf);
  AddFilter(verb, "--show-from",
            "No callers of the outermost frame that matches REGEX",
            filters.show_from, MatchOf);
  AddFilter(verb, "--tagfocus",
            "Only samples with a label that matches [KEY=]REGEX, or is in a "
            "range such as 10ms:1s",
            filters.tag_focus, ParseTagFilter);
  AddFilter(verb, "--tagignore", "No samples with such a label",
            filters.tag_ignore, ParseTagFilter);
  AddFilter(verb, "--prune-from",
            "Nothing below the innermost function that matches REGEX",
            filters.prune_from, MatchOf);
  verb.add_flag("--prune", options.prune,
                "Leave out what the profile's drop_frames says")
      ->group("Filters, as those of go tool pprof");
}

absl::StatusOr<Profile> ApplyFilters(const FilterOptions& options,
                                     const Profile& profile) {
  absl::StatusOr<Profile> part = profile;
  if (options.prune && !profile.drop_frames.empty()) {
    absl::StatusOr<NameMatch> drop = MatchOfWhole(profile.drop_frames);
    if (!drop.ok()) return drop.status();
    absl::StatusOr<NameMatch> keep = MatchOfWhole(profile.keep_frames);
    if (!keep.ok()) return keep.status();
    part = Prune(profile, *drop, *keep);
    if (!part.ok()) return part.status();
  }
  // First, so that what is waited for can be looked for as a frame too.
  if (options.detail) part = WithLabelFrames(*std::move(part), kWaitLabels);
  return Filter(*part, options.filters);
}

}  // namespace wallprof::cli
