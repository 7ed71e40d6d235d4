#include "fleet/serving/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace wallprof::serving {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Verdict = TokenSet::Verdict;

constexpr char kTokens[] =
    "# who may what\n"
    "\n"
    "read  reads0123456789ab\n"
    "\twrite\twrites0123456789a  \n"
    "admin admins0123456789a\r\n"
    "read  both0123456789abc\n"
    "write both0123456789abc\n";

TokenSet Some() { return *TokenSet::Parse(kTokens, "tokens"); }

TEST(TokenSetTest, ScopesReachWhatTheySay) {
  const TokenSet tokens = Some();
  const struct {
    const char* token;
    bool read, write, admin;
  } rows[] = {{"reads0123456789ab", true, false, false},
              {"writes0123456789a", false, true, false},
              {"admins0123456789a", true, true, true},
              {"both0123456789abc", true, true, false}};
  const auto verdict = [](bool allowed) {
    return allowed ? Verdict::kAllowed : Verdict::kForbidden;
  };
  for (const auto& row : rows) {
    const std::string header = std::string("Bearer ") + row.token;
    EXPECT_EQ(tokens.Check(header, Scope::kRead), verdict(row.read)) << header;
    EXPECT_EQ(tokens.Check(header, Scope::kWrite), verdict(row.write));
    EXPECT_EQ(tokens.Check(header, Scope::kAdmin), verdict(row.admin));
    EXPECT_EQ(tokens.Check(header, Scope::kNone), Verdict::kAllowed);
  }
}

TEST(TokenSetTest, OnlyBearerTokensOfTheFileAreTaken) {
  const TokenSet tokens = Some();
  EXPECT_EQ(tokens.Check("", Scope::kRead), Verdict::kMissing);
  EXPECT_EQ(tokens.Check("", Scope::kNone), Verdict::kAllowed);
  EXPECT_EQ(tokens.Check("Basic reads0123456789ab", Scope::kRead),
            Verdict::kMissing);
  EXPECT_EQ(tokens.Check("reads0123456789ab", Scope::kRead), Verdict::kMissing);
  EXPECT_EQ(tokens.Check("bearer  reads0123456789ab ", Scope::kRead),
            Verdict::kAllowed);
  for (const char* unknown :
       {"Bearer ", "Bearer reads0123456789a", "Bearer reads0123456789abc",
        "Bearer READS0123456789AB",
        "Bearer reads0123456789ab, Bearer reads0123456789ab"}) {
    EXPECT_EQ(tokens.Check(unknown, Scope::kRead), Verdict::kUnknown)
        << unknown;
  }
}

TEST(TokenSetTest, APasswordOfABrowserIsAToken) {
  const TokenSet tokens = Some();
  // anyone:reads0123456789ab
  EXPECT_EQ(
      tokens.Check("Basic YW55b25lOnJlYWRzMDEyMzQ1Njc4OWFi", Scope::kRead),
      Verdict::kAllowed);
  EXPECT_EQ(
      tokens.Check("Basic YW55b25lOnJlYWRzMDEyMzQ1Njc4OWFi", Scope::kAdmin),
      Verdict::kForbidden);
  // anyone:wrong, nocolon
  EXPECT_EQ(tokens.Check("Basic YW55b25lOndyb25n", Scope::kRead),
            Verdict::kUnknown);
  EXPECT_EQ(tokens.Check("Basic bm9jb2xvbg==", Scope::kRead),
            Verdict::kMissing);
  EXPECT_EQ(tokens.Check("Basic !!!", Scope::kRead), Verdict::kMissing);
}

TEST(TokenSetTest, BadLinesAreNamedAndTokensNotShown) {
  const struct {
    const char* text;
    const char* what;
  } rows[] = {
      {"read one\nsecret-one\n", "tokens:2: a line is a scope and a token"},
      {"read a b\n", "tokens:1: a line is a scope and a token"},
      {"\n\nreader secret-two\n", "tokens:3: the scope is none of read, write"},
      {"READ secret-two\n", "tokens:1: the scope is none of"},
      {"read secret\"two\n", "tokens:1: a token has letters, digits and"},
      {"# nothing\n", "tokens: there is no token in it"},
      {"", "tokens: there is no token in it"}};
  for (const auto& row : rows) {
    const absl::Status status = TokenSet::Parse(row.text, "tokens").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.what));
    EXPECT_THAT(std::string(status.message()),
                ::testing::Not(HasSubstr("secret")));
  }
}

class TokenFileTest : public ::testing::Test {
 protected:
  TokenFileTest() : path_(::testing::TempDir() + "/tokens") {}
  ~TokenFileTest() override { unlink(path_.c_str()); }

  void Write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
  }

  const std::string path_;
};

TEST_F(TokenFileTest, IsReadAgainUnlessItIsBad) {
  Write("read first-0123456789ab\n");
  auto file = TokenFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT((*file)->warnings(), IsEmpty());
  Write("read second-0123456789a\n");
  ASSERT_TRUE((*file)->Reload().ok());
  EXPECT_EQ((*file)->Check("Bearer first-0123456789ab", Scope::kRead),
            Verdict::kUnknown);
  Write("nonsense\n");
  EXPECT_THAT(std::string((*file)->Reload().message()),
              HasSubstr(path_ + ":1: "));
  unlink(path_.c_str());
  EXPECT_EQ((*file)->Reload().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ((*file)->Check("Bearer second-0123456789a", Scope::kRead),
            Verdict::kAllowed);
}

TEST_F(TokenFileTest, WhatIsWeakIsTold) {
  Write("read short\n", 0644);
  auto file = TokenFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT((*file)->warnings(),
              ElementsAre(path_ + " can be read by everybody",
                          HasSubstr("less than 16 characters")));
}

TEST_F(TokenFileTest, MustBeThere) {
  const absl::Status missing = TokenFile::Open(path_ + ".not").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr(path_ + ".not"));
  EXPECT_FALSE(TokenFile::Open(::testing::TempDir()).ok());
}

}  // namespace
}  // namespace wallprof::serving
