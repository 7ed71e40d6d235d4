#include "fleet/pgo/export/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "profiler/symbolize/elf_image.h"
#include "tests/encode/shell.h"
#include "tests/fleet/pgo/profile/cpu_profiles.h"
#include "tests/profile/profile_text.h"
#include "tests/symbolize/binutils.h"
#include "wallprof/formats.h"

namespace wallprof::pgo {
namespace {

using ::testing::HasSubstr;

// Three samples in one function of the subject, which has no debug information.
Profile OfSubject() {
  Profile profile = CpuProfile({{{"main"}, {3, 30'000'000}}});
  Mapping mapping;
  mapping.id = 1;
  mapping.start = 0x7f0000000000;
  mapping.limit = mapping.start + 0x100000;
  mapping.filename = SUBJECT;
  mapping.build_id = (*symbolize::ElfImage::Open(SUBJECT))->BuildId();
  profile.mappings = {mapping};
  profile.locations[0].mapping_id = 1;
  profile.locations[0].address =
      mapping.start + symbolize::NmAddress(SUBJECT, "wp_plain");
  return profile;
}

absl::StatusOr<Exported> ExportAs(ExportFormat format, const Profile& profile,
                                  const std::string& binary = SUBJECT) {
  ExportOptions options;
  options.format = format;
  options.binary = binary;
  options.debug_places.roots = {"/nowhere"};
  return Export(profile, options);
}

std::string RefusalOf(ExportFormat format, const Profile& profile,
                      const std::string& binary = SUBJECT) {
  return std::string(ExportAs(format, profile, binary).status().message());
}

TEST(ExportTest, AutofdoReadsAddresses) {
  const auto exported = ExportAs(ExportFormat::kAutofdoText, OfSubject());
  ASSERT_TRUE(exported.ok()) << exported.status();
  EXPECT_EQ(exported->bytes,
            absl::StrCat("0\n1\n",
                         absl::Hex(symbolize::NmAddress(SUBJECT, "wp_plain")),
                         ":3\n0\n"));
  EXPECT_EQ(exported->report.total, 3);
  EXPECT_EQ(exported->report.matched, 3);
  EXPECT_EQ(exported->report.written, 3);
}

TEST(ExportTest, GoReadsTheProfile) {
  Profile profile =
      CpuProfile({{{"main", "hash"}, {3, 30'000'000}}, {{"main"}, {0, 0}}});
  profile.functions[0].start_line = 7;
  profile.samples[0].labels = {{"key", "value", 0, ""}};
  const auto exported = ExportAs(ExportFormat::kGo, profile, "");
  ASSERT_TRUE(exported.ok()) << exported.status();
  const auto read = DecodePprof(exported->bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  profile.samples.pop_back();
  profile.samples[0].labels.clear();
  EXPECT_EQ(ProfileText(*read), ProfileText(profile));
  EXPECT_EQ(exported->report.written, 3);
}

TEST(ExportTest, GoNeedsTheLinesThatFunctionsBeginAt) {
  const Profile profile = CpuProfile({{{"main"}, {3, 30'000'000}}});
  EXPECT_THAT(RefusalOf(ExportFormat::kGo, profile),
              HasSubstr("go build -pgo refuses"));
}

TEST(ExportTest, NamesTheBinaryThatCannotBeRead) {
  EXPECT_THAT(RefusalOf(ExportFormat::kLlvm, OfSubject(), "/no/such/file"),
              HasSubstr("/no/such/file: "));
  TemporaryFolder folder;
  const std::string text = folder.PathOf("text");
  WriteWhole(text, "#!/bin/sh\n");
  EXPECT_THAT(RefusalOf(ExportFormat::kLlvm, OfSubject(), text),
              HasSubstr(text + ": "));
}

TEST(ExportTest, SaysHowToHaveDebugInformation) {
  EXPECT_THAT(
      RefusalOf(ExportFormat::kLlvm, OfSubject()),
      AllOf(HasSubstr(SUBJECT ": no debug information"), HasSubstr("/nowhere"),
            HasSubstr("-fdebug-info-for-profiling")));
}

// An export that says nothing would make a build that nobody knows is bare.
TEST(ExportTest, NothingIsNoExport) {
  Profile profile = OfSubject();
  // In the file's header, which is no function.
  profile.locations[0].address = profile.mappings[0].start + 8;
  EXPECT_THAT(
      RefusalOf(ExportFormat::kBolt, profile),
      AllOf(HasSubstr(SUBJECT ": none of the 3 samples"),
            HasSubstr("3 in no function's symbol"), HasSubstr("do not strip")));
}

TEST(ExportTest, RefusesWallTime) {
  const Profile wall = WallProfile({{{"main"}, {3, 0, 30'000'000}}});
  for (ExportFormat format :
       {ExportFormat::kLlvm, ExportFormat::kAutofdoText, ExportFormat::kGo}) {
    EXPECT_THAT(RefusalOf(format, wall), HasSubstr("no sample with CPU time"));
  }
}

}  // namespace
}  // namespace wallprof::pgo
