#include "tests/symbolize/asked_places.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/symbolize/binutils.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

bool Same(const CodePlaces& ours, const CodePlaces& llvm) {
  if (ours.empty()) {
    // Lines reach into the padding behind a function.
    return llvm.size() == 1 && llvm[0].declared_line == 0 &&
           (llvm[0].line == 0 || llvm[0].function == "??");
  }
  if (ours.size() != llvm.size()) return false;
  for (size_t i = 0; i < ours.size(); ++i) {
    if (ours[i].function != FunctionOfPart(llvm[i].function) ||
        ours[i].line != llvm[i].line ||
        ours[i].declared_line != llvm[i].declared_line ||
        ours[i].discriminator != llvm[i].discriminator) {
      return false;
    }
  }
  return true;
}

// "  Line: 12"
void ReadField(absl::string_view line, CodePlace& place) {
  if (absl::ConsumePrefix(&line, "  Line: ")) {
    EXPECT_TRUE(absl::SimpleAtoi(line, &place.line)) << line;
  } else if (absl::ConsumePrefix(&line, "  Function start line: ")) {
    EXPECT_TRUE(absl::SimpleAtoi(line, &place.declared_line)) << line;
  } else if (absl::ConsumePrefix(&line, "  Discriminator: ")) {
    EXPECT_TRUE(absl::SimpleAtoi(line, &place.discriminator)) << line;
  }
}

}  // namespace

std::vector<CodePlaces> AskLlvmForPlaces(
    const std::string& path, const std::vector<uint64_t>& addresses) {
  const TemporaryDirectory directory;
  const std::string asked = directory.path() + "/addresses";
  std::ofstream file(asked);
  for (const uint64_t address : addresses) {
    file << "0x" << std::hex << address << '\n';
  }
  file.close();
  std::vector<CodePlaces> answers;
  CodePlaces places;
  for (const std::string& line : LinesOf(OutputOf(absl::StrCat(
           "llvm-symbolizer --verbose --inlines --functions=linkage "
           "--no-demangle --obj=",
           path, " < ", asked)))) {
    if (line.empty()) {
      answers.push_back(std::exchange(places, {}));
    } else if (!absl::StartsWith(line, " ")) {
      places.push_back({line});
    } else if (!places.empty()) {
      ReadField(line, places.back());
    }
  }
  return answers;
}

std::vector<CodePlaces> PlacesIn(const std::string& path,
                                 const std::vector<uint64_t>& addresses,
                                 const DebugPlaces& debug_places) {
  const auto image = ElfImage::Open(path);
  EXPECT_TRUE(image.ok()) << image.status();
  if (!image.ok()) return {};
  auto answers =
      FindCodePlaces(**image, path, debug_places, addresses, kMaxSourceBytes);
  EXPECT_TRUE(answers.ok()) << answers.status();
  if (!answers.ok()) return {};
  for (const std::string& missing : answers->missing) {
    ADD_FAILURE() << missing;
  }
  return std::move(answers->places);
}

std::vector<uint64_t> AskLlvmForRows(const std::string& path) {
  std::set<uint64_t> rows;
  const std::string table = OutputOf("llvm-dwarfdump --debug-line " + path);
  for (const std::string& line : LinesOf(table)) {
    uint64_t address = 0;
    // "0x0000000000001130     22      0      1   0             0  is_stmt"
    if (absl::StartsWith(line, "0x") &&
        !absl::StrContains(line, "end_sequence") &&
        absl::SimpleHexAtoi(line.substr(0, line.find(' ')), &address)) {
      rows.insert(address);
    }
  }
  return {rows.begin(), rows.end()};
}

std::vector<AddressRange> FunctionsIn(const std::string& path) {
  std::vector<AddressRange> functions;
  for (const NmSymbol& symbol : Nm(path)) {
    if (absl::StrContains("tTwW", symbol.kind) && symbol.size > 0) {
      functions.push_back({symbol.address, symbol.address + symbol.size});
    }
  }
  return functions;
}

std::string ToString(const CodePlaces& places) {
  std::string text;
  for (const CodePlace& place : places) {
    absl::StrAppend(&text, "    ", place.function, " line ", place.line,
                    " declared ", place.declared_line, " discriminator ",
                    place.discriminator, "\n");
  }
  return text;
}

void ExpectSamePlaces(const std::vector<uint64_t>& addresses,
                      const std::vector<CodePlaces>& ours,
                      const std::vector<CodePlaces>& llvm) {
  ASSERT_EQ(ours.size(), addresses.size());
  ASSERT_EQ(llvm.size(), addresses.size());
  for (size_t i = 0; i < addresses.size(); ++i) {
    EXPECT_TRUE(Same(ours[i], llvm[i]))
        << std::hex << addresses[i] << "\nours\n"
        << ToString(ours[i]) << "llvm-symbolizer\n"
        << ToString(llvm[i]);
  }
}

}  // namespace wallprof::symbolize
