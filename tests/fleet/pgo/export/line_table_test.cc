#include "fleet/pgo/export/line_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fleet/pgo/export/llvm_text.h"
#include "tests/symbolize/binutils.h"

namespace wallprof::pgo {
namespace {

using symbolize::ElfImage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class LineTableTest : public ::testing::Test {
 protected:
  LineTableTest() : image_(*ElfImage::Open(SUBJECT)) {
    profile_.sample_types = {{"samples", "count"}, {"cpu", "nanoseconds"}};
    AddMapping("/old/libsymbolize_subject.so");
    AddMapping("/usr/lib/libc.so.6");
  }

  void AddMapping(const std::string& path) {
    Mapping mapping;
    mapping.id = profile_.mappings.size() + 1;
    mapping.filename = path;
    profile_.mappings.push_back(mapping);
  }

  struct Frame {
    std::string name;
    int64_t line = 0;
    int64_t start_line = 0;
    std::string system_name = "";
  };

  // Innermost first.
  uint64_t At(const std::vector<Frame>& frames, uint64_t mapping_id = 1) {
    Location location;
    location.id = profile_.locations.size() + 1;
    location.mapping_id = mapping_id;
    for (const Frame& frame : frames) {
      Function function;
      function.id = profile_.functions.size() + 1;
      function.name = frame.name;
      function.system_name = frame.system_name;
      function.start_line = frame.start_line;
      profile_.functions.push_back(function);
      location.lines.push_back({function.id, frame.line, 0});
    }
    profile_.locations.push_back(location);
    return location.id;
  }

  void Add(std::vector<uint64_t> stack, int64_t count) {
    profile_.samples.push_back({std::move(stack), {count, count * 10}, {}});
  }

  absl::StatusOr<LineTable> Table() {
    return TableOfLines(profile_, *image_, SUBJECT, {.roots = {}});
  }

  const std::unique_ptr<ElfImage> image_;
  Profile profile_;
};

TEST_F(LineTableTest, CountsLinesOfFunctionsThatTheBinaryHas) {
  Add({At({{"wp_plain", 12, 10}})}, 20);
  // The busiest of what has a line.
  Add({At({{"wp_plain", 12, 10}})}, 30);
  Add({At({{"subject::Private(int)", 53, 50, "_ZN7subjectL7PrivateEi"}}),
       At({{"wp_plain", 14, 10}})},
      11);
  Add({At({{"inlined", 8, 7}, {"wp_plain", 15, 10}})}, 4);
  const auto table = Table();
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(LlvmText(table->functions),
            "wp_plain:54:0\n"
            " 2: 30\n"
            " 4: 1 _ZN7subjectL7PrivateEi:11\n"
            " 5: inlined:4\n"
            "  1: 4\n"
            "_ZN7subjectL7PrivateEi:11:0\n"
            " 3: 11\n");
  EXPECT_EQ(table->total, 65);
  EXPECT_EQ(table->matched, 65);
  EXPECT_EQ(table->known, 1);
}

TEST_F(LineTableTest, TellsWhatIsElsewhere) {
  Add({At({{"wp_plain", 12, 10}})}, 30);
  Add({At({{"wp_plain", 12, 10}}, 2)}, 1);
  Add({At({{"gone", 12, 10}})}, 2);
  Add({At({})}, 4);
  Add({At({{"[kernel]"}}, 0)}, 8);
  Add({}, 16);
  const auto table = Table();
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->total, 61);
  EXPECT_EQ(table->matched, 30);
  EXPECT_THAT(table->elsewhere,
              ElementsAre(Pair("[kernel]", 8),
                          Pair("functions that the binary has not", 2),
                          Pair("libc.so.6", 1), Pair("no frames", 16),
                          Pair("no functions", 4)));
  EXPECT_EQ(table->known, 30.0 / 32);
}

TEST_F(LineTableTest, TakesTheMainBinaryUnderAnotherName) {
  profile_.mappings[0].filename = "/old/name";
  Add({At({{"wp_plain", 12, 10}})}, 30);
  Add({At({{"wp_plain", 12, 10}}, 2)}, 1);
  const auto table = Table();
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->matched, 30);
}

TEST_F(LineTableTest, TakesWhatIsInNoFile) {
  profile_.mappings.clear();
  Add({At({{"wp_plain", 12, 10}}, 0)}, 30);
  const auto table = Table();
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->matched, 30);
}

TEST_F(LineTableTest, RefusesOtherPrograms) {
  Add({At({{"wp_plain", 12, 10}})}, 10);
  Add({At({{"of_another", 12, 10}})}, 30);
  const absl::Status refused = Table().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr(SUBJECT ": 25 %"), HasSubstr("another program")));
}

TEST_F(LineTableTest, RefusesProfilesThatTellNoStart) {
  Add({At({{"wp_plain", 12, 0}})}, 10);
  EXPECT_THAT(std::string(Table().status().message()),
              HasSubstr("tells the line that it begins at"));
}

}  // namespace
}  // namespace wallprof::pgo
