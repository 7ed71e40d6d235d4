// A bundle's entries, in a test.
#ifndef WALLPROF_TESTS_FLEET_BUNDLE_CHECKED_ENTRIES_H_
#define WALLPROF_TESTS_FLEET_BUNDLE_CHECKED_ENTRIES_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/fleet/bundle/zip_reader.h"

namespace wallprof::bundle {

// Fails the test where a header is not as it should be.
inline Entries ReadZip(std::string_view bytes) {
  std::string problem;
  Entries entries = ReadZip(bytes, problem);
  EXPECT_EQ(problem, "");
  return entries;
}

// Fails the test if there is none of that name.
inline std::string EntryOf(const Entries& entries, const std::string& name) {
  for (const auto& [each, bytes] : entries) {
    if (each == name) return bytes;
  }
  ADD_FAILURE() << "there is no " << name;
  return "";
}

}  // namespace wallprof::bundle

#endif  // WALLPROF_TESTS_FLEET_BUNDLE_CHECKED_ENTRIES_H_
