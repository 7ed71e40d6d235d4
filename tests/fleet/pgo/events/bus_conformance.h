// What any bus does:
//
//   INSTANTIATE_TEST_SUITE_P(Nats, BusConformance, testing::Values(&NewNats));
#ifndef WALLPROF_TESTS_FLEET_PGO_EVENTS_BUS_CONFORMANCE_H_
#define WALLPROF_TESTS_FLEET_PGO_EVENTS_BUS_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "fleet/pgo/events/bus.h"

namespace wallprof::pgo {

// A bus on which nothing is. Opening fails the test where it does not succeed.
class BusPlace {
 public:
  virtual ~BusPlace() = default;
  virtual std::unique_ptr<EventWriter> Writer() = 0;
  // Shares the events with the place's others.
  virtual std::unique_ptr<EventReader> Reader() = 0;
};

using NewBusPlace = std::unique_ptr<BusPlace> (*)();

class BusConformance : public testing::TestWithParam<NewBusPlace> {
 protected:
  void SetUp() override { place_ = GetParam()(); }
  // The server that it is of may be next to go.
  void TearDown() override { place_ = nullptr; }

  std::unique_ptr<BusPlace> place_;
};

// Of a machine that does much else.
inline constexpr absl::Duration kPatience = absl::Seconds(30);

// The next event; nullptr, and the test fails, where none comes.
std::unique_ptr<Delivery> Next(EventReader& reader,
                               absl::Duration patience = kPatience);

// Whether none comes within a while that is longer than one takes.
bool IsEmpty(EventReader& reader);

std::string IdOf(const Delivery& delivery);

// Publishes one of `app`, and returns its id.
std::string Write(EventWriter& writer, std::string_view app);

}  // namespace wallprof::pgo

#endif  // WALLPROF_TESTS_FLEET_PGO_EVENTS_BUS_CONFORMANCE_H_
