// The store that is in a directory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "fleet/store/local/local_index.h"
#include "fleet/store/local/segment_files.h"
#include "fleet/store/profile_store.h"
#include "tests/fleet/store/index_conformance.h"
#include "tests/fleet/store/profile_store_conformance.h"
#include "tests/fleet/store/sample_profiles.h"
#include "tests/fleet/store/segments_conformance.h"

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

class LocalIndexPlace : public IndexPlace {
 public:
  absl::StatusOr<std::unique_ptr<Index>> Open() override {
    return local::LocalIndex::Open(directory_.path());
  }

 private:
  const TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Local, IndexConformance,
                         testing::Values(+[]() -> std::unique_ptr<IndexPlace> {
                           return std::make_unique<LocalIndexPlace>();
                         }));

class LocalSegmentsPlace : public SegmentsPlace {
 public:
  absl::StatusOr<std::unique_ptr<Segments>> Open() override {
    return local::SegmentFiles::Open(directory_.path());
  }

 private:
  const TemporaryDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(
    Local, SegmentsConformance,
    testing::Values(+[]() -> std::unique_ptr<SegmentsPlace> {
      return std::make_unique<LocalSegmentsPlace>();
    }));

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
