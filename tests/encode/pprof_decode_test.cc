#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <protozero/pbf_writer.hpp>

#include "profiler/encode/gzip.h"
#include "profiler/encode/pprof_message.h"
#include "tests/profile/profile_text.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using protozero::pbf_writer;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr size_t kPlenty = 1 << 24;

// What a test writes in front of a full profile's message, behind it, or
// alone.
std::string Written(const std::function<void(pbf_writer&)>& write) {
  std::string bytes;
  pbf_writer writer(bytes);
  write(writer);
  return bytes;
}

std::string Full() { return EncodePprofMessage(FullProfile()); }

void ExpectRefused(std::string_view bytes, const std::string& words) {
  absl::Status status = DecodePprof(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), words);
}

TEST(DecodePprofTest, ReadsRawGzippedAndSplitIntoMembers) {
  std::string message = Full();
  std::string halves = Gzip(message.substr(0, 99)) + Gzip(message.substr(99));
  for (const std::string& bytes : {message, Gzip(message), halves}) {
    absl::StatusOr<Profile> profile = DecodePprof(bytes);
    ASSERT_TRUE(profile.ok()) << profile.status();
    EXPECT_EQ(ProfileText(*profile), ProfileText(FullProfile()));
  }
}

TEST(DecodePprofTest, EmptyInputIsRefused) {
  ExpectRefused("", "parsing profile: empty input file");
  ExpectRefused(Gzip(""), "parsing profile: empty input file");
}

TEST(DecodePprofTest, DamagedGzipIsRefused) {
  std::string bytes = EncodePprof(FullProfile());
  ExpectRefused(bytes.substr(0, bytes.size() / 2),
                "decompressing profile: unexpected EOF");
  bytes[bytes.size() - 6] ^= 1;
  ExpectRefused(bytes, "decompressing profile: gzip: incorrect data check");
}

TEST(DecodePprofTest, ConcatenatedProfilesAreRefused) {
  ExpectRefused(Full() + Full(),
                "parsing profile: concatenated profiles detected");
}

TEST(DecodePprofTest, TruncatedMessageIsRefusedOrMalformed) {
  std::string message = Full();
  for (size_t size = 1; size < message.size(); ++size) {
    absl::StatusOr<Profile> profile =
        DecodePprof(std::string_view(message).substr(0, size));
    // Cut between two fields of the header it is a shorter, valid profile.
    if (profile.ok()) {
      EXPECT_EQ(profile->samples.size(), 2);
    } else {
      EXPECT_EQ(profile.status().code(), absl::StatusCode::kInvalidArgument);
    }
  }
}

TEST(DecodePprofTest, StringZeroMustBeEmpty) {
  ExpectRefused(
      Written([](pbf_writer& w) { w.add_string(6, "x"); }),
      "parsing profile: unrecognized profile format: string_table[0] must be "
      "''");
}

TEST(DecodePprofTest, MissingStringTableIsRefused) {
  ExpectRefused(Written([](pbf_writer& w) { w.add_int64(12, 1); }),
                "parsing profile: unrecognized profile format: no string "
                "table");
}

TEST(DecodePprofTest, StringOutOfRangeIsRefused) {
  for (uint64_t index : {uint64_t{1}, UINT64_MAX}) {
    ExpectRefused(Written([&](pbf_writer& w) {
                    w.add_string(6, "");
                    w.add_uint64(14, index);
                  }),
                  "parsing profile: unrecognized profile format: string " +
                      std::to_string(index) + " of 1");
  }
}

TEST(DecodePprofTest, WrongWireTypeIsRefused) {
  std::string mismatch =
      "parsing profile: unrecognized profile format: type mismatch";
  ExpectRefused(
      Full() + Written([](pbf_writer& w) { w.add_string(12, "period"); }),
      mismatch);
  ExpectRefused(Full() + Written([](pbf_writer& w) { w.add_int64(2, 1); }),
                mismatch);
  ExpectRefused(Full() + Written([](pbf_writer& w) { w.add_fixed64(13, 1); }),
                mismatch);
}

TEST(DecodePprofTest, BrokenProtobufIsRefused) {
  for (std::string_view tail :
       {"\x0b", "\x0f", "\x60", "\x60\x80", "\x12\x05\x08",
        "\x60\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}) {
    absl::Status status = DecodePprof(Full() + std::string(tail)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("parsing profile: unrecognized profile format: "));
  }
}

TEST(DecodePprofTest, InvalidProfileIsMalformed) {
  ExpectRefused(Full() + Written([](pbf_writer& w) {
                  pbf_writer sample(w, 2);
                  sample.add_int64(2, 1);
                }),
                "malformed profile: mismatch: sample has 1 values vs. 3 types");
}

TEST(DecodePprofTest, UnknownFieldsAreSkipped) {
  std::string unknown = Written([](pbf_writer& w) {
    w.add_string(99, "later");
    w.add_int64(100, 7);
    w.add_fixed32(101, 7);
    w.add_fixed64(102, 7);
  });
  absl::StatusOr<Profile> profile = DecodePprof(unknown + Full() + unknown);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(ProfileText(*profile), ProfileText(FullProfile()));
}

TEST(DecodePprofTest, NumbersMayBePackedOrNot) {
  absl::StatusOr<Profile> profile = DecodePprof(Written([](pbf_writer& w) {
    for (int i = 0; i < 3; ++i) {
      pbf_writer type(w, 1);
      type.add_int64(1, 1);
    }
    {
      std::vector<int64_t> values = {4, 5};
      pbf_writer sample(w, 2);
      sample.add_int64(2, 3);
      sample.add_packed_int64(2, values.begin(), values.end());
    }
    w.add_string(6, "");
    w.add_string(6, "x");
    w.add_int64(13, 1);
  }));
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_THAT(profile->samples[0].values, ElementsAre(3, 4, 5));
  EXPECT_THAT(profile->comments, ElementsAre("x"));
}

TEST(DecodePprofTest, LocationInAnUnknownMappingIsInNone) {
  Profile profile = FullProfile();
  profile.locations[0].mapping_id = 9;
  absl::StatusOr<Profile> decoded = DecodePprof(EncodePprofMessage(profile));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->locations[0].mapping_id, 0);
  EXPECT_EQ(decoded->locations[1].mapping_id, 2);
}

TEST(DecodePprofTest, LabelIsAStringOrANumber) {
  Profile profile =
      WallProfile({{{"f"}, {1, 0, 1}, {{"k", "text", 7, "bytes"}}}});
  std::string message = EncodePprofMessage(profile);
  absl::StatusOr<Profile> decoded = DecodePprof(message);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_THAT(decoded->samples[0].labels, ElementsAre(Label{"k", "text"}));
}

TEST(DecodePprofTest, ManySmallMessagesCannotFillMemory) {
  std::string message = Written([](pbf_writer& w) {
    w.add_string(6, "");
    for (int i = 0; i < 10'000; ++i) w.add_message(5, "", 0);
  });
  ASSERT_LT(message.size(), 30'000);
  EXPECT_EQ(DecodePprofMessage(message, 100'000).status(),
            absl::InvalidArgumentError(
                "parsing profile: more than 100000 bytes in memory"));
}

TEST(DecodePprofTest, OneLongStringNamedOftenCannotFillMemory) {
  std::string message = Written([](pbf_writer& w) {
    w.add_string(6, "");
    w.add_string(6, std::string(10'000, 'x'));
    for (int i = 1; i <= 5'000; ++i) {
      pbf_writer function(w, 5);
      function.add_uint64(1, i);
      function.add_int64(2, 1);
    }
  });
  ASSERT_LT(message.size(), 50'000);
  EXPECT_FALSE(DecodePprofMessage(message, kPlenty).ok());
  EXPECT_TRUE(DecodePprofMessage(message, size_t{1} << 26).ok());
}

TEST(DecodePprofTest, ManyEmptyStringsCannotFillMemory) {
  std::string message = Written([](pbf_writer& w) {
    for (int i = 0; i < 10'000; ++i) w.add_string(6, "");
  });
  EXPECT_FALSE(DecodePprofMessage(message, 100'000).ok());
}

}  // namespace
}  // namespace wallprof
