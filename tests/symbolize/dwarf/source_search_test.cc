// Lines and inlined functions of one subject, compiled in the ways that
// programs are, beside what addr2line and llvm-symbolizer say.
#include "profiler/symbolize/dwarf/source_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/symbolize/asked_places.h"
#include "tests/symbolize/dwarf/compiled_subject.h"

namespace wallprof::symbolize {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Variant {
  const char* name;
  const char* compiler;
  // What addr2line 2.40 does otherwise, where llvm-symbolizer answers as we do;
  // null if nothing.
  const char* addr2line = nullptr;
};

constexpr char kLosesInlined[] =
    "it loses inlined functions where ranges are told by index, and where type "
    "units come first";
constexpr char kOuterName[] =
    "it gives inlined functions without linkage name the outer function's";
constexpr char kArtificial[] = "it shows <artificial> for the file";

std::ostream& operator<<(std::ostream& out, const Variant& variant) {
  return out << variant.compiler;
}

class VariantTest : public ::testing::TestWithParam<Variant> {
 protected:
  void ExpectChain() const;
  void ExpectLines() const;
  void ExpectAgreement() const;
  void ExpectPlaces() const;

  const CompiledSubject subject_{GetParam().compiler};
  const OwnAnswers answers_ = subject_.Ask();
};

// Compilers leave out linkage names of functions that no other file can see.
void VariantTest::ExpectChain() const {
  const Answer* answer = AnswerAt(answers_, "Third", "third");
  if (answer == nullptr) {
    answer = AnswerAt(answers_, "_ZN12_GLOBAL__N_15ThirdEi", "third");
  }
  ASSERT_NE(answer, nullptr);
  ASSERT_EQ(answer->size(), 4u) << ToString(*answer);
  EXPECT_EQ((*answer)[1].line, CompiledSubject::LineOf("call of third"));
  EXPECT_THAT((*answer)[1].function, HasSubstr("Second"));
  EXPECT_EQ((*answer)[2].line, CompiledSubject::LineOf("call of second"));
  EXPECT_THAT((*answer)[2].function, HasSubstr("First"));
  EXPECT_EQ((*answer)[3].line, CompiledSubject::LineOf("call of first"));
  EXPECT_EQ((*answer)[3].function, "_ZN7service5ServeEi");
}

void VariantTest::ExpectLines() const {
  EXPECT_NE(AnswerAt(answers_, "wp_count", "count"), nullptr);
  EXPECT_NE(AnswerAt(answers_, "_ZN7service5ServeEi", "serve"), nullptr);
  EXPECT_NE(AnswerAt(answers_, "_ZN12_GLOBAL__N_16HiddenEi", "hidden"),
            nullptr);
  EXPECT_NE(AnswerAt(answers_, "_ZN7service5ParseEi", "parse"), nullptr);
  EXPECT_NE(AnswerAt(answers_, "_ZN7service5ParseEi", "cold"), nullptr);
  EXPECT_THAT(answers_.comments, IsEmpty());
}

// Every byte of code. Where both others know something, a difference from
// both is a mistake, and one from addr2line is of a kind that Difference or the
// variant names.
void VariantTest::ExpectAgreement() const {
  const std::vector<uint64_t> addresses = subject_.addresses();
  const Answers addr2line = AskAddr2line(subject_.path(), addresses);
  const Answers llvm = AskLlvm(subject_.path(), addresses);
  ASSERT_EQ(answers_.of.size(), addresses.size());
  ASSERT_EQ(addr2line.of.size(), addresses.size());
  ASSERT_EQ(llvm.of.size(), addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Answer& ours = answers_.of[i];
    const bool as_addr2line =
        DifferenceBetween(ours, addr2line.of[i]) != Difference::kDifferent;
    const bool as_llvm =
        DifferenceBetween(ours, llvm.of[i]) != Difference::kDifferent;
    // Between functions is padding, which addr2line adds to the symbol before.
    const bool padding = as_llvm && ours[0].function == "??";
    // llvm-symbolizer takes no names from symbols where there are no lines.
    const bool no_lines = ours[0].line == 0;
    const bool accounted =
        as_llvm ? as_addr2line || padding || GetParam().addr2line != nullptr
                : as_addr2line && no_lines;
    EXPECT_TRUE(accounted) << std::hex << addresses[i] << "\nours\n"
                           << ToString(ours) << "addr2line\n"
                           << ToString(addr2line.of[i]) << "llvm-symbolizer\n"
                           << ToString(llvm.of[i]);
  }
}

void VariantTest::ExpectPlaces() const {
  const std::vector<uint64_t> addresses = subject_.addresses();
  ExpectSamePlaces(addresses, PlacesIn(subject_.path(), addresses),
                   AskLlvmForPlaces(subject_.path(), addresses));
}

// One test, since compiling takes most of the time.
TEST_P(VariantTest, HasTheRightLinesAndInlinedFunctions) {
  ExpectChain();
  ExpectLines();
  ExpectAgreement();
  ExpectPlaces();
}

INSTANTIATE_TEST_SUITE_P(
    Compilers, VariantTest,
    ::testing::Values(
        Variant{"GccDwarf5", "g++ -O2 -gdwarf-5", kOuterName},
        Variant{"GccDwarf4", "g++ -O2 -gdwarf-4", kOuterName},
        Variant{"GccUnoptimized", "g++ -O0 -g", kOuterName},
        Variant{"GccCompressed", "g++ -O2 -g -gz", kOuterName},
        Variant{"GccCompressedOldForm", "g++ -O2 -g -gz=zlib-gnu", kOuterName},
        Variant{"GccSections", "g++ -O2 -g -ffunction-sections", kOuterName},
        Variant{"GccTypeUnits", "g++ -O2 -g -fdebug-types-section",
                kLosesInlined},
        Variant{"GccTypeUnits4", "g++ -O2 -gdwarf-4 -fdebug-types-section",
                kOuterName},
        Variant{"GccLinkTime", "g++ -O2 -g -flto", kArtificial},
        Variant{"GccSplit", "g++ -O2 -g -gsplit-dwarf", kLosesInlined},
        Variant{"GccSplit4", "g++ -O2 -gdwarf-4 -gsplit-dwarf", kLosesInlined},
        Variant{"ClangDwarf5", "clang++ -O2 -gdwarf-5", kLosesInlined},
        Variant{"ClangDwarf4", "clang++ -O2 -gdwarf-4"},
        Variant{"ClangSplit", "clang++ -O2 -gdwarf-5 -gsplit-dwarf",
                kLosesInlined},
        Variant{"ClangLld", "clang++ -O2 -g -fuse-ld=lld -ffunction-sections",
                kLosesInlined}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(SourceSearchTest, WithoutDebugInformationThereAreNames) {
  const CompiledSubject subject("g++ -O2 -g0");
  const OwnAnswers answers = subject.Ask();
  EXPECT_THAT(
      answers.of,
      Contains(ElementsAre(AnsweredFrame{"_ZN7service5ServeEi", "??", 0})));
  EXPECT_THAT(answers.comments, IsEmpty());
}

// As libc's functions are: to the linker __GI___libc_read, a name of a function
// that nobody outside calls so, and inlined into itself.
TEST(SourceSearchTest, AFunctionInlinedIntoItselfIsCalledAsCallersDo) {
  const CompiledSubject subject(
      R"(cat > aliases.cc <<'END'
extern "C" {
int __libc_walk(int n) __asm__("__GI___libc_walk");
__attribute__((visibility("hidden"))) int __libc_walk(int n) {
  asm volatile("nop" : "+r"(n));
  return n < 2 ? n : __libc_walk(n - 1) + __libc_walk(n - 2);
}
int Exported(int n) __asm__("walk");
int Exported(int n) __attribute__((alias("__GI___libc_walk")));
int Weak(int n) __asm__("__walk");
int Weak(int n) __attribute__((weak, alias("__GI___libc_walk")));
}
END
g++ -O3 -g aliases.cc)");
  size_t inlined = 0;
  for (const Answer& answer : subject.Ask().of) {
    if (answer[0].file != subject.directory() + "/aliases.cc") continue;
    for (const AnsweredFrame& frame : answer) EXPECT_EQ(frame.function, "walk");
    inlined += answer.size() > 1 ? 1 : 0;
  }
  EXPECT_GT(inlined, 0u);
}

TEST(SourceSearchTest, AMissingSplitFileIsSaidAndItsLinesStay) {
  const CompiledSubject subject("g++ -O2 -g -gsplit-dwarf");
  subject.Shell("rm *.dwo");
  const OwnAnswers answers = subject.Ask();
  EXPECT_NE(AnswerAt(answers, "_ZN7service5ServeEi", "third"), nullptr);
  EXPECT_THAT(answers.comments,
              ElementsAre(HasSubstr(
                  "subject.dwo: split debug information is not there")));
}

TEST(SourceSearchTest, ASplitFileOfAnotherCompilationIsNotUsed) {
  const CompiledSubject subject("g++ -O2 -g -gsplit-dwarf");
  subject.Shell(
      "cp subject.so kept.so && "
      "g++ -O1 -g -gsplit-dwarf -fPIC -shared -Wl,--build-id "
      "-o subject.so subject.cc && mv kept.so subject.so");
  EXPECT_THAT(subject.Ask().comments,
              ElementsAre(HasSubstr("split debug information is not there")));
}

TEST(SourceSearchTest, WhatIsPackedOtherwiseIsSaid) {
  const CompiledSubject subject("g++ -O2 -g");
  subject.Shell("objcopy --compress-debug-sections=zstd subject.so");
  const OwnAnswers answers = subject.Ask();
  EXPECT_THAT(
      answers.of,
      Contains(ElementsAre(AnsweredFrame{"_ZN7service5ServeEi", "??", 0})));
  EXPECT_THAT(answers.comments,
              ElementsAre(HasSubstr("compressed otherwise than by zlib")));
}

TEST(SourceSearchTest, WhatNeedsMoreMemoryThanAllowedIsRefused) {
  const CompiledSubject subject("g++ -O2 -g -gz");
  const auto image = ElfImage::Open(subject.path());
  ASSERT_TRUE(image.ok());
  SourceFiles files;
  files.image = image->get();
  SourceIndex index;
  const auto refused = FindSource(files, subject.addresses(), 1 << 10, index);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(
      FindSource(files, subject.addresses(), kMaxSourceBytes, index).ok());
}

// As if each unit filled the memory: it is given back between units.
TEST(SourceSearchTest, LittleMemoryGivesTheSameAnswers) {
  const CompiledSubject subject(
      "sed 's/wp_/wq_/g; s/service/server/g' subject.cc > other.cc && "
      "g++ -O2 -g other.cc");
  const auto image = ElfImage::Open(subject.path());
  ASSERT_TRUE(image.ok());
  SourceFiles files;
  files.image = image->get();
  const std::vector<uint64_t> addresses = subject.addresses();
  SourceIndex all_index;
  const auto all = FindSource(files, addresses, kMaxSourceBytes, all_index);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(all->missing, IsEmpty());
  bool scarce = false;
  for (size_t bytes = 1 << 13; bytes <= 1 << 18; bytes += 1 << 12) {
    SourceIndex index;
    const auto some = FindSource(files, addresses, bytes, index);
    if (!some.ok() || !some->missing.empty()) {
      scarce = true;
      continue;
    }
    for (size_t i = 0; i < addresses.size(); ++i) {
      ASSERT_EQ(some->frames[i].size(), all->frames[i].size()) << bytes;
    }
  }
  EXPECT_TRUE(scarce);
}

// One address after another, each by what was learnt from the first, and all at
// once.
class IndexTest : public ::testing::TestWithParam<const char*> {};

TEST_P(IndexTest, GivesTheSameAnswers) {
  const CompiledSubject subject(GetParam());
  const auto image = ElfImage::Open(subject.path());
  ASSERT_TRUE(image.ok());
  SourceFiles files;
  files.image = image->get();
  files.split.directory = subject.directory();
  const std::vector<uint64_t> addresses = subject.addresses();
  SourceIndex unused;
  const auto all = FindSource(files, addresses, kMaxSourceBytes, unused);
  ASSERT_TRUE(all.ok()) << all.status();
  SourceIndex index;
  size_t known = 0;
  for (size_t i = 0; i < addresses.size(); i += 3) {
    known += index.Find(addresses[i]) == nullptr ? 0 : 1;
    const auto one = FindSource(files, {addresses[i]}, kMaxSourceBytes, index);
    ASSERT_TRUE(one.ok()) << one.status();
    ASSERT_EQ(one->frames[0].size(), all->frames[i].size());
    for (size_t j = 0; j < one->frames[0].size(); ++j) {
      const SourceFrame& ours = one->frames[0][j];
      const SourceFrame& theirs = all->frames[i][j];
      EXPECT_EQ(ours.name, theirs.name);
      EXPECT_EQ(ours.linkage_name, theirs.linkage_name);
      EXPECT_EQ(ours.file, theirs.file);
      EXPECT_EQ(ours.line, theirs.line);
      EXPECT_EQ(ours.start_line, theirs.start_line);
    }
  }
  // Of a third of them; the others are in no function.
  EXPECT_GT(known, addresses.size() / 12);
  EXPECT_GT(index.bytes(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Compilers, IndexTest,
                         ::testing::Values("g++ -O2 -gdwarf-5",
                                           "g++ -O2 -gdwarf-4 -gz",
                                           "g++ -O2 -g -ffunction-sections",
                                           "clang++ -O2 -gdwarf-5",
                                           "clang++ -O2 -gdwarf-4"));

}  // namespace
}  // namespace wallprof::symbolize
