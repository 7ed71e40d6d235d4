#include "fleet/pgo/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fleet/objects/scripted_store.h"

namespace wallprof::pgo {
namespace {

using ::testing::HasSubstr;

using Answer = objects::ScriptedStore::Answer;

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() { options_.api_url = server_.endpoint(); }

  Client& client() {
    if (client_ == nullptr) client_ = Client::Create(options_).value();
    return *client_;
  }

  objects::ScriptedStore::Asked LastAsked() {
    const auto asked = server_.asked();
    EXPECT_FALSE(asked.empty());
    return asked.empty() ? objects::ScriptedStore::Asked() : asked.back();
  }

  static std::string HeaderOf(const objects::ScriptedStore::Asked& asked,
                              const std::string& name) {
    const auto found = asked.headers.find(name);
    return found == asked.headers.end() ? "none" : found->second;
  }

  objects::ScriptedStore server_;
  ClientOptions options_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, UploadsWithVersionIdAndToken) {
  options_.token = [] { return "secret"; };
  server_.Script({{201, R"({"key":"shop/staging/17"})", {}}});
  EXPECT_EQ(client().Upload("shop", "bytes", "v 1.2+b&c", 17).value(),
            "shop/staging/17");
  const auto asked = LastAsked();
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.target, "/api/profile/shop?version=v%201.2%2Bb%26c");
  EXPECT_EQ(asked.body, "bytes");
  EXPECT_EQ(HeaderOf(asked, "Idempotency-Key"), "17");
  EXPECT_EQ(HeaderOf(asked, "Authorization"), "Bearer secret");
}

TEST_F(ClientTest, ChecksWhetherAServerAnswers) {
  server_.Script({{200, "{}", {}}, {503, "ending", {}}});
  EXPECT_TRUE(client().Check().ok());
  EXPECT_EQ(LastAsked().target, "/api/ready");
  EXPECT_THAT(client().Check().message(), HasSubstr("status 503: ending"));
}

TEST_F(ClientTest, SendsNoMoreThanItIsGiven) {
  options_.token = [] { return ""; };
  server_.Script({{201, R"({"key":"shop/staging/17"})", {}}});
  ASSERT_TRUE(client().Upload("shop", "bytes").ok());
  const auto asked = LastAsked();
  EXPECT_EQ(asked.target, "/api/profile/shop");
  EXPECT_EQ(HeaderOf(asked, "Idempotency-Key"), "none");
  EXPECT_EQ(HeaderOf(asked, "Authorization"), "none");
}

TEST_F(ClientTest, KeepsThePathBeforeTheApi) {
  options_.api_url += "/builds/profiles/";
  server_.Script({{200, "base", {}}});
  EXPECT_EQ(client().Download("shop").value(), "base");
  EXPECT_EQ(LastAsked().method, "GET");
  EXPECT_EQ(LastAsked().target, "/builds/profiles/api/profile/shop");
}

TEST_F(ClientTest, Lists) {
  server_.Script(
      {{200,
        R"({"profiles":[{"key":"a","size":7,)"
        R"("lastModified":"2026-01-02T03:04:05.5Z"},)"
        R"({"key":"b","size":8,"lastModified":"2026-01-02T03:04:05+01:00"}]})",
        {}}});
  const auto list = client().List();
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ(list->front().app, "a");
  EXPECT_EQ(list->front().bytes, 7);
  EXPECT_EQ(list->front().modified, absl::FromUnixMillis(1767323045500));
  EXPECT_EQ(list->back().modified, absl::FromUnixSeconds(1767319445));
  EXPECT_EQ(LastAsked().target, "/api/profile");
}

TEST_F(ClientTest, Deletes) {
  server_.Script({{200, "{}", {}}});
  EXPECT_TRUE(client().Delete("shop").ok());
  EXPECT_EQ(LastAsked().method, "DELETE");
  EXPECT_EQ(LastAsked().target, "/api/profile/shop");
}

TEST_F(ClientTest, GivesTheServersWordsAndWhatTheyMean) {
  const std::pair<int, absl::StatusCode> cases[] = {
      {400, absl::StatusCode::kInvalidArgument},
      {401, absl::StatusCode::kPermissionDenied},
      {403, absl::StatusCode::kPermissionDenied},
      {404, absl::StatusCode::kNotFound},
      {413, absl::StatusCode::kOutOfRange},
      {429, absl::StatusCode::kUnavailable},
      {500, absl::StatusCode::kUnavailable},
      {503, absl::StatusCode::kUnavailable},
      {507, absl::StatusCode::kUnavailable}};
  for (const auto& [code, expected] : cases) {
    server_.Script({{code, R"({"message":"it said\n so","code":1})", {}}});
    const absl::Status status = client().Download("shop").status();
    EXPECT_EQ(status.code(), expected) << code;
    EXPECT_EQ(status.message(), server_.endpoint() + ": it said  so");
  }
}

TEST_F(ClientTest, SaysWhatAnotherServerAnswers) {
  server_.Script({{502, "<h1>Bad\tGateway</h1>", {}}});
  EXPECT_THAT(std::string(client().Download("shop").status().message()),
              HasSubstr("status 502: <h1>Bad Gateway</h1>"));
}

TEST_F(ClientTest, TakesNoOtherAnswers) {
  const char* bodies[] = {
      "",
      "[]",
      "hello",
      "{}",
      R"({"profiles":{}})",
      R"({"profiles":[1]})",
      R"({"profiles":[{"key":"a","size":"7","lastModified":"x"}]})",
      R"({"profiles":[{"key":"a","size":7,"lastModified":"yesterday"}]})"};
  for (const char* body : bodies) {
    server_.Script({{200, body, {}}});
    const absl::Status status = client().List().status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << body << ": " << status;
  }
  for (const char* body : {"", "{}", R"({"key":1})"}) {
    server_.Script({{201, body, {}}});
    const absl::Status status = client().Upload("shop", "bytes").status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << body << ": " << status;
  }
}

TEST_F(ClientTest, NoServerIsUnavailable) {
  options_.api_url = "http://127.0.0.1:1";
  const absl::Status status = client().Delete("shop");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("http://127.0.0.1:1: "));
}

TEST_F(ClientTest, IsCancelled) {
  options_.cancelled = [] { return true; };
  EXPECT_FALSE(client().Download("shop").ok());
}

TEST(ApiUrlTest, SaysWhatIsWrong) {
  for (const char* good :
       {"http://localhost:8080", "https://h/a/b/", "http://[::1]:8080"}) {
    EXPECT_TRUE(CheckApiUrl(good).ok()) << good;
  }
  const std::pair<const char*, const char*> bad[] = {
      {"localhost:8080", "must begin with http:// or https://"},
      {"ftp://h", "must begin with http:// or https://"},
      {"", "must begin with http:// or https://"},
      {"http://", "has no host"},
      {"http:///a", "has no host"},
      {"http://h?a=b", "no more"},
      {"http://h/#a", "no more"},
      {"http://h/a b", "no more"},
      {"http://h/a\nb", "no more"}};
  for (const auto& [url, words] : bad) {
    const absl::Status status = Client::Create({url}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << url;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }
  const absl::Status secret = CheckApiUrl("http://me:hush@h");
  EXPECT_EQ(secret.message(),
            "a password does not belong into a URL; give a token");
}

}  // namespace
}  // namespace wallprof::pgo
