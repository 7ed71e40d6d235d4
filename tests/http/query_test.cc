#include "http/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wallprof::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

std::string ErrorOf(std::string_view text) {
  absl::StatusOr<Query> query = Query::Parse(text);
  return query.ok() ? "" : std::string(query.status().message());
}

TEST(QueryTest, GivesEachParameterOnce) {
  absl::StatusOr<Query> query = Query::Parse("seconds=5&view=wall");
  ASSERT_TRUE(query.ok());
  EXPECT_THAT(query->Take("view"), Optional(std::string("wall")));
  EXPECT_THAT(query->Take("seconds"), Optional(std::string("5")));
  EXPECT_EQ(query->Take("seconds"), std::nullopt);
  EXPECT_TRUE(query->CheckAllTaken().ok());
}

TEST(QueryTest, NamesAParameterThatNobodyTook) {
  absl::StatusOr<Query> query = Query::Parse("secondz=5");
  ASSERT_TRUE(query.ok());
  absl::Status status = query->CheckAllTaken();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'secondz'"));
}

TEST(QueryTest, DecodesNamesAndValues) {
  absl::StatusOr<Query> query = Query::Parse("s%65conds=%31+%2B");
  ASSERT_TRUE(query.ok());
  EXPECT_THAT(query->Take("seconds"), Optional(std::string("1 +")));
}

TEST(QueryTest, EmptyTextHasNoParameters) {
  absl::StatusOr<Query> query = Query::Parse("");
  ASSERT_TRUE(query.ok());
  EXPECT_TRUE(query->empty());
}

TEST(QueryTest, DropsWhatGoToolsSend) {
  absl::StatusOr<Query> query = Query::Parse("debug=1&gc=1");
  ASSERT_TRUE(query.ok());
  EXPECT_TRUE(query->empty());
}

TEST(QueryTest, RefusesARepeatedParameter) {
  EXPECT_THAT(ErrorOf("hz=1&view=cpu&hz=1"), HasSubstr("'hz' is given twice"));
  EXPECT_THAT(ErrorOf("debug=1&debug=1"), HasSubstr("'debug'"));
  EXPECT_THAT(ErrorOf("hz=1&h%7A=2"), HasSubstr("'hz' is given twice"));
}

TEST(QueryTest, RefusesMalformedText) {
  EXPECT_THAT(ErrorOf("threads"), HasSubstr("'threads' has no value"));
  EXPECT_THAT(ErrorOf("hz=%"), HasSubstr("'hz' has a '%'"));
  EXPECT_THAT(ErrorOf("hz=%4"), HasSubstr("'hz' has a '%'"));
  EXPECT_THAT(ErrorOf("hz=%zz"), HasSubstr("'hz' has a '%'"));
  EXPECT_THAT(ErrorOf("%=1"), HasSubstr("'%' has a '%'"));
  EXPECT_THAT(ErrorOf("hz=1&"), HasSubstr("empty parameter"));
  EXPECT_THAT(ErrorOf("&"), HasSubstr("empty parameter"));
}

TEST(QuotedTest, EscapesAndCutsWhatAClientSent) {
  EXPECT_EQ(Quoted("a\r\n\x01<"), "'a\\r\\n\\x01<'");
  EXPECT_EQ(Quoted(std::string(100, 'a')), "'" + std::string(64, 'a') + "...'");
}

}  // namespace
}  // namespace wallprof::http
