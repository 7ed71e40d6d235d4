#include "cli/progress_bar.h"

#include <stdio.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace wallprof::cli {
namespace {

// Leaves room for the numbers on a narrow terminal.
constexpr int kBarWidth = 40;

// To the line's beginning, and wipe it.
constexpr char kClearLine[] = "\r\033[K";

}  // namespace

std::string ProgressLine(absl::Duration elapsed, absl::Duration whole) {
  elapsed = std::clamp(elapsed, absl::ZeroDuration(), whole);
  double part = absl::FDivDuration(elapsed, whole);
  int full = static_cast<int>(part * kBarWidth);
  return absl::StrFormat("[%s%s] %.0f of %g s", std::string(full, '='),
                         std::string(kBarWidth - full, ' '),
                         absl::ToDoubleSeconds(elapsed),
                         absl::ToDoubleSeconds(whole));
}

ProgressBar::ProgressBar(absl::Duration whole)
    : whole_(whole),
      start_(absl::Now()),
      visible_(whole > absl::ZeroDuration() && isatty(STDERR_FILENO) != 0) {
  Update();
}

ProgressBar::~ProgressBar() {
  if (visible_) fputs(kClearLine, stderr);
}

void ProgressBar::Update() {
  if (!visible_) return;
  std::string line = ProgressLine(absl::Now() - start_, whole_);
  if (line == shown_) return;
  shown_ = std::move(line);
  fprintf(stderr, "%s%s", kClearLine, shown_.c_str());
  fflush(stderr);
}

}  // namespace wallprof::cli
