// Messages compressed with what is typical of their service.
//
// A dictionary is plain content: profiles of the service that came lately. What
// they share is found in it, and that is most: names, mappings, whole stacks. A
// dictionary made by Zstandard's trainer, of a tenth of the size, leaves a
// quarter more.
#ifndef WALLPROF_FLEET_STORE_PACKER_H_
#define WALLPROF_FLEET_STORE_PACKER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fleet/store/index.h"

struct ZSTD_CDict_s;

namespace wallprof::store {

struct PackedMessage {
  int64_t dictionary = 0;  // 0: none
  std::string payload;     // Encoding::kZstd
};

// How much work a message is worth.
enum class Effort {
  kInPassing,  // while somebody waits
  kQuick,      // with much left to do
  kThorough,
};

// Thread-safe.
class Packer {
 public:
  // A dictionary, ready to be used; none if it is null.
  struct Prepared {
    int64_t id = 0;
    std::shared_ptr<const ZSTD_CDict_s> dictionary;
    Effort effort = Effort::kThorough;
  };

  // `index`, which must outlive it, keeps the dictionaries.
  explicit Packer(Index& index) : index_(index) {}

  // The service's dictionary, for messages like `samples`, which are the newest
  // ones: the latest, or a new one of them where that is worth its size.
  absl::StatusOr<Prepared> Prepare(std::string_view service,
                                   absl::Span<const std::string> samples,
                                   Effort effort);

  // The service's latest dictionary, as it was some minutes ago at most.
  absl::StatusOr<Prepared> Latest(std::string_view service);

  static PackedMessage Pack(const Prepared& prepared, std::string_view message);

 private:
  struct Kept {
    Prepared prepared;
    absl::Time as_of;
  };

  Index& index_;
  std::mutex mutex_;
  std::map<std::string, Kept, std::less<>> latest_;  // under mutex_
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_PACKER_H_
