#include "profiler/record/dictionary.h"

#include <algorithm>

namespace wallprof::record {
namespace {

using stacks::Frame;
using stacks::PseudoFrame;

// Reads the number that the first of the items that follow had. Items in
// between were lost: `fill` is called for each. False when there cannot be so
// many, or when they are there already.
template <typename Fill>
bool DecodeBase(ByteReader& in, size_t most, uint32_t size, Fill fill) {
  const uint64_t base = in.Number();
  if (base < size || base > most || base > Dictionary::kMaxItems) return false;
  for (uint64_t i = size; i < base; ++i) fill();
  return true;
}

// The count of the items that follow.
bool DecodeCount(ByteReader& in, size_t size, uint64_t& count) {
  count = in.Count();
  return in.ok() && size + count <= Dictionary::kMaxItems;
}

}  // namespace

Dictionary::Node Dictionary::UnseenNode() {
  return Node::Of(0, Frame::Pseudo(PseudoFrame::kUnseen));
}

uint32_t Dictionary::AddStack(absl::Span<const Frame> leaf_first) {
  uint32_t node = 0;
  for (auto frame = leaf_first.rbegin(); frame != leaf_first.rend(); ++frame) {
    if (nodes_.size() + 1 >= kMaxItems) {
      return nodes_.Add(Node::Of(0, Frame::Pseudo(PseudoFrame::kOverflow)));
    }
    node = nodes_.Add(Node::Of(node, *frame));
  }
  return node;
}

uint32_t Dictionary::AddThread(ThreadIdentity thread) {
  if (threads_.size() >= kMaxItems) return 0;
  const uint32_t before = threads_.size();
  const size_t bytes = thread.name.size();
  const uint32_t number = threads_.Add(std::move(thread));
  if (number == before) text_bytes_ += bytes;
  return number;
}

uint32_t Dictionary::AddLabels(LabelTexts labels) {
  if (labels_.size() >= kMaxItems) return 0;
  size_t bytes = 0;
  for (const auto& [key, text] : labels) {
    bytes += sizeof(labels.front()) + key.size() + text.size();
  }
  const uint32_t before = labels_.size();
  const uint32_t number = labels_.Add(std::move(labels));
  if (number == before) text_bytes_ += bytes;
  return number;
}

uint32_t Dictionary::AddKey(const Key& key) {
  return keys_.size() >= kMaxItems ? 0 : keys_.Add(key);
}

uint32_t Dictionary::AddKeyOf(const Dictionary& other, uint32_t number) {
  Key key = other.key(number);
  key.stack = AddStack(other.Frames(key.stack));
  key.holder = AddStack(other.Frames(key.holder));
  key.thread = AddThread(other.thread(key.thread));
  key.labels = AddLabels(other.labels(key.labels));
  return AddKey(key);
}

void Dictionary::AddModules(const stacks::Recording& recording) {
  for (size_t id = modules_.size(); id < recording.module_count(); ++id) {
    const stacks::ModuleRecord& module =
        *recording.module(static_cast<stacks::ModuleId>(id));
    modules_.push_back({module.start, module.limit, module.file_offset,
                        std::string(module.path_view()), module.BuildIdHex()});
    text_bytes_ += module.path_size + 2 * module.build_id_size;
  }
}

void Dictionary::AddModules(const Dictionary& other) {
  for (size_t id = modules_.size(); id < other.modules_.size(); ++id) {
    modules_.push_back(other.modules_[id]);
    text_bytes_ +=
        modules_.back().path.size() + modules_.back().build_id.size();
  }
}

std::vector<Frame> Dictionary::Frames(uint32_t stack) const {
  std::vector<Frame> frames;
  for (uint32_t at = stack; at != 0; at = nodes_[at].caller) {
    frames.push_back(nodes_[at].frame());
  }
  return frames;
}

Dictionary::Extent Dictionary::extent() const {
  return {nodes_.size(), threads_.size(), labels_.size(), keys_.size(),
          static_cast<uint32_t>(modules_.size())};
}

size_t Dictionary::bytes() const {
  return nodes_.bytes() + threads_.bytes() + labels_.bytes() + keys_.bytes() +
         modules_.capacity() * sizeof(Module) + text_bytes_;
}

void Dictionary::Encode(const Extent& known, ByteWriter& out) const {
  const Extent now = extent();
  out.Number(known.nodes);
  out.Number(now.nodes - known.nodes);
  for (uint32_t i = known.nodes; i < now.nodes; ++i) {
    // A caller was mostly added just before.
    out.Number(i - nodes_[i].caller);
    const Frame frame = nodes_[i].frame();
    out.Number(frame.module());
    out.Number(frame.offset());
  }
  out.Number(known.threads);
  out.Number(now.threads - known.threads);
  for (uint32_t i = known.threads; i < now.threads; ++i) {
    out.Signed(threads_[i].tid);
    out.Text(threads_[i].name);
  }
  out.Number(known.labels);
  out.Number(now.labels - known.labels);
  for (uint32_t i = known.labels; i < now.labels; ++i) {
    out.Number(labels_[i].size());
    for (const auto& [key, text] : labels_[i]) {
      out.Text(key);
      out.Text(text);
    }
  }
  out.Number(known.keys);
  out.Number(now.keys - known.keys);
  for (uint32_t i = known.keys; i < now.keys; ++i) {
    const Key& key = keys_[i];
    out.Number(key.stack);
    out.Number(key.thread);
    out.Number(key.labels);
    out.Number(static_cast<uint16_t>(key.wait + 1));  // kNoWait is 0
    out.Number(static_cast<uint8_t>(key.state));
    out.Number(key.holder);
  }
  out.Number(known.modules);
  out.Number(now.modules - known.modules);
  for (uint32_t i = known.modules; i < now.modules; ++i) {
    const Module& module = modules_[i];
    out.Number(module.start);
    out.Number(module.limit);
    out.Number(module.file_offset);
    out.Text(module.path);
    out.Text(module.build_id);
  }
}

bool Dictionary::Decode(ByteReader& in, size_t most) {
  return DecodeNodes(in, most) && DecodeNames(in, most) &&
         DecodeKeys(in, most) && DecodeModules(in, most) && in.ok();
}

bool Dictionary::DecodeNodes(ByteReader& in, size_t most) {
  uint64_t count = 0;
  if (!DecodeBase(in, most, nodes_.size(),
                  [&] { nodes_.Append(UnseenNode()); }) ||
      !DecodeCount(in, nodes_.size(), count)) {
    return false;
  }
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    // Callers come before, so that following them ends.
    const uint64_t back = in.Number();
    if (back == 0 || back > nodes_.size()) return false;
    const auto module = static_cast<uint16_t>(in.Number());
    const Frame frame = Frame::Code(module, in.Number());
    if (frame.is_pseudo() && frame.pseudo() > PseudoFrame::kLessHeavy) {
      return false;
    }
    nodes_.Append(Node::Of(static_cast<uint32_t>(nodes_.size() - back), frame));
  }
  return in.ok();
}

bool Dictionary::DecodeNames(ByteReader& in, size_t most) {
  uint64_t count = 0;
  if (!DecodeBase(in, most, threads_.size(), [&] { threads_.Append({}); }) ||
      !DecodeCount(in, threads_.size(), count)) {
    return false;
  }
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    const int64_t tid = in.Signed();
    threads_.Append({tid, std::string(in.Text())});
  }
  if (!DecodeBase(in, most, labels_.size(), [&] { labels_.Append({}); }) ||
      !DecodeCount(in, labels_.size(), count)) {
    return false;
  }
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    LabelTexts labels;
    for (uint64_t left = in.Count(); left > 0 && in.ok(); --left) {
      std::string key(in.Text());
      labels.emplace_back(std::move(key), in.Text());
    }
    labels_.Append(std::move(labels));
  }
  return in.ok();
}

bool Dictionary::DecodeKeys(ByteReader& in, size_t most) {
  uint64_t count = 0;
  if (!DecodeBase(in, most, keys_.size(),
                  [&] { keys_.Append(Key{kUnseenStack}); }) ||
      !DecodeCount(in, keys_.size(), count)) {
    return false;
  }
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    const uint64_t stack = in.Number();
    const uint64_t thread = in.Number();
    const uint64_t labels = in.Number();
    const auto wait = static_cast<uint16_t>(in.Number() - 1);
    const uint64_t state = in.Number();
    const uint64_t holder = in.Number();
    if (stack >= nodes_.size() || thread >= threads_.size() ||
        labels >= labels_.size() || holder >= nodes_.size() ||
        state > static_cast<uint8_t>(stacks::ThreadState::kDisk)) {
      return false;
    }
    keys_.Append({static_cast<uint32_t>(stack), static_cast<uint32_t>(thread),
                  static_cast<uint32_t>(labels), wait,
                  static_cast<stacks::ThreadState>(state),
                  static_cast<uint32_t>(holder)});
  }
  return in.ok();
}

bool Dictionary::DecodeModules(ByteReader& in, size_t most) {
  uint64_t count = 0;
  if (!DecodeBase(in, most, static_cast<uint32_t>(modules_.size()),
                  [&] { modules_.emplace_back(); }) ||
      !DecodeCount(in, modules_.size(), count)) {
    return false;
  }
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    Module module;
    module.start = in.Number();
    module.limit = in.Number();
    module.file_offset = in.Number();
    module.path = in.Text();
    module.build_id = in.Text();
    modules_.push_back(std::move(module));
  }
  return in.ok();
}

}  // namespace wallprof::record
