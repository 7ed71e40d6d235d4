// Debug information with bytes flipped: whatever it holds, nothing crashes,
// hangs or reads out of bounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "profiler/symbolize/code_places.h"
#include "profiler/symbolize/dwarf/source_search.h"
#include "tests/symbolize/asked_places.h"
#include "tests/symbolize/dwarf/compiled_subject.h"

namespace wallprof::symbolize {
namespace {

constexpr int kRounds = 750;

// Far more than a round takes, on busy machines and under sanitizers too.
constexpr absl::Duration kHang = absl::Seconds(20);

class CorruptDebugTest : public ::testing::TestWithParam<const char*> {
 protected:
  CorruptDebugTest() {
    std::ifstream file(subject_.path(), std::ios::binary);
    whole_.assign(std::istreambuf_iterator<char>(file), {});
    const auto image = ElfImage::Open(subject_.path());
    for (const ElfImage::Section& section : (*image)->sections()) {
      if (section.name.rfind(".debug_", 0) == 0 && section.size > 0) {
        sections_.push_back(section);
      }
    }
  }

  // The number of addresses of which something is known.
  size_t Use(const std::string& content) {
    const std::string path = subject_.directory() + "/corrupt.so";
    std::ofstream(path, std::ios::binary) << content;
    const auto image = ElfImage::Open(path);
    if (!image.ok()) return 0;
    const DebugPlaces nowhere = {.roots = {}};
    const auto rows =
        FindRowAddresses(**image, path, nowhere, functions_, kMaxSourceBytes);
    if (rows.ok()) {
      EXPECT_TRUE(std::is_sorted(rows->begin(), rows->end()));
    }
    const auto answers =
        FindCodePlaces(**image, path, nowhere, addresses_, kMaxSourceBytes);
    if (!answers.ok()) return 0;
    size_t known = 0;
    for (const CodePlaces& places : answers->places) {
      known += places.empty() ? 0 : 1;
    }
    return known;
  }

  const CompiledSubject subject_{GetParam()};
  const std::vector<uint64_t> addresses_ = subject_.addresses();
  const std::vector<AddressRange> functions_ = FunctionsIn(subject_.path());
  std::string whole_;
  std::vector<ElfImage::Section> sections_;
};

TEST_P(CorruptDebugTest, FlippedBytesAreSurvived) {
  const size_t all = Use(whole_);
  ASSERT_GT(all, 50u);
  ASSERT_FALSE(sections_.empty());
  std::mt19937_64 random(1);
  for (int round = 0; round < kRounds; ++round) {
    std::string content = whole_;
    for (int flips = 1 + round % 16; flips > 0; --flips) {
      // Each section as often, so that small ones are not spared.
      const ElfImage::Section& section = sections_[random() % sections_.size()];
      content[section.offset + random() % section.size] =
          static_cast<char>(random());
    }
    const absl::Time start = absl::Now();
    EXPECT_LE(Use(content), addresses_.size());
    ASSERT_LT(absl::Now() - start, kHang) << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Compilers, CorruptDebugTest,
                         ::testing::Values("g++ -O2 -gdwarf-5",
                                           "g++ -O2 -gdwarf-4",
                                           "g++ -O2 -g -gsplit-dwarf",
                                           "clang++ -O2 -gdwarf-5 "
                                           "-fdebug-info-for-profiling"));

}  // namespace
}  // namespace wallprof::symbolize
