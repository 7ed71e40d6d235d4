// What any profile store does, wherever its index and segments are:
//
//   INSTANTIATE_TEST_SUITE_P(Local, ProfileStoreConformance,
//                            testing::Values(&NewLocalStore));
#ifndef WALLPROF_TESTS_FLEET_STORE_PROFILE_STORE_CONFORMANCE_H_
#define WALLPROF_TESTS_FLEET_STORE_PROFILE_STORE_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fleet/store/profile_store.h"

namespace wallprof::store {

// Where a store is, empty at first: whatever is opened there later finds what
// those before it left. Cleared away with this.
class StorePlace {
 public:
  virtual ~StorePlace() = default;

  // `options.retention` and `options.log` are the test's.
  virtual absl::StatusOr<std::unique_ptr<ProfileStore>> Open(
      StoreOptions options) = 0;
};

using NewStorePlace = std::unique_ptr<StorePlace> (*)();

class ProfileStoreConformance : public testing::TestWithParam<NewStorePlace> {
 protected:
  void SetUp() override;

  void Reopen(Retention retention = {});

  // Adds SampleMessage(number), and says whether it is new.
  bool Add(const ProfileInfo& info, int number);

  std::string MessageOf(const std::string& id);

  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<ProfileStore> store_;
  std::vector<std::string> lines_;
};

}  // namespace wallprof::store

#endif  // WALLPROF_TESTS_FLEET_STORE_PROFILE_STORE_CONFORMANCE_H_
