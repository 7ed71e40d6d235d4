// A program that has a cpp-httplib of its own, as a header of another version
// would bring it.
#include <gtest/gtest.h>

#include <string>

#include "http/server/exchange.h"

namespace httplib {

struct Request {
  bool has_header(const std::string& name) const;
};

bool Request::has_header(const std::string&) const { return false; }

}  // namespace httplib

namespace wallprof::http {
namespace {

TEST(ForeignHttplibTest, WillNotMixWithTheProgramsOwnHttplib) {
  absl::Status status = Exchange::Create({}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("httplib_mount.h"), absl::string_view::npos);
}

}  // namespace
}  // namespace wallprof::http
