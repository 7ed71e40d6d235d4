// What any engine of versions does:
//
//   INSTANTIATE_TEST_SUITE_P(Nats, VersionsConformance,
//                            testing::Values(&NewNatsPlace));
#ifndef WALLPROF_TESTS_FLEET_PGO_VERSIONS_VERSIONS_CONFORMANCE_H_
#define WALLPROF_TESTS_FLEET_PGO_VERSIONS_VERSIONS_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "fleet/pgo/versions/base_versions.h"

namespace wallprof::pgo {

// The URL of an engine where nothing is.
using NewVersionsUrl = std::string (*)();

class VersionsConformance : public testing::TestWithParam<NewVersionsUrl> {
 protected:
  void SetUp() override {
    url_ = GetParam()();
    versions_ = Open();
  }

  std::unique_ptr<BaseVersions> Open() const;

  // Replaces what must succeed.
  uint64_t Replace(const std::string& app, uint64_t revision,
                   const std::string& record);

  std::string url_;
  std::unique_ptr<BaseVersions> versions_;
};

// Several threads and processes add to one record each what is its own, while
// `disturb` runs: all of it is there at the end, once.
void AddWhile(const std::string& url, const std::function<void()>& disturb);

}  // namespace wallprof::pgo

#endif  // WALLPROF_TESTS_FLEET_PGO_VERSIONS_VERSIONS_CONFORMANCE_H_
