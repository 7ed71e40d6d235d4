#include "profiler/symbolize/debug_locator.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/symbolize/binutils.h"
#include "tests/symbolize/dwarf/compiled_subject.h"

namespace wallprof::symbolize {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A subject whose debug information is in a file of its own, subject.debug.
class SeparateTest : public ::testing::Test {
 protected:
  SeparateTest() {
    subject_.Shell(
        "objcopy --only-keep-debug subject.so subject.debug && "
        "strip --strip-all subject.so");
  }

  std::string BuildId() const {
    return ElfImage::Open(subject_.path()).value()->BuildId();
  }

  // Where the file belongs under a root, and the folder made.
  std::string PathUnder(const std::string& root) const {
    const std::string id = BuildId();
    const std::string folder =
        absl::StrCat(root, "/.build-id/", id.substr(0, 2));
    std::filesystem::create_directories(folder);
    return absl::StrCat(folder, "/", id.substr(2), ".debug");
  }

  void Link() const {
    subject_.Shell("objcopy --add-gnu-debuglink=subject.debug subject.so");
  }

  bool HasLines(const std::vector<std::string>& roots = {}) const {
    return AnswerAt(subject_.Ask({.roots = roots}), "wp_count", "count") !=
           nullptr;
  }

  // A function that no other file can see, so that a stripped file lacks it.
  bool HasHiddenName(const std::vector<std::string>& roots = {}) const {
    const OwnAnswers answers = subject_.Ask({.roots = roots});
    return std::any_of(
        answers.of.begin(), answers.of.end(), [](const Answer& answer) {
          return answer[0].function == "_ZN12_GLOBAL__N_16HiddenEi";
        });
  }

  const CompiledSubject subject_{"g++ -O2 -g"};
};

TEST_F(SeparateTest, NothingIsFoundWhereNothingIs) {
  EXPECT_FALSE(HasLines());
  EXPECT_FALSE(HasHiddenName());
}

TEST_F(SeparateTest, ByBuildIdUnderARoot) {
  const TemporaryDirectory root;
  std::filesystem::copy_file(subject_.directory() + "/subject.debug",
                             PathUnder(root.path()));
  EXPECT_FALSE(HasLines());
  EXPECT_TRUE(HasLines({"/nowhere", root.path()}));
  EXPECT_TRUE(HasHiddenName({root.path()}));
}

TEST_F(SeparateTest, AnotherBuildUnderThatNameIsNotUsed) {
  const TemporaryDirectory root;
  const CompiledSubject other("g++ -O1 -g");
  std::filesystem::copy_file(other.path(), PathUnder(root.path()));
  EXPECT_FALSE(HasLines({root.path()}));
}

TEST_F(SeparateTest, ByLinkBesideTheFile) {
  Link();
  EXPECT_TRUE(HasLines());
  subject_.Shell("mkdir .debug && mv subject.debug .debug");
  EXPECT_TRUE(HasLines());
  subject_.Shell("rm .debug/subject.debug");
  EXPECT_FALSE(HasLines());
}

TEST_F(SeparateTest, ByLinkUnderARoot) {
  Link();
  const TemporaryDirectory root;
  const std::string folder = root.path() + subject_.directory();
  std::filesystem::create_directories(folder);
  subject_.Shell("mv subject.debug " + folder);
  EXPECT_FALSE(HasLines());
  EXPECT_TRUE(HasLines({root.path()}));
}

TEST_F(SeparateTest, ALinkWithAnotherChecksumIsNotFollowed) {
  Link();
  // What follows the last section is in the checksum and nowhere else.
  subject_.Shell("printf x >> subject.debug");
  EXPECT_FALSE(HasLines());
}

// A server whose files are this machine's.
TEST_F(SeparateTest, FromAServerOnlyIfAllowed) {
  if (dlopen("libdebuginfod.so.1", RTLD_NOW) == nullptr)
    GTEST_SKIP() << "there is no libdebuginfod";
  subject_.Shell(absl::StrCat("mkdir -p server/buildid/", BuildId(),
                              " && mv subject.debug server/buildid/", BuildId(),
                              "/debuginfo"));
  const std::string folder = subject_.directory();
  ASSERT_EQ(setenv("DEBUGINFOD_CACHE_PATH", (folder + "/cache").c_str(), 1), 0);
  ASSERT_EQ(
      setenv("DEBUGINFOD_URLS", ("file://" + folder + "/server").c_str(), 1),
      0);
  EXPECT_FALSE(HasLines());
  EXPECT_NE(AnswerAt(subject_.Ask({.roots = {}, .servers = true}), "wp_count",
                     "count"),
            nullptr);
  unsetenv("DEBUGINFOD_URLS");
  std::filesystem::remove_all(folder + "/cache");
  EXPECT_EQ(AnswerAt(subject_.Ask({.roots = {}, .servers = true}), "wp_count",
                     "count"),
            nullptr);
}

TEST_F(SeparateTest, MiniSymbolTablesHaveNames) {
  // As Fedora makes them: symbols that are not in .dynsym, packed.
  subject_.Shell(
      "objcopy -S --remove-section .gdb_index --remove-section .comment "
      "subject.debug mini && "
      "nm subject.debug --format=posix --defined-only | "
      "awk '$2 ~ /[tT]/ { print $1 }' > keep && "
      "objcopy -S --keep-symbols=keep subject.debug mini && "
      "xz mini && "
      "objcopy --add-section .gnu_debugdata=mini.xz subject.so && "
      "rm subject.debug");
  EXPECT_TRUE(HasHiddenName());
  EXPECT_FALSE(HasLines());
}

TEST_F(SeparateTest, APackedTableThatIsDamagedHasNone) {
  subject_.Shell(
      "printf '\\3757zXZ\\0nonsense' > mini.xz && "
      "objcopy --add-section .gnu_debugdata=mini.xz subject.so");
  EXPECT_FALSE(HasHiddenName());
}

// dwz moves what two files have in common to a third.
TEST(AlternateTest, WhatIsSharedIsFound) {
  // With enough in common that more than strings is moved.
  const CompiledSubject subject("g++ -O2 -g -include string");
  subject.Shell(
      "cp subject.so twin.so && objcopy --remove-section .note.gnu.build-id "
      "twin.so && dwz -m shared.debug -M shared.debug subject.so twin.so");
  const auto image = ElfImage::Open(subject.path());
  ASSERT_TRUE(image.ok()) << image.status();
  ASSERT_TRUE((*image)->HasContent(".gnu_debugaltlink"));
  const LocatedImage shared =
      FindAlternateImage(**image, subject.path(), {.roots = {}});
  EXPECT_EQ(shared.path, subject.directory() + "/shared.debug");

  const OwnAnswers answers = subject.Ask();
  const Answer* answer = AnswerAt(answers, "Third", "third");
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->size(), 4u) << ToString(*answer);
  EXPECT_THAT(answers.comments, IsEmpty());

  // Without it, the lines are right and names are missing, never wrong.
  subject.Shell("rm shared.debug");
  const OwnAnswers without = subject.Ask();
  EXPECT_NE(AnswerAt(without, "wp_count", "count"), nullptr);
  EXPECT_EQ(AnswerAt(without, "Third", "third"), nullptr);
  EXPECT_THAT(without.comments,
              ElementsAre(HasSubstr("shares with others is missing")));
}

}  // namespace
}  // namespace wallprof::symbolize
