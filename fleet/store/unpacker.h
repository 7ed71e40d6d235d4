// Reads the messages of records, whatever they are compressed with.
#ifndef WALLPROF_FLEET_STORE_UNPACKER_H_
#define WALLPROF_FLEET_STORE_UNPACKER_H_

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "fleet/store/index.h"
#include "fleet/store/record.h"

struct ZSTD_DDict_s;

namespace wallprof::store {

// Thread-safe. Keeps the dictionaries that were used last.
class Unpacker {
 public:
  // `index` must outlive it.
  explicit Unpacker(Index& index) : index_(index) {}

  // The message; DataLoss if the payload is not what was written.
  absl::StatusOr<std::string> Unpack(const Record& record);

 private:
  using Prepared = std::shared_ptr<const ZSTD_DDict_s>;

  absl::StatusOr<Prepared> DictionaryOf(int64_t id);
  absl::StatusOr<std::string> Decompress(const Record& record, size_t bytes);

  Index& index_;
  std::mutex mutex_;
  std::map<int64_t, Prepared> prepared_;  // under mutex_, as are those below
  std::list<int64_t> used_;               // the last one first
};

}  // namespace wallprof::store

#endif  // WALLPROF_FLEET_STORE_UNPACKER_H_
