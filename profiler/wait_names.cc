#include "profiler/wait_names.h"

#include <time.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "profiler/capture/wait_targets.h"
#include "profiler/own_world.h"
#include "profiler/threads/clock.h"
#include "profiler/threads/cpu_clock.h"
#include "profiler/threads/socket_peer.h"
#include "profiler/threads/wait_form.h"

namespace wallprof {
namespace {

using threads::WaitForm;
using threads::WaitTarget;
using threads::WaitWords;

constexpr char kTooMany[] = "[overflow]";

// Whether the words alone do not say it all.
bool NeedsLookup(const WaitWords& words) {
  if (words.kind != WaitWords::Kind::kCall) return false;
  switch (threads::WaitFormOf(words.number)) {
    case WaitForm::kDescriptor:
      return true;
    case WaitForm::kPoll:
      return words.arguments[1] != 0;
    case WaitForm::kFutex:
      return words.arguments[2] != 0;
    default:
      return false;
  }
}

// What there is to say without having looked.
WaitTarget Unnamed(const WaitWords& words) {
  switch (words.kind) {
    case WaitWords::Kind::kLock:
      return {"lock", absl::StrCat("0x", absl::Hex(words.arguments[0]))};
    case WaitWords::Kind::kTooMany:
      return {kTooMany, kTooMany};
    case WaitWords::Kind::kCall:
      break;
  }
  switch (threads::WaitFormOf(words.number)) {
    case WaitForm::kDescriptor:
      return {"io", absl::StrCat("descriptor ",
                                 static_cast<int>(words.arguments[0]))};
    case WaitForm::kPoll:
      return {words.arguments[1] == 0 ? "sleep" : "io", ""};
    case WaitForm::kFutex:
      return {"futex", ""};
    default:
      // Nothing of the world is looked at.
      return threads::DescribeWait(words.Call(), threads::WaitWorld());
  }
}

// Of words that were found to mean one thing now and another then.
std::string SeveralText(const WaitWords& words) {
  return threads::WaitFormOf(words.number) == WaitForm::kDescriptor
             ? absl::StrCat("descriptor ", static_cast<int>(words.arguments[0]),
                            ", several in turn")
             : "several in turn";
}

}  // namespace

WaitNames::WaitNames(const stacks::Recording& recording)
    : recording_(recording) {}

void WaitNames::Update() {
  const int64_t now_ns = threads::MonotonicNs();
  if (now_ns - last_ns_ < absl::ToInt64Nanoseconds(kEvery)) return;
  last_ns_ = now_ns;
  FindWaiters();
  if (waiters_.empty()) return;
  const int64_t end_ns =
      threads::NowNs(CLOCK_THREAD_CPUTIME_ID) + absl::ToInt64Nanoseconds(kMost);
  OwnWorld own;
  own.set_peer(
      [&](const std::string& inode) { return Peer(inode, own.world().root); });
  for (size_t i = 0; i < waiters_.size(); ++i) {
    if (next_ >= waiters_.size()) next_ = 0;
    Waiter& waiter = waiters_[next_++];
    if (!Waits(waiter, now_ns)) continue;
    LookUp(waiter, own.world());
    if (threads::NowNs(CLOCK_THREAD_CPUTIME_ID) > end_ns) break;
  }
  // It may be a descriptor of the program's.
  tasks_.Close();
}

// Among entries that are new since the last call.
void WaitNames::FindWaiters() {
  const stacks::StackTable& table = recording_.table();
  const uint32_t end = table.entry_count();
  for (; entries_seen_ < end; ++entries_seen_) {
    const stacks::EntryId entry{entries_seen_};
    stacks::SampleKey key;
    stacks::Counts counts;
    // One whose writer is at it just now is seen at the next call.
    if (!table.Read(entry, key, counts)) continue;
    if (key.target == stacks::kNoStack || key.holder != stacks::kNoStack ||
        !NeedsLookup(capture::WordsAt(table, key.target))) {
      continue;
    }
    const threads::Tid tid =
        recording_.thread(key.thread).tid.load(std::memory_order_relaxed);
    waiters_.push_back({entry, key.target, tid});
  }
}

// Whether it has been seen waiting since it was last asked, and it is time to
// look up what for.
bool WaitNames::Waits(Waiter& waiter, int64_t now_ns) const {
  stacks::SampleKey key;
  stacks::Counts counts;
  if (!recording_.table().Read(waiter.entry, key, counts)) return false;
  const bool grows =
      counts.samples != std::exchange(waiter.samples, counts.samples);
  return grows && now_ns - waiter.seen_ns >= absl::ToInt64Nanoseconds(kAgain) &&
         threads::CpuTimeOf(waiter.tid) != waiter.seen_cpu_ns;
}

bool WaitNames::IsIn(threads::Tid tid, const WaitWords& words) const {
  threads::ProcText text;
  if (!tasks_.Read(tid, "syscall", text)) return false;
  const auto state = threads::ParseSyscall(text.text());
  return state.has_value() &&
         state->kind == threads::SyscallState::Kind::kInSyscall &&
         threads::WordsOf(*state, words.arguments[2] != 0) == words;
}

// What is read of a thread's memory and descriptors between two looks that find
// it in the same call, its clock standing still, is what it waits for.
void WaitNames::LookUp(Waiter& waiter, const threads::WaitWorld& world) {
  const WaitWords words = capture::WordsAt(recording_.table(), waiter.target);
  const int64_t cpu_ns = threads::CpuTimeOf(waiter.tid);
  if (cpu_ns < 0 || !IsIn(waiter.tid, words)) return;
  peer_missing_ = false;
  WaitTarget found = threads::DescribeWait(words.Call(), world);
  if (peer_missing_) return;
  if (threads::CpuTimeOf(waiter.tid) != cpu_ns || !IsIn(waiter.tid, words)) {
    return;
  }
  waiter.seen_cpu_ns = cpu_ns;
  waiter.seen_ns = last_ns_;
  const auto [name, is_new] = names_.try_emplace(waiter.target);
  if (is_new) {
    name->second.found = std::move(found);
  } else if (!(name->second.found == found)) {
    if (name->second.found.kind != found.kind) name->second.found.kind = "io";
    name->second.several = true;
  }
}

// Lists of sockets are long where there are many: they are read for all at
// once.
std::string WaitNames::Peer(const std::string& inode, const std::string& root) {
  const auto known = peers_.find(inode);
  if (known != peers_.end()) return known->second;
  const int64_t now_ns = threads::MonotonicNs();
  if (now_ns - peers_read_ns_ < absl::ToInt64Nanoseconds(kListsAgain)) {
    peer_missing_ = true;
    return "";
  }
  peers_read_ns_ = now_ns;
  peers_ = threads::SocketPeers(root);
  // One that is in no list is of another kind.
  return peers_.try_emplace(inode).first->second;
}

std::vector<Label> WaitNames::LabelsOf(stacks::StackId target) const {
  if (target == stacks::kNoStack) return {};
  const WaitWords words = capture::WordsAt(recording_.table(), target);
  WaitTarget shown = Unnamed(words);
  if (const auto name = names_.find(target); name != names_.end()) {
    shown = name->second.found;
    if (name->second.several) shown.object = SeveralText(words);
  }
  std::vector<Label> labels;
  if (!shown.kind.empty()) labels.push_back({"wait_kind", shown.kind});
  if (!shown.object.empty()) labels.push_back({"wait_object", shown.object});
  return labels;
}

}  // namespace wallprof
