#include "fleet/objects/s3_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <limits>
#include <thread>

#include "tests/fleet/objects/scripted_store.h"

namespace wallprof::objects {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kMany = 1 << 20;

std::string ErrorBody(const std::string& code) {
  return "<Error><Code>" + code + "</Code><Message>Said so.</Message></Error>";
}

std::string ListingBody(const std::vector<std::string>& keys, bool truncated) {
  std::string xml = "<ListBucketResult><IsTruncated>";
  xml.append(truncated ? "true" : "false").append("</IsTruncated>");
  for (const std::string& key : keys) {
    xml += "<Contents><Key>" + key +
           "</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
           "<Size>1</Size></Contents>";
  }
  return xml + "</ListBucketResult>";
}

class S3StoreTest : public ::testing::Test {
 protected:
  S3StoreTest() { Open(""); }

  void Open(const std::string& prefix) {
    const auto url = ParseObjectUrl("s3://profiles" + prefix +
                                    "?endpoint=" + server_.endpoint());
    ObjectStoreOptions options;
    options.stall = absl::Seconds(1);
    options.cancelled = [this] { return cancelled_.load(); };
    store_ = std::make_unique<S3Store>(*url, Credentials{"id", "secret", ""},
                                       options,
                                       Clock{[this] { return now_; },
                                             [this](absl::Duration duration) {
                                               now_ += duration;
                                               slept_.push_back(duration);
                                             }});
  }

  absl::Status PutWhileItAnswers(std::vector<ScriptedStore::Answer> answers) {
    server_.Script(std::move(answers));
    return store_->Put("key", "bytes");
  }

  ScriptedStore server_;
  std::atomic<bool> cancelled_{false};
  absl::Time now_ = absl::FromUnixSeconds(1'767'323'045);
  std::vector<absl::Duration> slept_;
  std::unique_ptr<S3Store> store_;
};

TEST_F(S3StoreTest, PutSendsTheBytesSigned) {
  const std::string bytes("a\0b\r\n", 5);
  ASSERT_TRUE(store_->Put("a b/c+d", bytes).ok());
  const auto asked = server_.asked();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].method, "PUT");
  EXPECT_EQ(asked[0].target, "/profiles/a%20b/c%2Bd");
  EXPECT_EQ(asked[0].body, bytes);
  EXPECT_EQ(asked[0].headers.find("x-amz-content-sha256")->second,
            Sha256Hex(bytes));
  EXPECT_EQ(asked[0].headers.count("Expect"), 0u);
  EXPECT_THAT(asked[0].headers.find("authorization")->second,
              HasSubstr("Credential=id/20260102/us-east-1/s3/"));
}

TEST_F(S3StoreTest, ObjectsMayBeEmptyAndLarge) {
  for (const size_t size : {size_t{0}, size_t{3'000'000}}) {
    const std::string bytes(size, 'x');
    ASSERT_TRUE(store_->Put("key", bytes).ok());
    EXPECT_EQ(server_.asked().back().body.size(), size);
  }
}

TEST_F(S3StoreTest, KeysThatCannotBeAreNotAsked) {
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Put("", "")));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Get("a/../b", 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->Delete("/a")));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->List("", "", 0).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store_->List("", "", 1001).status()));
  EXPECT_TRUE(server_.asked().empty());
}

TEST_F(S3StoreTest, GetHasABound) {
  server_.Script({{200, "12345"}, {200, "12345"}});
  EXPECT_EQ(store_->Get("key", 5).value(), "12345");
  const absl::Status status = store_->Get("key", 4).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(server_.asked().size(), 2u) << "not tried again";
}

TEST_F(S3StoreTest, GetRangeIsSignedAndChecked) {
  server_.Script({{206, "345", {{"Content-Range", "bytes 2-4/9"}}}});
  EXPECT_EQ(store_->GetRange("key", 2, 3).value(), "345");
  const auto asked = server_.asked();
  EXPECT_EQ(asked[0].headers.find("range")->second, "bytes=2-4");
  EXPECT_THAT(asked[0].headers.find("authorization")->second,
              HasSubstr("SignedHeaders=host;range;x-amz-"));
  server_.Script({{206, "123", {{"Content-Range", "bytes 0-2/9"}}},
                  {206, "345", {}},
                  {416, ErrorBody("InvalidRange"), {}},
                  {404, ErrorBody("NoSuchKey"), {}}});
  for (const absl::StatusCode code :
       {absl::StatusCode::kDataLoss, absl::StatusCode::kDataLoss,
        absl::StatusCode::kOutOfRange, absl::StatusCode::kNotFound}) {
    EXPECT_EQ(store_->GetRange("key", 2, 3).status().code(), code);
  }
  EXPECT_EQ(server_.asked().size(), 5u) << "none was tried again";
}

TEST_F(S3StoreTest, RangesThatCannotBeAreNotAsked) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const auto& [offset, bytes] :
       {std::pair<int64_t, int64_t>{-1, 1}, {0, 0}, {0, -1}, {1, kMax}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        store_->GetRange("key", offset, bytes).status()))
        << offset << " " << bytes;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(store_->GetRange("", 0, 1).status()));
  EXPECT_TRUE(server_.asked().empty());
}

TEST_F(S3StoreTest, WhatIsNotThere) {
  server_.Script(
      {{404, ErrorBody("NoSuchKey")}, {404, ErrorBody("NoSuchKey")}});
  EXPECT_TRUE(absl::IsNotFound(store_->Get("key", 1).status()));
  EXPECT_TRUE(store_->Delete("key").ok());
}

TEST_F(S3StoreTest, WhatPassesIsTriedAgain) {
  EXPECT_TRUE(
      PutWhileItAnswers(
          {{500, ""}, {503, ErrorBody("SlowDown")}, {429, ""}, {200, ""}})
          .ok());
  EXPECT_THAT(slept_,
              ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200),
                          absl::Milliseconds(400)));
  EXPECT_EQ(server_.asked().back().body, "bytes") << "whole each time";
}

TEST_F(S3StoreTest, UntilPatienceEnds) {
  const absl::Time start = now_;
  const absl::Status status = PutWhileItAnswers(
      std::vector<ScriptedStore::Answer>(100, {503, ErrorBody("SlowDown")}));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr("PUT http://127.0.0.1:"), HasSubstr("/profiles/key"),
            HasSubstr("503, SlowDown: Said so.")));
  EXPECT_LE(now_ - start, absl::Seconds(30));
  EXPECT_GT(now_ - start, absl::Seconds(20));
}

TEST_F(S3StoreTest, WhatDoesNotPassIsAnErrorAtOnce) {
  const std::pair<int, absl::StatusCode> errors[] = {
      {400, absl::StatusCode::kFailedPrecondition},
      {403, absl::StatusCode::kPermissionDenied},
      {301, absl::StatusCode::kFailedPrecondition},
      {501, absl::StatusCode::kFailedPrecondition},
      {507, absl::StatusCode::kResourceExhausted}};
  for (const auto& [status, code] : errors) {
    EXPECT_EQ(PutWhileItAnswers({{status, "<html>"}}).code(), code) << status;
  }
  EXPECT_EQ(server_.asked().size(), std::size(errors));
}

TEST_F(S3StoreTest, ErrorsAreOneLine) {
  const absl::Status status =
      PutWhileItAnswers({{403, ErrorBody("Access\n\x1b[31mDenied")}});
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  EXPECT_EQ(status.message().find('\x1b'), std::string::npos);
}

TEST_F(S3StoreTest, ClockThatIsOffIsSetByTheStores) {
  ASSERT_TRUE(PutWhileItAnswers({{403,
                                  ErrorBody("RequestTimeTooSkewed"),
                                  {{"Date", "Fri, 02 Jan 2026 05:00:00 GMT"}}}})
                  .ok());
  EXPECT_EQ(server_.asked().back().headers.find("x-amz-date")->second,
            "20260102T050000Z");
  ASSERT_TRUE(store_->Put("key", "").ok());
  EXPECT_EQ(server_.asked().back().headers.find("x-amz-date")->second,
            "20260102T050000Z")
      << "remembered";
}

TEST_F(S3StoreTest, ClockThatStaysOffIsAnError) {
  const ScriptedStore::Answer skewed = {
      403,
      ErrorBody("RequestTimeTooSkewed"),
      {{"Date", "Fri, 02 Jan 2026 05:00:00 GMT"}}};
  EXPECT_TRUE(absl::IsPermissionDenied(PutWhileItAnswers({skewed, skewed})));
  EXPECT_EQ(server_.asked().size(), 2u);
}

TEST_F(S3StoreTest, ListGoesOnWhereAnAnswerEnded) {
  server_.Script({{200, ListingBody({"a", "b"}, true)},
                  {200, ListingBody({"c"}, true)},
                  {200, ListingBody({"d"}, false)}});
  const auto found = store_->List("", "", 10);
  ASSERT_TRUE(found.ok()) << found.status();
  std::vector<std::string> keys;
  for (const ObjectInfo& object : *found) keys.push_back(object.key);
  EXPECT_THAT(keys, ElementsAre("a", "b", "c", "d"));
  std::vector<std::string> targets;
  for (const auto& asked : server_.asked()) targets.push_back(asked.target);
  EXPECT_THAT(
      targets,
      ElementsAre("/profiles?list-type=2&max-keys=10&prefix=",
                  "/profiles?list-type=2&max-keys=8&prefix=&start-after=b",
                  "/profiles?list-type=2&max-keys=7&prefix=&start-after=c"));
}

TEST_F(S3StoreTest, PrefixOfTheUrlIsNotPartOfKeys) {
  Open("/prod");
  server_.Script({{200, ""}, {200, ListingBody({"prod/a/1"}, false)}});
  ASSERT_TRUE(store_->Put("a/1", "").ok());
  EXPECT_EQ(server_.asked()[0].target, "/profiles/prod/a/1");
  const auto found = store_->List("a/", "a/0", 5);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->at(0).key, "a/1");
  EXPECT_EQ(server_.asked()[1].target,
            "/profiles?list-type=2&max-keys=5&prefix=prod%2Fa%2F&"
            "start-after=prod%2Fa%2F0");
}

TEST_F(S3StoreTest, ListingOfSomethingElseIsAnError) {
  Open("/prod");
  server_.Script({{200, ListingBody({"test/a"}, false)},
                  {200, "no listing"},
                  {200, ListingBody({"prod/b", "prod/a"}, false)}});
  for (int i = 0; i < 3; ++i) {
    const absl::Status status = store_->List("", "", 5).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  }
}

TEST_F(S3StoreTest, NobodyListens) {
  const auto url = ParseObjectUrl("s3://profiles?endpoint=http://127.0.0.1:1");
  S3Store store(*url, {"id", "secret", ""}, {},
                {[this] { return now_; },
                 [this](absl::Duration duration) { now_ += duration; }});
  const absl::Status status = store.Put("key", "bytes");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("http://127.0.0.1:1"));
}

TEST_F(S3StoreTest, CancelledWhileItWaits) {
  server_.Script(std::vector<ScriptedStore::Answer>(100, {503, ""}));
  cancelled_ = true;
  EXPECT_TRUE(absl::IsCancelled(store_->Put("key", "bytes")));
  EXPECT_LE(server_.asked().size(), 1u);
}

TEST_F(S3StoreTest, ManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> kept{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) {
        kept += store_->Put(std::to_string(i), std::string(1000, 'x')).ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(kept, 160);
  EXPECT_EQ(server_.asked().size(), 160u);
}

// --- opening -----------------------------------------------------------------

TEST(OpenObjectStoreTest, CredentialsAreTheEnvironments) {
  unsetenv("AWS_ACCESS_KEY_ID");
  unsetenv("AWS_SECRET_ACCESS_KEY");
  const absl::Status without = OpenObjectStore("s3://profiles").status();
  EXPECT_TRUE(absl::IsFailedPrecondition(without)) << without;
  EXPECT_THAT(std::string(without.message()), HasSubstr("AWS_ACCESS_KEY_ID"));
  setenv("AWS_ACCESS_KEY_ID", "id", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
  EXPECT_TRUE(OpenObjectStore("s3://profiles").ok());
  EXPECT_TRUE(absl::IsInvalidArgument(OpenObjectStore("ftp://a").status()));
}

}  // namespace
}  // namespace wallprof::objects
