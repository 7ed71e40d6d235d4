#include "http/pages/threads_page.h"

#include <unistd.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "fleet/bundle/escape.h"

namespace wallprof::http {

namespace {

// "blocked in recvfrom (socket tcp 10.0.0.1:80) for 1.25ms", or the bare state
// of one that runs.
std::string Doing(const ThreadInfo& thread) {
  std::string doing = thread.state;
  if (!thread.wait.empty()) absl::StrAppend(&doing, " in ", thread.wait);
  if (!thread.wait_kind.empty() || !thread.wait_object.empty()) {
    absl::StrAppend(&doing, " (", thread.wait_kind,
                    thread.wait_object.empty() ? "" : " ", thread.wait_object);
    if (thread.held_by != 0) {
      absl::StrAppend(&doing, " held by thread ", thread.held_by);
    }
    doing += ")";
  }
  if (thread.wait_time > absl::ZeroDuration()) {
    absl::StrAppend(&doing, " for ", absl::FormatDuration(thread.wait_time));
  }
  return doing;
}

}  // namespace

std::string ThreadsText(const std::vector<ThreadInfo>& threads,
                        absl::Time now) {
  std::string text = absl::StrCat("pid ", getpid(), ", ", threads.size(),
                                  threads.size() == 1 ? " thread" : " threads",
                                  ", ", bundle::FormatInstant(now), "\n");
  for (const ThreadInfo& thread : threads) {
    absl::StrAppend(&text, "\nthread ", thread.tid, " \"", thread.name, "\" [",
                    Doing(thread), ", cpu ",
                    absl::FormatDuration(thread.cpu_time), "]:\n");
    for (auto it = thread.stack.rbegin(); it != thread.stack.rend(); ++it) {
      absl::StrAppend(&text, "    ", *it, "\n");
    }
    if (thread.truncated) absl::StrAppend(&text, "    [truncated]\n");
  }
  return text;
}

}  // namespace wallprof::http
