// What any segments do, wherever they are:
//
//   INSTANTIATE_TEST_SUITE_P(Local, SegmentsConformance,
//                            testing::Values(&NewLocalSegmentsPlace));
#ifndef WALLPROF_TESTS_FLEET_STORE_SEGMENTS_CONFORMANCE_H_
#define WALLPROF_TESTS_FLEET_STORE_SEGMENTS_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <memory>

#include "fleet/store/segments.h"

namespace wallprof::store {

// Where segments are, none at first: whatever is opened there later finds what
// those before it left. Cleared away with this.
class SegmentsPlace {
 public:
  virtual ~SegmentsPlace() = default;
  virtual absl::StatusOr<std::unique_ptr<Segments>> Open() = 0;
};

using NewSegmentsPlace = std::unique_ptr<SegmentsPlace> (*)();

class SegmentsConformance : public testing::TestWithParam<NewSegmentsPlace> {
 protected:
  void SetUp() override;
  void Reopen();

  std::unique_ptr<SegmentsPlace> place_;
  std::unique_ptr<Segments> segments_;
};

}  // namespace wallprof::store

#endif  // WALLPROF_TESTS_FLEET_STORE_SEGMENTS_CONFORMANCE_H_
