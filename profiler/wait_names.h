// Names for what samples wait for, looked up while they do.
//
// The sampler leaves a few words of each wait (capture/wait_targets.h): for a
// read, the number of the descriptor. Which file that is must be asked before
// the number is another's; so it is asked several times a second, by whoever
// measures and not by the sampler, and only while the thread that was seen in
// that call is in it still. What is never caught so is named by its number.
#ifndef WALLPROF_PROFILER_WAIT_NAMES_H_
#define WALLPROF_PROFILER_WAIT_NAMES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "profiler/stacks/recording.h"
#include "profiler/threads/task_directory.h"
#include "profiler/threads/wait_target.h"
#include "profiler/threads/wait_words.h"
#include "wallprof/profile.h"

namespace wallprof {

// Of one measurement, for the thread that makes it.
class WaitNames {
 public:
  // `recording` must outlive it, and not be emptied meanwhile.
  explicit WaitNames(const stacks::Recording& recording);

  // Looks up names of what threads wait for now that is not known yet. To be
  // called often; does nothing unless kEvery has passed since it last did, and
  // stops when it has taken kMost, to go on from there at the next call.
  void Update();

  static constexpr absl::Duration kEvery = absl::Milliseconds(50);
  // Of CPU time: enough for a hundred names.
  static constexpr absl::Duration kMost = absl::Milliseconds(2);
  // A name that has been found is looked at again after so long, since numbers
  // of descriptors get other meanings.
  static constexpr absl::Duration kAgain = absl::Milliseconds(200);
  // The system's lists of sockets take 2 us a socket to read.
  static constexpr absl::Duration kListsAgain = absl::Milliseconds(500);

  // The labels `wait_kind` and `wait_object` of a target; none for kNoStack.
  std::vector<Label> LabelsOf(stacks::StackId target) const;

 private:
  // An entry of a target, whose thread waits for that now if its samples grow.
  struct Waiter {
    stacks::EntryId entry;
    stacks::StackId target;
    threads::Tid tid = 0;
    int64_t samples = 0;
    // The thread's clock when it was last seen waiting; as long as that stands
    // it waits for the same file, whatever becomes of the number.
    int64_t seen_cpu_ns = -1;
    int64_t seen_ns = 0;  // when
  };
  struct Name {
    threads::WaitTarget found;
    bool several = false;  // another one was found later
  };

  void FindWaiters();
  bool Waits(Waiter& waiter, int64_t now_ns) const;
  void LookUp(Waiter& waiter, const threads::WaitWorld& world);
  bool IsIn(threads::Tid tid, const threads::WaitWords& words) const;
  std::string Peer(const std::string& inode, const std::string& root);

  const stacks::Recording& recording_;
  threads::TaskDirectory tasks_;
  std::vector<Waiter> waiters_;
  uint32_t entries_seen_ = 0;
  size_t next_ = 0;  // the waiter to go on with
  int64_t last_ns_ = 0;
  absl::flat_hash_map<stacks::StackId, Name> names_;
  absl::flat_hash_map<std::string, std::string> peers_;  // by inode
  int64_t peers_read_ns_ = 0;
  bool peer_missing_ = false;  // of the socket that was just looked up
};

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_WAIT_NAMES_H_
