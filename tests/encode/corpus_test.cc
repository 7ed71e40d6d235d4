// Runs the fuzzers' checks over their corpus, where there is no fuzzer.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>

#include "tests/encode/decoder_checks.h"
#include "tests/encode/merge_checks.h"
#include "tests/encode/shell.h"

namespace wallprof {
namespace {

TEST(CorpusTest, EveryFilePasses) {
  for (const auto& [folder, check] :
       {std::pair("pprof", &CheckPprof), std::pair("folded", &CheckFolded),
        std::pair("perf_script", &CheckPerfScript),
        std::pair("gperftools_cpu", &CheckGperftoolsCpu),
        std::pair("pprof_merge", &CheckPprofMerge)}) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(
             std::string(CORPUS "/") + folder)) {
      SCOPED_TRACE(entry.path());
      check(ReadWhole(entry.path()));
      ++files;
    }
    EXPECT_GT(files, 0) << folder;
  }
}

}  // namespace
}  // namespace wallprof
