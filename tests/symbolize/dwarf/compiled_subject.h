// The subject of the tests of debug information, compiled as a test wants it.
#ifndef WALLPROF_TESTS_SYMBOLIZE_DWARF_COMPILED_SUBJECT_H_
#define WALLPROF_TESTS_SYMBOLIZE_DWARF_COMPILED_SUBJECT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bench/symbolize/other_symbolizers.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {

class CompiledSubject {
 public:
  // `compiler` with its flags; a shared library with a build id unless they
  // say otherwise. Throws if it fails.
  explicit CompiledSubject(const std::string& compiler);

  const std::string& path() const { return path_; }
  const std::string& directory() const { return directory_.path(); }

  // Runs a shell command in the directory of the subject, "subject.so" and
  // "subject.cc". Throws if it fails.
  void Shell(const std::string& command) const;

  // All of its code.
  std::vector<uint64_t> addresses() const { return addresses_; }

  // Ours, with debug information looked for there and in the usual places of
  // the subject's directory.
  OwnAnswers Ask(const DebugPlaces& places = {.roots = {}}) const;

  // The line that is marked "// at NAME" in the source.
  static int64_t LineOf(const std::string& mark);

 private:
  TemporaryDirectory directory_;
  std::string path_;
  std::vector<uint64_t> addresses_;
};

// Whether one of the answers begins with the frame `function` at the mark, and
// which; null if none does.
const Answer* AnswerAt(const Answers& answers, const std::string& function,
                       const std::string& mark);

}  // namespace wallprof::symbolize

#endif  // WALLPROF_TESTS_SYMBOLIZE_DWARF_COMPILED_SUBJECT_H_
