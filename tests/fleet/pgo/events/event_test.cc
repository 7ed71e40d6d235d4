#include "fleet/pgo/events/event.h"

#include <gtest/gtest.h>

#include <string>

namespace wallprof::pgo {
namespace {

constexpr char kMergedText[] =
    R"({"id":"e9e23fa8-9d46-4c66-9190-2f64eacd73a2",)"
    R"("timestamp":"2024-10-28T12:16:34.964Z","type":"profile.merged",)"
    R"("payload":{"app":"shop","profileKey":"shop/staging/17",)"
    R"("mergedKey":"shop/default.pgo"}})";

TEST(EventTest, IsReadAsOthersWriteIt) {
  const auto event = DecodeEvent(kMergedText);
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->id, "e9e23fa8-9d46-4c66-9190-2f64eacd73a2");
  EXPECT_EQ(event->time, absl::FromUnixMillis(1730117794964));
  EXPECT_EQ(event->type, kMerged);
  EXPECT_EQ(event->app, "shop");
  EXPECT_EQ(event->profile_key, "shop/staging/17");
  EXPECT_EQ(event->merged_key, "shop/default.pgo");
  EXPECT_EQ(EncodeEvent(*event), kMergedText);
}

TEST(EventTest, NewOnesHaveIdsOfTheirOwn) {
  const Event first = NewEvent(kDeleted, "shop");
  const Event second = NewEvent(kDeleted, "shop");
  EXPECT_EQ(first.id.size(), 36u);
  EXPECT_EQ(first.id[14], '4');
  EXPECT_NE(first.id, second.id);
  const auto read = DecodeEvent(EncodeEvent(first));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->id, first.id);
  EXPECT_EQ(read->app, "shop");
  EXPECT_LT(absl::AbsDuration(read->time - first.time), absl::Microseconds(1));
}

TEST(EventTest, OfUnknownTypesThePayloadIsNotLookedAt) {
  const auto event = DecodeEvent(
      R"({"id":"1","timestamp":"2024-10-28T12:16:34Z","type":"profile.new"})");
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->type, "profile.new");
}

TEST(EventTest, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> wrongs[] = {
      {"", "is no JSON object"},
      {"[1]", "is no JSON object"},
      {R"({"id":"1"})", "has no text 'timestamp'"},
      {R"({"id":1,"timestamp":"","type":""})", "has no text 'id'"},
      {R"({"id":"1","timestamp":"today","type":"profile.merged"})",
       "has the timestamp 'today'"},
      {R"({"id":"1","timestamp":"2024-10-28T12:16:34Z",)"
       R"("type":"profile.uploaded"})",
       "has no payload"},
      {R"({"id":"1","timestamp":"2024-10-28T12:16:34Z",)"
       R"("type":"profile.uploaded","payload":{"app":"shop"}})",
       "has no text 'profileKey'"},
      {R"({"id":"1","timestamp":"2024-10-28T12:16:34Z",)"
       R"("type":"profile.merged","payload":{"app":"a","profileKey":"k"}})",
       "has no text 'mergedKey'"},
      {R"({"id":"1","timestamp":"2024-10-28T12:16:34Z",)"
       R"("type":"profile.deleted","payload":{}})",
       "has no text 'app'"},
  };
  for (const auto& [text, what] : wrongs) {
    const auto event = DecodeEvent(text);
    EXPECT_EQ(event.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(event.status().message().find(what), std::string::npos)
        << text << ": " << event.status();
  }
}

}  // namespace
}  // namespace wallprof::pgo
