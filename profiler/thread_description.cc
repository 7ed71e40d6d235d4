#include "profiler/thread_description.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "profiler/stacks/measured_profile.h"
#include "profiler/threads/syscall_name.h"

namespace wallprof {
namespace {

void DescribeWait(const capture::ThreadView& view,
                  const threads::TaskDirectory& tasks,
                  const threads::WaitWorld& world, ThreadInfo& info) {
  if (view.state != stacks::ThreadState::kBlocked &&
      view.state != stacks::ThreadState::kDisk) {
    return;
  }
  if (view.lock != 0) {
    info.wait_kind = "lock";
    info.wait_object = absl::StrCat("0x", absl::Hex(view.lock));
    info.held_by = view.held_by;
    return;
  }
  threads::ProcText text;
  if (!tasks.Read(view.tid, "syscall", text)) return;
  const auto state = threads::ParseSyscall(text.text());
  if (!state.has_value() || state->number != view.wait) return;
  threads::WaitTarget target = threads::DescribeWait(*state, world);
  info.wait_kind = std::move(target.kind);
  info.wait_object = std::move(target.object);
}

}  // namespace

std::vector<std::string> FrameNames(const Profile& profile,
                                    const Sample& sample) {
  std::vector<std::string> names;
  for (auto id = sample.location_ids.rbegin(); id != sample.location_ids.rend();
       ++id) {
    const Location& location = profile.locations[*id - 1];
    for (auto line = location.lines.rbegin(); line != location.lines.rend();
         ++line) {
      names.push_back(profile.functions[line->function_id - 1].name);
    }
  }
  return names;
}

ThreadInfo DescribeThread(const capture::ThreadView& view,
                          std::vector<std::string> stack,
                          const threads::TaskDirectory& tasks,
                          const threads::WaitWorld& world) {
  ThreadInfo info;
  info.tid = view.tid;
  info.name = view.name;
  info.state = stacks::ThreadStateName(view.state);
  info.wait = stacks::WaitName(view.wait, threads::SyscallName);
  info.wait_time = absl::Nanoseconds(view.in_state_ns);
  info.cpu_time = absl::Nanoseconds(view.cpu_ns);
  info.truncated = view.truncated;
  info.stack = std::move(stack);
  DescribeWait(view, tasks, world, info);
  return info;
}

}  // namespace wallprof
