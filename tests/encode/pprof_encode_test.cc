#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <protozero/pbf_reader.hpp>

#include "profiler/encode/gzip.h"
#include "profiler/encode/pprof_message.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::ElementsAre;

constexpr uint32_t kStringTable = 6;

std::vector<std::string> StringTable(const std::string& message) {
  std::vector<std::string> strings;
  protozero::pbf_reader reader(message);
  while (reader.next(kStringTable)) strings.push_back(reader.get_string());
  return strings;
}

// Fields of the message in the order in which they stand, each once.
std::vector<uint32_t> FieldsOf(const std::string& message) {
  std::vector<uint32_t> fields;
  protozero::pbf_reader reader(message);
  while (reader.next()) {
    if (fields.empty() || fields.back() != reader.tag()) {
      fields.push_back(reader.tag());
    }
    reader.skip();
  }
  return fields;
}

Profile RoundTrip(const Profile& profile) {
  absl::StatusOr<Profile> back = DecodePprof(EncodePprof(profile));
  EXPECT_TRUE(back.ok()) << back.status();
  return back.ok() ? *back : Profile();
}

TEST(EncodePprofTest, SmallProfileIsTheseBytes) {
  Profile profile = ProfileOfStacks({{"cpu", "ns"}}, {{{"f"}, {300}}});
  constexpr char kExpected[] =
      "\x0a\x04\x08\x01\x10\x02"          // sample type: strings 1 and 2
      "\x12\x05\x08\x01\x10\xac\x02"      // sample: location 1, value 300
      "\x22\x06\x08\x01\x22\x02\x08\x01"  // location 1: line in function 1
      "\x2a\x06\x08\x01\x10\x03\x18\x03"  // function 1: string 3 twice
      "\x32\x00"                          // strings: ""
      "\x32\x03"
      "cpu"
      "\x32\x02"
      "ns"
      "\x32\x01"
      "f"
      "\x5a\x04\x08\x01\x10\x02"  // period type
      "\x70\x01";                 // default sample type
  EXPECT_EQ(EncodePprofMessage(profile),
            std::string(kExpected, sizeof(kExpected) - 1));
}

TEST(EncodePprofTest, EmptyProfileHasAStringTableAndADefaultType) {
  EXPECT_EQ(EncodePprofMessage(Profile()), std::string("\x32\x00\x70\x00", 4));
}

TEST(EncodePprofTest, FieldsAndStringsAreInPprofsOrder) {
  std::string message = EncodePprofMessage(FullProfile());
  EXPECT_THAT(FieldsOf(message),
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  EXPECT_THAT(
      StringTable(message),
      ElementsAre("", "samples", "count", "cpu", "nanoseconds", "wall", "state",
                  "blocked", "tid", "thread", "worker", "bytes", "kilobytes",
                  "/bin/demo", "abc123", "/lib/libc.so.6", "def456", "main",
                  "/src/main.cc", "Wait(int)", "_Z4Waiti", "/src/wait.h",
                  "recv", "__recv", "std::.*", "std::thread.*", "pid 71",
                  "lost: none", "https://example.org/wallprof"));
}

TEST(EncodePprofTest, LabelsAreStringsThenNumbersByKey) {
  Profile profile =
      WallProfile({{{"f"},
                    {1, 0, 1},
                    {{"b", "", 2}, {"z", "1"}, {"a", "", 1}, {"y", "2"}}}});
  EXPECT_THAT(RoundTrip(profile).samples[0].labels,
              ElementsAre(Label{"y", "2"}, Label{"z", "1"}, Label{"a", "", 1},
                          Label{"b", "", 2}));
}

TEST(EncodePprofTest, EverythingComesBack) {
  Profile full = FullProfile();
  EXPECT_EQ(ProfileText(RoundTrip(full)), ProfileText(full));
}

TEST(EncodePprofTest, ExtremeNumbersComeBack) {
  Profile profile = FullProfile();
  profile.samples[0].values = {INT64_MAX, INT64_MIN, -1};
  profile.samples[1].labels = {{"n", "", INT64_MIN, "unit"}};
  profile.mappings[0].limit = UINT64_MAX;
  profile.locations[1].address = UINT64_MAX;
  profile.locations[0].lines[0] = {2, INT64_MAX, INT64_MIN};
  profile.functions[0].start_line = -1;
  profile.period = INT64_MIN;
  profile.time = absl::FromUnixNanos(INT64_MIN);
  profile.duration = absl::Nanoseconds(INT64_MIN);
  EXPECT_EQ(ProfileText(RoundTrip(profile)), ProfileText(profile));
}

TEST(EncodePprofTest, LargeIdsComeBack) {
  Profile profile = WallProfile({{{"f"}, {1, 0, 1}}});
  profile.functions[0].id = UINT64_MAX;
  profile.locations[0].id = UINT64_MAX - 1;
  profile.locations[0].lines[0].function_id = UINT64_MAX;
  profile.samples[0].location_ids = {UINT64_MAX - 1};
  EXPECT_EQ(ProfileText(RoundTrip(profile)), ProfileText(profile));
}

TEST(EncodePprofTest, NamelessSampleTypeStillCounts) {
  Profile profile = ProfileOfStacks({{"", ""}, {"", ""}}, {{{"f"}, {1, 2}}});
  EXPECT_EQ(ProfileText(RoundTrip(profile)), ProfileText(profile));
}

TEST(EncodePprofTest, LabelThatSaysNothingIsLost) {
  Profile profile = WallProfile({{{"f"}, {1, 0, 1}, {{"k"}}}});
  EXPECT_TRUE(RoundTrip(profile).samples[0].labels.empty());
}

TEST(EncodePprofTest, BytesAreGzippedAndDeterministic) {
  std::string bytes = EncodePprof(FullProfile());
  EXPECT_TRUE(IsGzip(bytes));
  EXPECT_EQ(bytes, EncodePprof(FullProfile()));
  absl::StatusOr<std::string> message = Gunzip(bytes, 1 << 20);
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(*message, EncodePprofMessage(FullProfile()));
}

}  // namespace
}  // namespace wallprof
