// Places in code compiled as for profiles, beside what llvm-symbolizer says. Of
// code compiled otherwise see source_search_test.
#include "profiler/symbolize/code_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/symbolize/asked_places.h"
#include "tests/symbolize/dwarf/compiled_subject.h"

namespace wallprof::symbolize {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kForProfiles[] =
    "clang++ -O2 -gline-tables-only -fdebug-info-for-profiling "
    "-funique-internal-linkage-names ";

std::vector<uint64_t> RowsIn(const std::string& path,
                             const std::vector<AddressRange>& ranges) {
  const auto image = ElfImage::Open(path);
  EXPECT_TRUE(image.ok()) << image.status();
  if (!image.ok()) return {};
  const auto rows =
      FindRowAddresses(**image, path, {.roots = {}}, ranges, kMaxSourceBytes);
  EXPECT_TRUE(rows.ok()) << rows.status();
  return rows.ok() ? *rows : std::vector<uint64_t>();
}

class CodePlacesTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CodePlacesTest, AreThoseOfLlvm) {
  const CompiledSubject subject(std::string(kForProfiles) + GetParam());
  const std::vector<uint64_t> addresses = subject.addresses();
  const std::vector<CodePlaces> places = PlacesIn(subject.path(), addresses);
  ExpectSamePlaces(addresses, places,
                   AskLlvmForPlaces(subject.path(), addresses));
  EXPECT_EQ(RowsIn(subject.path(), FunctionsIn(subject.path())),
            AskLlvmForRows(subject.path()));
  // Otherwise they are the same for nothing.
  std::set<uint32_t> of_rows;
  std::set<uint32_t> of_calls;
  bool unique = false;
  for (const CodePlaces& chain : places) {
    for (const CodePlace& place : chain) {
      (&place == &chain[0] ? of_rows : of_calls).insert(place.discriminator);
      unique = unique ||
               place.function.find("6HiddenEi.__uniq.") != std::string::npos;
    }
  }
  EXPECT_GT(of_rows.size(), 5u);
  EXPECT_GT(*of_rows.rbegin(), 256u) << "no factors of duplication";
  EXPECT_GT(of_calls.size(), 1u);
  EXPECT_TRUE(unique);
}

INSTANTIATE_TEST_SUITE_P(Compilers, CodePlacesTest,
                         ::testing::Values("-gdwarf-5", "-gdwarf-4",
                                           "-gdwarf-5 -gsplit-dwarf",
                                           "-gdwarf-4 -gsplit-dwarf",
                                           "-gdwarf-5 -gz"));

// More addresses than are looked for at a time, most of them several times.
TEST(CodePlacesTest, OfManyAddressesAreTheSameAsOfFew) {
  const CompiledSubject subject(kForProfiles);
  const auto image = ElfImage::Open(subject.path());
  ASSERT_TRUE(image.ok());
  const std::vector<CodePlaces> few =
      PlacesIn(subject.path(), subject.addresses());
  constexpr size_t kTimes = 40;
  std::vector<uint64_t> many;
  for (const uint64_t address : subject.addresses()) {
    many.insert(many.end(), kTimes, address);
  }
  ASSERT_GT(many.size(), size_t{32} << 10);
  size_t visited = 0;
  const auto missing = VisitCodePlaces(
      **image, subject.path(), {.roots = {}}, many, kMaxSourceBytes,
      [&](size_t index, CodePlaces places) {
        EXPECT_EQ(index, visited++);
        EXPECT_EQ(ToString(places), ToString(few[index / kTimes]));
      });
  ASSERT_TRUE(missing.ok()) << missing.status();
  EXPECT_THAT(*missing, IsEmpty());
  EXPECT_EQ(visited, many.size());
}

TEST(CodePlacesTest, ComeFromSeparateFiles) {
  const CompiledSubject subject(absl::StrCat(kForProfiles, " -Wl,--build-id"));
  const std::vector<uint64_t> addresses = subject.addresses();
  const std::vector<CodePlaces> expected =
      AskLlvmForPlaces(subject.path(), addresses);
  const std::vector<AddressRange> functions = FunctionsIn(subject.path());
  const std::vector<uint64_t> rows = AskLlvmForRows(subject.path());
  subject.Shell(
      "objcopy --only-keep-debug subject.so subject.debug && strip subject.so "
      "&& objcopy --add-gnu-debuglink=subject.debug subject.so");
  ExpectSamePlaces(addresses, PlacesIn(subject.path(), addresses), expected);
  EXPECT_EQ(RowsIn(subject.path(), functions), rows);
  const std::string id = ElfImage::Open(subject.path()).value()->BuildId();
  const std::string folder = "root/.build-id/" + id.substr(0, 2);
  subject.Shell(absl::StrCat("mkdir -p ", folder, " && mv subject.debug ",
                             folder, "/", id.substr(2), ".debug"));
  ExpectSamePlaces(addresses,
                   PlacesIn(subject.path(), addresses,
                            {.roots = {subject.directory() + "/root"}}),
                   expected);
}

TEST(CodePlacesTest, ComeFromPackages) {
  const CompiledSubject subject(absl::StrCat(kForProfiles, " -gsplit-dwarf"));
  subject.Shell("llvm-dwp -e subject.so -o subject.so.dwp && rm *.dwo");
  ExpectSamePlaces(subject.addresses(),
                   PlacesIn(subject.path(), subject.addresses()),
                   AskLlvmForPlaces(subject.path(), subject.addresses()));
}

// Lines are in the file itself, functions are not.
TEST(CodePlacesTest, AMissingSplitFileIsSaid) {
  const CompiledSubject subject(absl::StrCat(kForProfiles, " -gsplit-dwarf"));
  const std::vector<uint64_t> rows = AskLlvmForRows(subject.path());
  subject.Shell("rm *.dwo");
  const auto image = ElfImage::Open(subject.path());
  ASSERT_TRUE(image.ok());
  const auto answers = FindCodePlaces(**image, subject.path(), {.roots = {}},
                                      subject.addresses(), kMaxSourceBytes);
  ASSERT_TRUE(answers.ok()) << answers.status();
  EXPECT_THAT(answers->places, ::testing::Each(IsEmpty()));
  EXPECT_THAT(answers->missing, ::testing::ElementsAre(HasSubstr(
                                    "split debug information is not there")));
  EXPECT_EQ(RowsIn(subject.path(), FunctionsIn(subject.path())), rows);
}

TEST(CodePlacesTest, WithoutDebugInformationThereAreNone) {
  const CompiledSubject subject("clang++ -O2 -g0");
  const auto image = ElfImage::Open(subject.path());
  ASSERT_TRUE(image.ok());
  const auto answers = FindCodePlaces(**image, subject.path(), {.roots = {}},
                                      subject.addresses(), kMaxSourceBytes);
  const absl::Status none = absl::NotFoundError("no debug information");
  EXPECT_EQ(answers.status(), none);
  EXPECT_EQ(FindRowAddresses(**image, subject.path(), {.roots = {}},
                             FunctionsIn(subject.path()), kMaxSourceBytes)
                .status(),
            none);
}

TEST(RowAddressesTest, ThoseOutsideOfTheRangesAreLeftOut) {
  const CompiledSubject subject(kForProfiles);
  const std::vector<uint64_t> all = AskLlvmForRows(subject.path());
  std::vector<AddressRange> ranges;
  std::vector<uint64_t> expected;
  ASSERT_GT(all.size(), 20u);
  for (const AddressRange& function : FunctionsIn(subject.path())) {
    // The second half, but for its last byte.
    const AddressRange range = {(function.begin + function.end) / 2,
                                function.end - 1};
    ranges.push_back(range);
    for (const uint64_t row : all) {
      if (row >= range.begin && row < range.end) expected.push_back(row);
    }
  }
  ASSERT_GT(expected.size(), 5u);
  EXPECT_EQ(RowsIn(subject.path(), ranges), expected);
  EXPECT_THAT(RowsIn(subject.path(), {}), IsEmpty());
  EXPECT_THAT(
      RowsIn(subject.path(), {{0, 1}, {~uint64_t{0} - 1, ~uint64_t{0}}}),
      IsEmpty());
}

TEST(RowAddressesTest, WhatNeedsMoreMemoryThanAllowedIsRefused) {
  const CompiledSubject subject("clang++ -O2 -g");
  const auto image = ElfImage::Open(subject.path());
  ASSERT_TRUE(image.ok());
  const std::vector<AddressRange> functions = FunctionsIn(subject.path());
  std::set<std::string> refused;
  for (size_t bytes = 1 << 10; bytes < 1 << 18; bytes += 1 << 8) {
    const auto rows = FindRowAddresses(**image, subject.path(), {.roots = {}},
                                       functions, bytes);
    if (rows.ok()) {
      EXPECT_EQ(*rows, AskLlvmForRows(subject.path()));
      break;
    }
    EXPECT_EQ(rows.status().code(), absl::StatusCode::kResourceExhausted);
    refused.insert(std::string(rows.status().message()));
  }
  EXPECT_THAT(refused,
              ::testing::ElementsAre(
                  HasSubstr("debug information needs more than 0 MiB"),
                  HasSubstr("one of its line tables needs more than 0 MiB")));
}

TEST(FunctionOfPartTest, LeavesOutWhatIsAppended) {
  EXPECT_EQ(FunctionOfPart("_Z3Runi"), "_Z3Runi");
  EXPECT_EQ(FunctionOfPart("_Z3Runi.cold"), "_Z3Runi");
  EXPECT_EQ(FunctionOfPart("run.cold.12"), "run");
  EXPECT_EQ(FunctionOfPart("run.part.0"), "run");
  EXPECT_EQ(FunctionOfPart("run.isra.0.constprop.1.cold"), "run");
  EXPECT_EQ(FunctionOfPart("run.lto_priv.0"), "run");
  EXPECT_EQ(FunctionOfPart("run.llvm.10400123"), "run");
  EXPECT_EQ(FunctionOfPart("run.__part.3"), "run");
  EXPECT_EQ(FunctionOfPart("run.__uniq.123.llvm.456"), "run.__uniq.123");
}

TEST(FunctionOfPartTest, KeepsWhatIsNotKnown) {
  for (const char* name :
       {"", ".cold", "run.colder", "run.cold.x", "run.part", "run.part.",
        "run.__uniq.123", "run.x", "Type.method"}) {
    EXPECT_EQ(FunctionOfPart(name), name);
  }
}

}  // namespace
}  // namespace wallprof::symbolize
