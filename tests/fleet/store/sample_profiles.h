// Profiles to keep, for the tests of stores.
#ifndef WALLPROF_TESTS_FLEET_STORE_SAMPLE_PROFILES_H_
#define WALLPROF_TESTS_FLEET_STORE_SAMPLE_PROFILES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "fleet/store/index.h"
#include "fleet/store/profile_info.h"
#include "fleet/store/profile_store.h"

namespace wallprof::store {

inline const absl::Time kSampleTime = absl::FromUnixSeconds(1'800'000'000);

// Of "shop", "wall" and a host, unless told otherwise; `number` makes the id.
ProfileInfo SampleInfo(int number, absl::Time created_at = kSampleTime,
                       std::string_view service = "shop",
                       std::string_view host = "a");

// What is not easily compressed, and different for each `number`.
std::string SampleMessage(int number, size_t bytes = 2000);

std::string GzipOf(std::string_view bytes);

// The id of `created_at` and `number`, in a segment of this name.
IndexEntry SampleEntry(int number, absl::Time created_at = kSampleTime,
                       std::string_view segment = "1.received");

std::vector<std::string> IdsOf(const std::vector<IndexEntry>& entries);

// What Find gives, an error fails the test.
std::vector<IndexEntry> FindAll(Index& index, const Query& query = {});
std::vector<IndexEntry> FindAll(ProfileStore& store, const Query& query = {});

Query QueryOf(std::string_view selector, absl::Time from = absl::InfinitePast(),
              absl::Time to = absl::InfiniteFuture());

// A directory that is removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace wallprof::store

#endif  // WALLPROF_TESTS_FLEET_STORE_SAMPLE_PROFILES_H_
