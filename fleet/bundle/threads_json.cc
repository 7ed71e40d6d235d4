#include "fleet/bundle/threads_json.h"

#include <unistd.h>

#include <cstdint>
#include <utility>

#include "fleet/bundle/escape.h"
#include "fleet/bundle/json.h"

namespace wallprof::bundle {

std::string ThreadsJson(const std::vector<ThreadInfo>& threads,
                        absl::Time now) {
  Json list = Json::array();
  for (const ThreadInfo& thread : threads) {
    Json object = {{"tid", thread.tid},
                   {"name", thread.name},
                   {"state", thread.state},
                   {"wait", thread.wait},
                   {"wait_ns", absl::ToInt64Nanoseconds(thread.wait_time)},
                   {"cpu_ns", absl::ToInt64Nanoseconds(thread.cpu_time)},
                   {"truncated", thread.truncated},
                   {"stack", thread.stack}};
    if (!thread.wait_kind.empty()) object["wait_kind"] = thread.wait_kind;
    if (!thread.wait_object.empty()) object["wait_object"] = thread.wait_object;
    if (thread.held_by != 0) object["held_by"] = thread.held_by;
    list.push_back(std::move(object));
  }
  return JsonText({{"time", FormatInstant(now)},
                   {"pid", static_cast<int64_t>(getpid())},
                   {"threads", std::move(list)}});
}

}  // namespace wallprof::bundle
