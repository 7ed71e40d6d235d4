#include "fleet/pgo/scrape/sources/file_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace wallprof::pgo {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string ErrorOf(std::string_view text) {
  return std::string(ParseTargets(text).status().message());
}

TEST(ParseTargetsTest, CommentsMayBeThere) {
  const auto targets = ParseTargets(R"([
    // The scheme, host & port combination of the target.
    {"address": "http://localhost:5000",
     /* defaults to */ "path": "/debug/pprof/profile"},
    {"address": "https://b/", "version": "1.4"}])");
  ASSERT_TRUE(targets.ok()) << targets.status();
  EXPECT_THAT(
      *targets,
      ElementsAre(Target{"http://localhost:5000", "/debug/pprof/profile", ""},
                  Target{"https://b", "/debug/pprof/profile", "1.4"}));
}

TEST(ParseTargetsTest, NoneIsAListToo) {
  const auto targets = ParseTargets("[]");
  ASSERT_TRUE(targets.ok()) << targets.status();
  EXPECT_THAT(*targets, IsEmpty());
}

TEST(ParseTargetsTest, ErrorsSayWhere) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("line 1, column 1"));
  EXPECT_THAT(ErrorOf("[\n{\"address\" \"http://a\"}]"),
              AllOf(StartsWith("parse error at line 2, column"),
                    Not(HasSubstr("json.exception"))));
  EXPECT_THAT(ErrorOf("{\"address\":\"http://a\"}"), HasSubstr("no array"));
  const std::string first = "[{\"address\":\"http://a\"},";
  EXPECT_THAT(ErrorOf(first + "1]"), StartsWith("entry 2 is no object"));
  EXPECT_THAT(ErrorOf(first + "{}]"), StartsWith("entry 2 has no address"));
  EXPECT_THAT(ErrorOf(first + R"({"adress":"http://a"}])"),
              StartsWith("entry 2 has 'adress', which is none of"));
  EXPECT_THAT(ErrorOf(first + R"({"address":5}])"),
              StartsWith("entry 2 has no text as address"));
  EXPECT_THAT(ErrorOf(first + R"({"address":"http://a","path":["/"]}])"),
              StartsWith("entry 2 has no text as path"));
  EXPECT_THAT(ErrorOf(first + R"({"address":"localhost:5000"}])"),
              AllOf(StartsWith("entry 2 is wrong"),
                    HasSubstr("must begin with http://")));
}

class FileTargetsTest : public ::testing::Test {
 protected:
  ~FileTargetsTest() override { std::filesystem::remove(path_); }

  void Write(const std::string& text) {
    // Another file each time, as editors and Kubernetes do it.
    const std::string fresh = path_ + ".new";
    std::ofstream(fresh) << text;
    std::filesystem::rename(fresh, path_);
  }

  const std::string path_ =
      ::testing::TempDir() + "file_targets_test." + std::to_string(getpid());
};

TEST_F(FileTargetsTest, AtTheStartItMustBeGood) {
  EXPECT_THAT(FileTargets::Open(path_).status().message(),
              AllOf(HasSubstr(path_), HasSubstr("No such file")));
  Write("[");
  EXPECT_THAT(std::string(FileTargets::Open(path_).status().message()),
              StartsWith(path_ + ": parse error at line 1"));
  EXPECT_THAT(FileTargets::Open(::testing::TempDir()).status().message(),
              HasSubstr("is no file"));
}

TEST_F(FileTargetsTest, ChangesAreSeen) {
  Write(R"([{"address":"http://a"}])");
  const auto source = FileTargets::Open(path_);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->name(), "file://" + path_);
  EXPECT_EQ((*source)->List()->size(), 1u);
  Write(R"([{"address":"http://a"}, {"address":"http://b"}])");
  EXPECT_EQ((*source)->List()->size(), 2u);
  Write(R"([{"address":"http://a"}, {}])");
  EXPECT_THAT((*source)->List().status().message(), HasSubstr("entry 2"));
  EXPECT_THAT((*source)->Check().message(), HasSubstr("entry 2"));
  std::filesystem::remove(path_);
  EXPECT_THAT((*source)->Check().message(), HasSubstr("No such file"));
  Write(R"([{"address":"http://c"}])");
  EXPECT_TRUE((*source)->Check().ok());
  EXPECT_EQ((*source)->List()->front().address, "http://c");
}

TEST_F(FileTargetsTest, WhatIsTooLargeIsNotRead) {
  Write("[]");
  const auto source = FileTargets::Open(path_);
  ASSERT_TRUE(source.ok()) << source.status();
  std::filesystem::resize_file(path_, (int64_t{16} << 20) + 1);
  EXPECT_THAT((*source)->List().status().message(), HasSubstr("more than"));
}

}  // namespace
}  // namespace wallprof::pgo
