// Split units that dwp or llvm-dwp put into a package: the same answers as of
// the .dwo files that they were in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "profiler/symbolize/dwarf/package_index.h"
#include "tests/symbolize/dwarf/compiled_subject.h"

namespace wallprof::symbolize {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Packager {
  const char* name;
  const char* compiler;
  const char* command;
};

// Of what Debian 12 has, dwp 2.40 crashes on DWARF 5, and llvm-dwp 14 reads
// none of gcc's.
constexpr char kGnu[] = "dwp -e subject.so -o subject.so.dwp 2>&1";
constexpr char kLlvm[] = "llvm-dwp *.dwo -o subject.so.dwp 2>&1";

std::ostream& operator<<(std::ostream& out, const Packager& packager) {
  return out << packager.compiler << ", " << packager.command;
}

// Of two units, so that one does not begin where its sections do.
std::string WithAnotherUnit(const std::string& compiler) {
  return "sed 's/wp_/wq_/g; s/service/server/g' subject.cc > other.cc && " +
         compiler + " other.cc";
}

std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PackagedUnitsTest : public ::testing::TestWithParam<Packager> {
 protected:
  void Package() const {
    subject_.Shell(std::string(GetParam().command) + " && rm *.dwo");
  }

  const CompiledSubject subject_{WithAnotherUnit(GetParam().compiler)};
};

TEST_P(PackagedUnitsTest, SayWhatLooseOnesSay) {
  const OwnAnswers loose = subject_.Ask();
  ASSERT_THAT(loose.comments, IsEmpty());
  Package();
  const OwnAnswers packaged = subject_.Ask();
  EXPECT_THAT(packaged.comments, IsEmpty());
  EXPECT_EQ(packaged.of, loose.of);
  const Answer* inlined = AnswerAt(packaged, "Third", "third");
  if (inlined == nullptr) {
    inlined = AnswerAt(packaged, "_ZN12_GLOBAL__N_15ThirdEi", "third");
  }
  ASSERT_NE(inlined, nullptr);
  EXPECT_THAT(*inlined, SizeIs(4));
}

TEST_P(PackagedUnitsTest, SayWhatLlvmSymbolizerSays) {
  Package();
  const std::vector<uint64_t> addresses = subject_.addresses();
  const OwnAnswers ours = subject_.Ask();
  const Answers llvm = AskLlvm(subject_.path(), addresses);
  ASSERT_THAT(ours.of, SizeIs(addresses.size()));
  ASSERT_THAT(llvm.of, SizeIs(addresses.size()));
  for (size_t i = 0; i < addresses.size(); ++i) {
    // It takes no names from symbols where there are no lines.
    if (ours.of[i][0].line == 0) continue;
    EXPECT_NE(DifferenceBetween(ours.of[i], llvm.of[i]), Difference::kDifferent)
        << std::hex << addresses[i] << "\nours\n"
        << ToString(ours.of[i]) << "llvm-symbolizer\n"
        << ToString(llvm.of[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Packagers, PackagedUnitsTest,
    ::testing::Values(
        Packager{"Gnu4", "g++ -O2 -gdwarf-4 -gsplit-dwarf", kGnu},
        Packager{"GnuTypeUnits4",
                 "g++ -O2 -gdwarf-4 -gsplit-dwarf -fdebug-types-section", kGnu},
        Packager{"Llvm5", "clang++ -O2 -gdwarf-5 -gsplit-dwarf", kLlvm},
        Packager{"Llvm4", "clang++ -O2 -gdwarf-4 -gsplit-dwarf", kLlvm},
        Packager{"LlvmTypeUnits5",
                 "clang++ -O2 -gdwarf-5 -gsplit-dwarf -fdebug-types-section",
                 kLlvm}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PackageTest, AUnitOfAnotherCompilationIsNotTaken) {
  const CompiledSubject subject("g++ -O2 -gdwarf-4 -gsplit-dwarf");
  subject.Shell(
      "cp subject.so kept.so && "
      "g++ -O1 -gdwarf-4 -gsplit-dwarf -fPIC -shared -o subject.so subject.cc "
      "&& "
      "dwp -e subject.so -o subject.so.dwp && mv kept.so subject.so && "
      "rm *.dwo");
  EXPECT_THAT(subject.Ask().comments,
              ElementsAre(HasSubstr("split debug information is not there")));
}

TEST(PackageTest, AProgramIsNoPackage) {
  const auto program = ElfImage::Open(ThisProgram());
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_THAT(FindPackagedUnit(**program, 1), IsEmpty());
}

// Lines are in the program itself; a package spoils names and inlined functions
// at most.
TEST(PackageTest, FlippedBytesAreSurvived) {
  constexpr int kRounds = 300;
  const CompiledSubject subject(
      WithAnotherUnit("clang++ -O2 -gdwarf-5 -gsplit-dwarf"));
  subject.Shell(std::string(kLlvm) + " && rm *.dwo");
  const std::string path = subject.path() + ".dwp";
  const std::string whole = ContentOf(path);
  std::vector<ElfImage::Section> sections;
  {
    const auto package = ElfImage::Open(path);
    ASSERT_TRUE(package.ok()) << package.status();
    for (const ElfImage::Section& section : (*package)->sections()) {
      if (section.size > 0) sections.push_back(section);
    }
  }
  const OwnAnswers right = subject.Ask();
  std::mt19937_64 random(1);
  for (int round = 0; round < kRounds; ++round) {
    std::string content = whole;
    for (int flips = 1 + round % 8; flips > 0; --flips) {
      const ElfImage::Section& section = sections[random() % sections.size()];
      content[section.offset + random() % section.size] =
          static_cast<char>(random());
    }
    // Some file systems wait for the disk where a file is written in place.
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << content;
    const OwnAnswers answers = subject.Ask();
    ASSERT_EQ(answers.of.size(), right.of.size());
    for (size_t i = 0; i < right.of.size(); ++i) {
      ASSERT_EQ(answers.of[i][0].line, right.of[i][0].line) << round;
    }
  }
}

}  // namespace
}  // namespace wallprof::symbolize
