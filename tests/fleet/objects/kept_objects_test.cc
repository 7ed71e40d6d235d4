// A real server's answers. s3_server_test.py starts it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "tests/fleet/objects/object_store_conformance.h"
#include "wallprof/bundle_objects.h"
#include "wallprof/bundle_schedule.h"
#include "wallprof/object_store.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

constexpr size_t kMany = size_t{64} << 20;

std::unique_ptr<ObjectStore> Open(const std::string& bucket_and_prefix) {
  const char* endpoint = getenv("WALLPROF_TEST_ENDPOINT");
  return OpenObjectStore("s3://" + bucket_and_prefix + "?endpoint=" +
                         (endpoint == nullptr ? "http://nowhere" : endpoint))
      .value();
}

}  // namespace

std::unique_ptr<ObjectStore> OpenStore(const std::string& place) {
  return Open("profiles/" + place);
}

namespace {

TEST(KeptObjectsTest, BundlesOfAProgram) {
  const auto profiler = Profiler::Start();
  ASSERT_TRUE(profiler.ok()) << profiler.status();
  const std::shared_ptr<ObjectStore> store = Open("profiles/bundles");
  BundleScheduleOptions options;
  options.store = std::make_shared<BundleObjects>(store);
  auto schedule = BundleSchedule::Start(options, **profiler);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  (*schedule)->Stop();  // with a last bundle
  EXPECT_EQ((*schedule)->Counts().failed, 0)
      << (*schedule)->Counts().last_error;
  const auto found = store->List("kept_objects_test/", "", 10);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1u);
  const std::string bundle = store->Get(found->at(0).key, kMany).value_or("");
  EXPECT_EQ(bundle.substr(0, 4), "PK\x03\x04");
  EXPECT_NE(bundle.find("threads.json"), std::string::npos);
}

TEST(KeptObjectsTest, BucketThatIsNotThere) {
  const auto store = Open("elsewhere");
  EXPECT_TRUE(absl::IsNotFound(store->Put("object", "bytes")));
  EXPECT_TRUE(absl::IsNotFound(store->List("", "", 1).status()));
}

TEST(KeptObjectsTest, WrongSecretIsDenied) {
  setenv("AWS_SECRET_ACCESS_KEY", "another", 1);
  const auto store = Open("profiles");
  setenv("AWS_SECRET_ACCESS_KEY", "S3RVER", 1);
  const absl::Status status = store->Put("object", "bytes");
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_NE(status.message().find("SignatureDoesNotMatch"), std::string::npos);
}

}  // namespace
}  // namespace wallprof
