// Adding up very many profiles: straight from the bytes of profile.proto, so
// that memory grows with the sum and not with what is added.
//
//   wallprof::PprofMerger merger;
//   for (const std::string& file : files) {
//     absl::StatusOr<std::string> message =
//         wallprof::UnpackPprof(file, wallprof::kMaxDecodedBytes);
//     if (!message.ok()) return message.status();
//     if (absl::Status s = merger.Add(*message); !s.ok()) return s;
//   }
//   absl::StatusOr<std::string> sum = std::move(merger).FinishEncoded();
//
// A "message" here is a profile.proto that is not packed by gzip.
#ifndef WALLPROF_PPROF_MERGE_H_
#define WALLPROF_PPROF_MERGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wallprof/formats.h"
#include "wallprof/profile.h"

namespace wallprof {

// What a message says of itself, and how large it is.
struct PprofFacts {
  std::vector<ValueType> sample_types;
  std::string default_sample_type;
  ValueType period_type;
  int64_t period = 0;
  absl::Time time = absl::UnixEpoch();  // UnixEpoch(): unknown
  absl::Duration duration;

  size_t samples = 0;
  size_t max_depth = 0;              // locations of the deepest sample
  size_t max_labels_per_sample = 0;  // without those that say nothing
  size_t mappings = 0;
  size_t locations = 0;
  size_t functions = 0;
  size_t strings = 0;       // in the string table
  size_t string_bytes = 0;  // of all strings there together
};

// Checks a message without building a profile of it. What DecodePprof refuses
// is refused here, with the same words; nothing else is, but for messages above
// 4 GiB. `max_bytes` bounds the memory that the decoded profile would take; one
// that is wrong and would take above 128 MiB may be called too large instead.
// Never crashes, whatever the bytes. Safe from any thread.
absl::StatusOr<PprofFacts> CheckPprof(std::string_view message,
                                      size_t max_bytes = kMaxDecodedBytes);

// The message in `bytes`, which may be packed by gzip or not. InvalidArgument,
// in DecodePprof's words, if they are damaged or more than `max_bytes` when
// unpacked, of which no more is held. Safe from any thread.
absl::StatusOr<std::string> UnpackPprof(std::string_view bytes,
                                        size_t max_bytes);

// `message` packed by gzip, as profiles are handed on. Equal messages give
// equal bytes.
std::string PackPprof(std::string_view message);

// The sum of profiles as Merge (merge.h) has it, byte for byte, but one profile
// after the other. Not thread-safe; several can work at once and be added to
// each other.
class PprofMerger {
 public:
  struct Options {
    // Of the sum, with what is needed to find things in it; its message comes
    // on top when it is written. 300 profiles of 1 MiB, of one large service,
    // take a fifth of it.
    size_t max_memory_bytes = size_t{512} << 20;

    // CheckPprof's `max_bytes`, for each message.
    size_t max_message_bytes = kMaxDecodedBytes;

    // The same profiles give the same bytes, in whatever order they are added
    // and in however many sums before, if none has negative values. For that,
    // samples, and all else, come in an order of what they say; what only the
    // first profile decides otherwise (names of files with one build id,
    // drop_frames and such) is the least that any has; and mappings that no
    // sample leads to are left out.
    bool any_order = false;

    // Leaves out what profiles say in comments.
    bool drop_comments = false;
  };

  PprofMerger();
  explicit PprofMerger(const Options& options);
  ~PprofMerger();
  PprofMerger(PprofMerger&& other) noexcept;
  PprofMerger& operator=(PprofMerger&& other) noexcept;

  // Adds a message, of which nothing is kept. InvalidArgument as CheckPprof,
  // or if its types are not those of the first; ResourceExhausted beyond
  // Options::max_memory_bytes. What is refused is not part of the sum, which
  // stays as it was.
  absl::Status Add(std::string_view message);

  // Adds all that was added to `other`, after what was added here: the sum is
  // the same as if one had been given all, in that order, unless numbers leave
  // the range of int64 on the way. Errors as above; InvalidArgument too unless
  // both or neither are of Options::any_order.
  absl::Status Add(const PprofMerger& other);

  // Profiles added so far.
  size_t count() const;

  // What the sum takes now, in bytes; at most Options::max_memory_bytes.
  size_t memory_bytes() const;

  // The sum. InvalidArgument if nothing was added. The merger is used up.
  absl::StatusOr<Profile> Finish() &&;

  // The same as EncodePprof writes it (gzipped profile.proto), without taking
  // the memory of a Profile.
  absl::StatusOr<std::string> FinishEncoded() &&;

  // The same, not gzipped.
  absl::StatusOr<std::string> FinishMessage() &&;

 private:
  class Sum;
  std::unique_ptr<Sum> sum_;
};

}  // namespace wallprof

#endif  // WALLPROF_PPROF_MERGE_H_
