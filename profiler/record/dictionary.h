// What the numbers in slices stand for: stacks, threads, labels, modules.
//
// The stack table is emptied when it is nearly full, and its numbers die with
// it; a library may be unloaded long before somebody asks where time went. So
// the recorder keeps for itself what its slices name. Stacks are a tree: a node
// is a frame and the node of its caller, so that stacks share their roots.
//
// A dictionary only grows. What no slice names any more is left behind when a
// new one is made (Timeline).
#ifndef WALLPROF_PROFILER_RECORD_DICTIONARY_H_
#define WALLPROF_PROFILER_RECORD_DICTIONARY_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "profiler/record/bytes.h"
#include "profiler/record/pool.h"
#include "profiler/stacks/recording.h"
#include "wallprof/profile.h"

namespace wallprof::record {

// A thread as it was called in a slice; tid 0: none.
struct ThreadIdentity {
  int64_t tid = 0;
  std::string name;

  friend bool operator==(const ThreadIdentity&,
                         const ThreadIdentity&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const ThreadIdentity& thread) {
    return H::combine(std::move(state), thread.tid, thread.name);
  }
};

// Labels of the program's own: keys and texts.
using LabelTexts = std::vector<std::pair<std::string, std::string>>;

// What a sample counts; its fields are numbers in the dictionary.
struct Key {
  uint32_t stack = 0;
  uint32_t thread = 0;
  uint32_t labels = 0;
  uint16_t wait = stacks::kNoWait;
  stacks::ThreadState state = stacks::ThreadState::kRunning;

  // Of a wait for a lock: the stack of its holder, whose state `state` is then.
  uint32_t holder = 0;

  friend bool operator==(const Key&, const Key&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Key& key) {
    return H::combine(std::move(state), key.stack, key.thread, key.labels,
                      key.wait, key.state, key.holder);
  }
};

// A mapping of code, as of when it was loaded.
struct Module {
  uint64_t start = 0;
  uint64_t limit = 0;
  uint64_t file_offset = 0;
  std::string path;
  std::string build_id;  // lower-case hex
};

// Not thread-safe.
class Dictionary {
 public:
  Dictionary() { nodes_.Add(UnseenNode()); }

  // Of each kind at most; a program that has more is shown as [overflow].
  static constexpr uint32_t kMaxItems = 1 << 20;

  // How much there is of each kind.
  struct Extent {
    uint32_t nodes = 0;
    uint32_t threads = 0;
    uint32_t labels = 0;
    uint32_t keys = 0;
    uint32_t modules = 0;
  };

  uint32_t AddStack(absl::Span<const stacks::Frame> leaf_first);
  uint32_t AddThread(ThreadIdentity thread);
  uint32_t AddLabels(LabelTexts labels);
  uint32_t AddKey(const Key& key);
  // The same key as `number` is in `other`.
  uint32_t AddKeyOf(const Dictionary& other, uint32_t number);
  // Those that it does not have yet; numbers are the recording's ids.
  void AddModules(const stacks::Recording& recording);
  void AddModules(const Dictionary& other);

  // The frames of a stack, leaf first.
  std::vector<stacks::Frame> Frames(uint32_t stack) const;
  const ThreadIdentity& thread(uint32_t number) const {
    return threads_[number];
  }
  const LabelTexts& labels(uint32_t number) const { return labels_[number]; }
  const Key& key(uint32_t number) const { return keys_[number]; }
  uint32_t key_count() const { return keys_.size(); }
  // By module id; 0 is none.
  const std::vector<Module>& modules() const { return modules_; }

  Extent extent() const;
  size_t bytes() const;

  // Appends all that is not in `known`, which begins as that of a new
  // dictionary.
  void Encode(const Extent& known, ByteWriter& out) const;
  // Adds what Encode wrote. What another Encode wrote and was lost in between
  // stands as [unseen]. False when the bytes are not Encode's: of what they
  // hold, some may have been added. `most`: so many of each kind there can be,
  // since each takes a byte at least of the file that they come from.
  bool Decode(ByteReader& in, size_t most);

 private:
  // A frame in halves, so that a node takes 12 bytes: there are many.
  struct Node {
    uint32_t caller = 0;
    uint32_t frame_high = 0;
    uint32_t frame_low = 0;

    static Node Of(uint32_t caller, stacks::Frame frame) {
      return {caller, static_cast<uint32_t>(frame.bits() >> 32),
              static_cast<uint32_t>(frame.bits())};
    }
    stacks::Frame frame() const {
      return stacks::Frame::FromBits(uint64_t{frame_high} << 32 | frame_low);
    }

    friend bool operator==(const Node&, const Node&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Node& node) {
      return H::combine(std::move(state), node.caller, node.frame_high,
                        node.frame_low);
    }
  };

  bool DecodeNodes(ByteReader& in, size_t most);
  bool DecodeNames(ByteReader& in, size_t most);
  bool DecodeKeys(ByteReader& in, size_t most);
  bool DecodeModules(ByteReader& in, size_t most);

  // Stands for what was lost.
  static constexpr uint32_t kUnseenStack = 1;
  static Node UnseenNode();

  Pool<Node> nodes_{Node{}};  // 0: no frame
  Pool<ThreadIdentity> threads_{ThreadIdentity{}};
  Pool<LabelTexts> labels_{LabelTexts{}};
  Pool<Key> keys_{Key{kUnseenStack}};
  std::vector<Module> modules_{Module{}};
  size_t text_bytes_ = 0;
};

}  // namespace wallprof::record

#endif  // WALLPROF_PROFILER_RECORD_DICTIONARY_H_
