#include "fleet/store/packer.h"

#include <zstd.h>

#include <algorithm>
#include <optional>

#include "absl/time/clock.h"

namespace wallprof::store {
namespace {

// Of C++ profiles in gzip, 6 leaves 40 %, at 40 MB a second; 9 leaves 39 %, at
// half of that; 17 leaves 37 %, at 2 MB a second (bench/store.cc).
int LevelOf(Effort effort) {
  switch (effort) {
    case Effort::kInPassing:
      return 3;
    case Effort::kQuick:
      return 6;
    case Effort::kThorough:
      return 9;
  }
  return 3;
}

// More of a service's profiles have little that is new.
constexpr size_t kMaxDictionaryBytes = size_t{1} << 20;

// With less than that there is nothing to be learnt yet.
constexpr size_t kMinDictionaryBytes = size_t{8} << 10;

// Content must not begin as a dictionary of the trainer's does.
constexpr std::string_view kContentMark = "profiles";

// A new dictionary has to leave so much less than the old one: it takes space
// itself, and those who read hold both.
constexpr double kWorthwhile = 0.8;

// Messages that dictionaries are compared with.
constexpr size_t kMaxTried = 4;

// What others have made is used after so long.
constexpr absl::Duration kMaxAge = absl::Minutes(5);

// Services whose dictionaries are held for Latest.
constexpr size_t kMaxLatest = 64;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

Packer::Prepared PrepareBytes(int64_t id, std::string_view bytes,
                              Effort effort) {
  return {id,
          {ZSTD_createCDict(bytes.data(), bytes.size(), LevelOf(effort)),
           [](ZSTD_CDict* one) { ZSTD_freeCDict(one); }},
          effort};
}

// The newest of `samples`, as far as they fit. What is at the end is reached
// with the smallest offsets.
std::string ContentOf(absl::Span<const std::string> samples, size_t max_bytes) {
  std::string content(kContentMark);
  size_t first = samples.size();
  size_t bytes = content.size();
  while (first > 0 && bytes + samples[first - 1].size() <= max_bytes) {
    bytes += samples[--first].size();
  }
  for (; first < samples.size(); ++first) content += samples[first];
  // One that is larger than all room there is has most of it at its beginning.
  if (content.size() == kContentMark.size() && !samples.empty()) {
    content += samples.back().substr(0, max_bytes - content.size());
  }
  return content;
}

size_t SizeWith(const Packer::Prepared& prepared,
                absl::Span<const std::string> messages) {
  size_t size = 0;
  for (const std::string& message : messages) {
    size += Packer::Pack(prepared, message).payload.size();
  }
  return size;
}

}  // namespace

PackedMessage Packer::Pack(const Prepared& prepared, std::string_view message) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(
      ZSTD_createCCtx());
  PackedMessage packed;
  packed.dictionary = prepared.id;
  packed.payload.resize(ZSTD_compressBound(message.size()));
  const size_t size =
      prepared.dictionary != nullptr
          ? ZSTD_compress_usingCDict(context.get(), packed.payload.data(),
                                     packed.payload.size(), message.data(),
                                     message.size(), prepared.dictionary.get())
          : ZSTD_compressCCtx(context.get(), packed.payload.data(),
                              packed.payload.size(), message.data(),
                              message.size(), LevelOf(prepared.effort));
  packed.payload.resize(size);
  return packed;
}

absl::StatusOr<Packer::Prepared> Packer::Prepare(
    std::string_view service, absl::Span<const std::string> samples,
    Effort effort) {
  Prepared none;
  none.effort = effort;
  const absl::StatusOr<std::optional<Dictionary>> latest =
      index_.LatestDictionary(service);
  if (!latest.ok()) return latest.status();
  const Prepared old =
      latest->has_value()
          ? PrepareBytes((*latest)->id, (*latest)->bytes, effort)
          : none;
  // It is not judged by messages that are in it, and no larger than what it is
  // used for now.
  const size_t tried = std::min(kMaxTried, samples.size() / 2);
  const absl::Span<const std::string> trials = samples.first(tried);
  size_t all = 0;
  for (const std::string& sample : samples) all += sample.size();
  const std::string content =
      ContentOf(samples.subspan(tried), std::min(kMaxDictionaryBytes, all / 2));
  if (trials.empty() || content.size() < kMinDictionaryBytes) return old;
  Prepared fresh = PrepareBytes(0, content, effort);
  if (static_cast<double>(SizeWith(fresh, trials)) >
      kWorthwhile * static_cast<double>(SizeWith(old, trials))) {
    return old;
  }
  const absl::StatusOr<int64_t> id = index_.AddDictionary(service, content);
  if (!id.ok()) return id.status();
  fresh.id = *id;
  return fresh;
}

absl::StatusOr<Packer::Prepared> Packer::Latest(std::string_view service) {
  const absl::Time now = absl::Now();
  {
    const std::lock_guard lock(mutex_);
    const auto kept = latest_.find(service);
    if (kept != latest_.end() && now - kept->second.as_of < kMaxAge) {
      return kept->second.prepared;
    }
  }
  const absl::StatusOr<std::optional<Dictionary>> latest =
      index_.LatestDictionary(service);
  if (!latest.ok()) return latest.status();
  Prepared prepared;
  prepared.effort = Effort::kInPassing;
  if (latest->has_value()) {
    prepared =
        PrepareBytes((*latest)->id, (*latest)->bytes, Effort::kInPassing);
  }
  const std::lock_guard lock(mutex_);
  if (latest_.size() >= kMaxLatest) latest_.erase(latest_.begin());
  latest_[std::string(service)] = {prepared, now};
  return prepared;
}

}  // namespace wallprof::store
