// How names become paths, and zips.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "fleet/bundle/escape.h"
#include "fleet/bundle/identity.h"
#include "fleet/bundle/zip_writer.h"
#include "tests/fleet/bundle/checked_entries.h"
#include "wallprof/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace wallprof::bundle {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;

TEST(PathEscapeTest, IsThatOfGo) {
  EXPECT_EQ(PathEscape("plain-_.~09AZ"), "plain-_.~09AZ");
  EXPECT_EQ(PathEscape("$&+=:@"), "$&+=:@");
  EXPECT_EQ(PathEscape("a/b c%;,?#\"'<>[]^`{|}!*()"),
            "a%2Fb%20c%25%3B%2C%3F%23%22%27%3C%3E%5B%5D%5E%60%7B%7C%7D%21%2A"
            "%28%29");
  EXPECT_EQ(PathEscape(std::string("\0\n\xc3\xa9", 4)), "%00%0A%C3%A9");
  EXPECT_EQ(PathEscape(""), "");
}

TEST(PathEscapeTest, LeadsNowhereElse) {
  EXPECT_EQ(PathEscape("."), "%2E");
  EXPECT_EQ(PathEscape(".."), "%2E%2E");
  EXPECT_EQ(PathEscape("..."), "...");
  EXPECT_EQ(PathEscape("../../etc/passwd"), "..%2F..%2Fetc%2Fpasswd");
}

TEST(FileNameEscapeTest, FitsAFileName) {
  EXPECT_EQ(FileNameEscape(""), "-");
  EXPECT_EQ(FileNameEscape("a b"), "a%20b");
  const std::string longest = FileNameEscape(std::string(200, 'x'));
  EXPECT_EQ(longest, std::string(200, 'x'));
  for (const size_t size : {67u, 68u, 201u, 4000u}) {
    const std::string name = FileNameEscape(std::string(size, '/'));
    EXPECT_LE(name.size(), 200u);
    EXPECT_THAT(name, MatchesRegex("(%2F)+~[0-9a-f]{8}"));
  }
  EXPECT_NE(FileNameEscape(std::string(300, 'x') + "1"),
            FileNameEscape(std::string(300, 'x') + "2"));
}

TEST(BundleKeyTest, SaysWhereAndWhen) {
  BundleIdentity identity;
  identity.program = "example.com/cmd/search";
  identity.host = "web 1";
  identity.process = "1-0-0-7";
  EXPECT_EQ(BundleKey(identity, absl::FromUnixMillis(1767323045678)),
            "example.com%2Fcmd%2Fsearch/web%201/1-0-0-7/"
            "2026-01-02T03:04:05.678Z.zip");
}

TEST(IdentityTest, IsThisProcess) {
  const BundleIdentity identity = CurrentIdentity();
  EXPECT_EQ(identity.program,
            std::filesystem::read_symlink("/proc/self/exe").filename());
  EXPECT_THAT(identity.build_id, MatchesRegex("([0-9a-f]{40})?"));
  EXPECT_EQ(identity.host, HostName());
  EXPECT_TRUE(IsProcessId(identity.process)) << identity.process;
  EXPECT_EQ(identity.process, CurrentIdentity().process) << "each time";
  EXPECT_LE(identity.start, absl::Now());
  EXPECT_GT(identity.start, absl::Now() - absl::Hours(1));
}

TEST(ProcessIdTest, HasTheFormOfAutoprof) {
  const absl::Time start = absl::FromUnixSeconds(0x1234abcd);
  const std::string id = MakeProcessId(start, 77);
  EXPECT_THAT(id, MatchesRegex("1-1234abcd-[0-9a-f]{24}-77"));
  EXPECT_TRUE(IsProcessId(id));
  EXPECT_NE(id, MakeProcessId(start, 77)) << "of another process";
  for (const char* other :
       {"", "..", "1-1234abcd-00-77", "2-1234abcd-000000000000000000000000-7",
        "1-1234ABCD-000000000000000000000000-7",
        "1-1234abcd-000000000000000000000000-",
        "1-1234abcd-000000000000000000000000-7x",
        "1-1234abcd-000000000000000000000000-7-8"}) {
    EXPECT_FALSE(IsProcessId(other)) << other;
  }
}

TEST(ZipWriterTest, ListsTheLastFirst) {
  std::string bytes;
  const BundleSink sink = [&bytes](std::string_view more) {
    bytes.append(more);
    return absl::OkStatus();
  };
  ZipWriter zip(sink);
  const std::string binary("\0\xff\n", 3);
  ASSERT_EQ(zip.Add("one", binary), absl::OkStatus());
  ASSERT_EQ(zip.Add("empty", ""), absl::OkStatus());
  ASSERT_EQ(zip.Add("meta", "{}"), absl::OkStatus());
  ASSERT_EQ(zip.FinishLastFirst(), absl::OkStatus());
  EXPECT_EQ(zip.bytes(), static_cast<int64_t>(bytes.size()));
  EXPECT_THAT(ReadZip(bytes),
              ElementsAre(std::pair("meta", "{}"), std::pair("one", binary),
                          std::pair("empty", "")));
}

TEST(ZipWriterTest, RefusesWhatDoesNotFit) {
  const BundleSink sink = [](std::string_view) { return absl::OkStatus(); };
  ZipWriter zip(sink);
  EXPECT_FALSE(zip.CheckFits("big", size_t{1} << 32).ok());
  EXPECT_FALSE(zip.CheckFits(std::string(1 << 16, 'x'), 0).ok());
  EXPECT_TRUE(zip.CheckFits("", (size_t{1} << 32) - 200).ok());
  for (int i = 0; i < std::numeric_limits<uint16_t>::max() - 1; ++i) {
    ASSERT_EQ(zip.Add("", ""), absl::OkStatus());
  }
  EXPECT_EQ(zip.Add("", "").code(), absl::StatusCode::kResourceExhausted);
}

// Names that lead elsewhere, or look like something else, as a fuzzer has them.
TEST(ZipNamesFuzzTest, CorpusHolds) {
  int inputs = 0;
  for (const auto& file : std::filesystem::directory_iterator(CORPUS)) {
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(LLVMFuzzerTestOneInput(
                  reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
              0);
    ++inputs;
  }
  EXPECT_GE(inputs, 3);
}

}  // namespace
}  // namespace wallprof::bundle
