// Running other programs from tests.
#ifndef WALLPROF_TESTS_ENCODE_SHELL_H_
#define WALLPROF_TESTS_ENCODE_SHELL_H_

#include <string>
#include <string_view>

namespace wallprof {

struct ShellResult {
  int exit_status = -1;  // -1: ended by a signal, or never started
  std::string output;    // standard output and standard error
};

ShellResult RunShell(const std::string& command);

// A folder of its own for the object's lifetime.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string PathOf(std::string_view name) const;

 private:
  std::string path_;
};

std::string ReadWhole(const std::string& path);
void WriteWhole(const std::string& path, std::string_view bytes);

}  // namespace wallprof

#endif  // WALLPROF_TESTS_ENCODE_SHELL_H_
