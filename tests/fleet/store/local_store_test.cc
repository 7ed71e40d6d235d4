// The store that is in a directory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "fleet/store/profile_store.h"
#include "tests/fleet/store/profile_store_conformance.h"
#include "tests/fleet/store/sample_profiles.h"

namespace wallprof::store {
namespace {

using testing::HasSubstr;

class LocalPlace : public StorePlace {
 public:
  absl::StatusOr<std::unique_ptr<ProfileStore>> Open(
      StoreOptions options) override {
    options.directory = absl::StrCat(directory_.path(), "/store");
    return OpenProfileStore(options);
  }

 private:
  const TemporaryDirectory directory_;
};

std::unique_ptr<StorePlace> NewLocalPlace() {
  return std::make_unique<LocalPlace>();
}

INSTANTIATE_TEST_SUITE_P(Local, ProfileStoreConformance,
                         testing::Values(&NewLocalPlace));

TEST(LocalStoreTest, HasItsDirectoryForItself) {
  const TemporaryDirectory directory;
  StoreOptions options;
  options.directory = directory.path();
  const auto first = OpenProfileStore(options);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = OpenProfileStore(options);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr(directory.path()));
}

TEST(LocalStoreTest, SaysWhichOptionIsWrong) {
  const auto store = OpenProfileStore({});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(store.status().message()), HasSubstr("directory"));
}

}  // namespace
}  // namespace wallprof::store
