#include "tests/encode/shell.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace wallprof {

ShellResult RunShell(const std::string& command) {
  ShellResult result;
  FILE* pipe = popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  size_t size;
  while ((size = fread(buffer, 1, sizeof(buffer), pipe)) > 0) {
    result.output.append(buffer, size);
  }
  int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
  return result;
}

TemporaryFolder::TemporaryFolder() {
  std::string path = testing::TempDir() + "wallprof-XXXXXX";
  EXPECT_NE(mkdtemp(path.data()), nullptr) << path;
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::string TemporaryFolder::PathOf(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void WriteWhole(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.flush();
  EXPECT_TRUE(file.good()) << path;
}

}  // namespace wallprof
