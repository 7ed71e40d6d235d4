#include "fleet/objects/object_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wallprof::objects {
namespace {

using ::testing::HasSubstr;

TEST(ObjectUrlTest, AmazonsOwn) {
  const auto url = ParseObjectUrl("s3://profiles");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->authority, "profiles.s3.us-east-1.amazonaws.com");
  EXPECT_EQ(url->root, "");
  EXPECT_EQ(url->region, "us-east-1");
  EXPECT_EQ(url->prefix, "");
}

TEST(ObjectUrlTest, PrefixAndRegion) {
  for (const char* text : {"s3://profiles/a/b?region=eu-north-1",
                           "s3://profiles/a/b/?region=eu-north-1"}) {
    const auto url = ParseObjectUrl(text);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(url->authority, "profiles.s3.eu-north-1.amazonaws.com");
    EXPECT_EQ(url->prefix, "a/b/");
  }
}

TEST(ObjectUrlTest, Endpoint) {
  const auto path =
      ParseObjectUrl("s3://profiles/a?endpoint=http://[::1]:9000/");
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(path->scheme, "http");
  EXPECT_EQ(path->authority, "[::1]:9000");
  EXPECT_EQ(path->root, "/profiles");
  EXPECT_EQ(path->prefix, "a/");
  const auto host =
      ParseObjectUrl("s3://profiles?endpoint=https://minio.local&style=host");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(host->authority, "profiles.minio.local");
  EXPECT_EQ(host->root, "");
}

// As others have it, whose configuration is taken over.
TEST(ObjectUrlTest, ParametersOfGocloud) {
  for (const char* text :
       {"s3://"
        "profiles?endpoint=minio:9000&disableSSL=true&s3ForcePathStyle=true",
        "s3://profiles?endpoint=minio:9000&disable_https=true&awssdk=v2"
        "&hostname_immutable=true&use_path_style=true&region=us-east-1",
        "s3://profiles?endpoint=http%3A%2F%2Fminio%3a9000"}) {
    const auto url = ParseObjectUrl(text);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(url->scheme, "http");
    EXPECT_EQ(url->authority, "minio:9000");
    EXPECT_EQ(url->root, "/profiles");
    EXPECT_EQ(url->prefix, "");
  }
  const auto host = ParseObjectUrl(
      "s3://profiles?endpoint=minio.local&use_path_style=false&prefix=a/b/");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(host->scheme, "https");
  EXPECT_EQ(host->authority, "profiles.minio.local");
  EXPECT_EQ(host->prefix, "a/b/");
}

TEST(ObjectUrlTest, ErrorsNameWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"http://bucket", "s3://"},
      {"s3://", "bucket"},
      {"s3://ab", "bucket"},
      {"s3://Profiles", "bucket"},
      {"s3://-profiles", "bucket"},
      {"s3://key:secret@profiles", "environment"},
      {"s3://profiles//a", "step"},
      {"s3://profiles/../a", "step"},
      {"s3://profiles?zone=a", "'zone'"},
      {"s3://profiles?region=", "region"},
      {"s3://profiles?region=a&region=b", "twice"},
      {"s3://profiles?style=either", "style"},
      {"gs://profiles", "Google Cloud Storage is not supported; use s3://"},
      {"azblob://profiles", "Azure Blob Storage is not supported; use s3://"},
      {"s3://profiles?endpoint=ftp://minio:9000", "http://"},
      {"s3://profiles?endpoint=a%2", "'%'"},
      {"s3://profiles?endpoint=a%zz", "'%'"},
      {"s3://profiles?disableSSL=true", "endpoint"},
      {"s3://profiles?disable_https=yes&endpoint=a", "disable_https"},
      {"s3://profiles?endpoint=a&style=host&use_path_style=true", "use_path"},
      {"s3://profiles?endpoint=https://a&disableSSL=true", "http://"},
      {"s3://profiles/a?prefix=b/", "prefix"},
      {"s3://profiles?prefix=b", "prefix"},
      {"s3://profiles?endpoint=me%3asecret%40host", "environment"},
      {"s3://profiles?endpoint=http://", "host"},
      {"s3://profiles?endpoint=http://host/path", "host"},
      {"s3://profiles?endpoint=http://me:secret@host", "environment"},
  };
  for (const auto& [text, why] : wrong) {
    const absl::Status status = ParseObjectUrl(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << text;
    EXPECT_THAT(std::string(status.message()),
                ::testing::Not(HasSubstr("secret")))
        << "URLs are logged";
  }
}

TEST(KeyTest, Valid) {
  for (const std::string& key :
       {std::string("a"), std::string("a/b.c/d=e,f g"), std::string("\xc3\xa9"),
        std::string(1024, 'k')}) {
    EXPECT_TRUE(CheckKey(key).ok()) << key;
  }
}

TEST(KeyTest, Invalid) {
  for (const std::string& key :
       {std::string(), std::string("/a"), std::string("a/"),
        std::string("a//b"), std::string("a/../b"), std::string("."),
        std::string("a\nb"), std::string("a\0b", 3), std::string(1025, 'k')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckKey(key))) << key;
  }
}

}  // namespace
}  // namespace wallprof::objects
