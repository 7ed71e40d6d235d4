#include "fleet/objects/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wallprof::objects {
namespace {

using ::testing::HasSubstr;

std::string ListingOf(const std::string& contents) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
         contents + "</ListBucketResult>";
}

constexpr char kObject[] =
    "<Contents><Key>a/b &amp; c</Key><LastModified>2026-01-02T03:04:05.678Z"
    "</LastModified><ETag>\"x\"</ETag><Size>5</Size></Contents>";

TEST(ListingTest, Objects) {
  const auto listing = ParseListing(
      ListingOf(std::string("<IsTruncated>true</IsTruncated>") + kObject));
  ASSERT_TRUE(listing.ok()) << listing.status();
  ASSERT_EQ(listing->objects.size(), 1u);
  EXPECT_EQ(listing->objects[0].key, "a/b & c");
  EXPECT_EQ(listing->objects[0].bytes, 5);
  EXPECT_EQ(listing->objects[0].modified, absl::FromUnixMillis(1767323045678));
  EXPECT_TRUE(listing->truncated);
}

TEST(ListingTest, None) {
  const auto listing = ParseListing(ListingOf(""));
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_TRUE(listing->objects.empty());
  EXPECT_FALSE(listing->truncated);
}

TEST(ListingTest, ErrorsSayWhatIsWrong) {
  const std::pair<std::string, const char*> wrong[] = {
      {"", "no XML"},
      {"<html>", "no XML"},
      {"<html></html>", "no listing"},
      {ListingOf("<Contents><Size>5</Size></Contents>"), "without a key"},
      {ListingOf("<Contents><Key>k</Key><Size>many</Size></Contents>"),
       "'many'"},
      {ListingOf("<Contents><Key>k</Key><Size>-1</Size></Contents>"), "size"},
      {ListingOf("<Contents><Key>k</Key><Size>1</Size></Contents>"),
       "time of k"},
  };
  for (const auto& [xml, why] : wrong) {
    const absl::Status status = ParseListing(xml).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << xml;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << xml;
  }
}

TEST(StoreErrorTest, CodeAndMessage) {
  const auto error = ParseStoreError(
      "<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, "NoSuchKey");
  EXPECT_EQ(error->message, "There is none.");
  EXPECT_FALSE(ParseStoreError("").has_value());
  EXPECT_FALSE(ParseStoreError("<html></html>").has_value());
}

}  // namespace
}  // namespace wallprof::objects
