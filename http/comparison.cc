#include "http/comparison.h"

#include <string>
#include <utility>

namespace wallprof::http {

namespace {

constexpr char kFileName[] = "diff";

absl::Status Wrong(absl::string_view sentence) {
  return absl::InvalidArgumentError(sentence);
}

}  // namespace

absl::StatusOr<Comparison> ParseComparison(Query query, View default_view,
                                           absl::Duration max_seconds,
                                           absl::Time now) {
  Comparison comparison;
  absl::Status status;
  status.Update(TakeView(query, "before", comparison.before));
  status.Update(TakeView(query, "after", comparison.after));
  status.Update(TakeSwitch(query, "normalize", comparison.normalize));
  if (!status.ok()) return status;
  if (comparison.before.has_value() != comparison.after.has_value()) {
    return Wrong("Parameters 'before' and 'after' are given together.");
  }
  std::optional<View> view;
  status = TakeView(query, "view", view);
  if (!status.ok()) return status;
  if (comparison.before.has_value()) {
    if (view.has_value()) {
      return Wrong("Parameter 'view' is for two windows, without 'before'.");
    }
    if (comparison.before == View::kBlockedBy ||
        comparison.after == View::kBlockedBy) {
      return Wrong(
          "Parameters 'before' and 'after' must be wall, cpu or offcpu: waits "
          "for locks are measured apart.");
    }
    if (comparison.before == comparison.after) {
      return Wrong("Parameters 'before' and 'after' must differ.");
    }
  }
  absl::StatusOr<Measurement> window =
      ParseMeasurement(std::move(query), {}, max_seconds, now);
  if (!window.ok()) return window.status();
  if (window->past.has_value() && !comparison.before.has_value()) {
    return Wrong("Parameter 'from' goes with 'before' and 'after' here.");
  }
  if (window->detail) {
    return Wrong("Parameter 'detail' is for measurements, not for '/diff'.");
  }
  // Their labels would be told apart, and the difference of slices is none.
  window->slices = false;
  comparison.window = *std::move(window);
  comparison.window.view = view.value_or(default_view);
  comparison.window.file_name = kFileName;
  return comparison;
}

absl::Status CheckOffered(const Comparison& comparison,
                          const Statistics& stats) {
  for (const auto& view : {comparison.before, comparison.after}) {
    Measurement seen = comparison.window;
    seen.view = view.value_or(seen.view);
    absl::Status status = CheckOffered(seen, stats);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<HttpResponse> EncodeComparison(const Profile& first,
                                              const Profile& second,
                                              const Comparison& comparison) {
  DiffOptions options;
  options.normalize = comparison.normalize;
  options.label_base = true;
  View view = comparison.window.view;
  absl::StatusOr<Profile> diff =
      DiffViews(first, comparison.before.value_or(view), second,
                comparison.after.value_or(view), options);
  if (!diff.ok()) return diff.status();
  return EncodeSeen(*diff, comparison.window);
}

}  // namespace wallprof::http
