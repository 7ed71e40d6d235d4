// What any index does, wherever it is:
//
//   INSTANTIATE_TEST_SUITE_P(Local, IndexConformance,
//                            testing::Values(&NewLocalIndexPlace));
#ifndef WALLPROF_TESTS_FLEET_STORE_INDEX_CONFORMANCE_H_
#define WALLPROF_TESTS_FLEET_STORE_INDEX_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <memory>

#include "fleet/store/index.h"

namespace wallprof::store {

// Where an index is, empty at first: whatever is opened there later finds what
// those before it left. Cleared away with this.
class IndexPlace {
 public:
  virtual ~IndexPlace() = default;
  virtual absl::StatusOr<std::unique_ptr<Index>> Open() = 0;
};

using NewIndexPlace = std::unique_ptr<IndexPlace> (*)();

class IndexConformance : public testing::TestWithParam<NewIndexPlace> {
 protected:
  void SetUp() override;
  void Reopen();

  // Adds entries, all of them new.
  void Add(const std::vector<IndexEntry>& entries);

  SegmentUse UseOf(const std::string& segment);

  std::unique_ptr<IndexPlace> place_;
  std::unique_ptr<Index> index_;
};

}  // namespace wallprof::store

#endif  // WALLPROF_TESTS_FLEET_STORE_INDEX_CONFORMANCE_H_
