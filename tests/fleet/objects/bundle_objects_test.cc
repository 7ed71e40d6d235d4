#include "wallprof/bundle_objects.h"

#include <gtest/gtest.h>

#include <map>

namespace wallprof {
namespace {

class Objects : public ObjectStore {
 public:
  absl::Status Put(std::string_view key, std::string_view bytes) override {
    kept[std::string(key)] = bytes;
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Get(std::string_view, size_t) override {
    return absl::UnimplementedError("not read");
  }
  absl::StatusOr<std::string> GetRange(std::string_view, int64_t,
                                       int64_t) override {
    return absl::UnimplementedError("not read");
  }
  absl::Status Delete(std::string_view) override {
    return absl::UnimplementedError("nothing is removed");
  }
  absl::StatusOr<std::vector<ObjectInfo>> List(std::string_view,
                                               std::string_view, int) override {
    return absl::UnimplementedError("not listed");
  }

  std::map<std::string, std::string> kept;
};

TEST(BundleObjectsTest, BundleIsOneObject) {
  const auto objects = std::make_shared<Objects>();
  BundleObjects store(objects);
  ASSERT_TRUE(store
                  .Put("a/b.zip",
                       [](const BundleSink& sink) {
                         absl::Status status = sink("one ");
                         return status.ok() ? sink("whole") : status;
                       })
                  .ok());
  EXPECT_EQ(objects->kept,
            (std::map<std::string, std::string>{{"a/b.zip", "one whole"}}));
}

TEST(BundleObjectsTest, OfOneThatFailsThereIsNothing) {
  const auto objects = std::make_shared<Objects>();
  BundleObjects store(objects);
  EXPECT_TRUE(absl::IsAborted(store.Put("a/b.zip", [](const BundleSink& sink) {
    return sink("half").ok() ? absl::AbortedError("half way")
                             : absl::OkStatus();
  })));
  EXPECT_TRUE(objects->kept.empty());
}

}  // namespace
}  // namespace wallprof
