#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/http/request_fuzz.h"

namespace wallprof::http {
namespace {

TEST(RequestCorpusTest, HoldsWhatTheFuzzerChecks) {
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(CORPUS)) {
    std::ifstream in(file.path(), std::ios::binary);
    CheckRequestBytes(std::string(std::istreambuf_iterator<char>(in),
                                  std::istreambuf_iterator<char>()));
    ++files;
  }
  EXPECT_GE(files, 8);
}

}  // namespace
}  // namespace wallprof::http
