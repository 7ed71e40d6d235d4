#include "tests/symbolize/dwarf/compiled_subject.h"

#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/symbolize/binutils.h"

namespace wallprof::symbolize {

CompiledSubject::CompiledSubject(const std::string& compiler)
    : path_(directory_.path() + "/subject.so") {
  std::filesystem::copy_file(DWARF_SUBJECT, directory_.path() + "/subject.cc");
  Shell(compiler +
        " -fPIC -shared -Wl,--build-id -o subject.so subject.cc 2>&1");
  addresses_ = SpreadAddresses(path_, std::numeric_limits<size_t>::max());
}

void CompiledSubject::Shell(const std::string& command) const {
  OutputOf(absl::StrCat("cd ", directory_.path(), " && ", command));
}

OwnAnswers CompiledSubject::Ask(const DebugPlaces& places) const {
  return AskWallprof(path_, addresses_, places);
}

int64_t CompiledSubject::LineOf(const std::string& mark) {
  std::ifstream source(DWARF_SUBJECT);
  const std::string wanted = "// at " + mark;
  int64_t number = 0;
  for (std::string line; std::getline(source, line);) {
    ++number;
    if (line.size() >= wanted.size() &&
        line.compare(line.size() - wanted.size(), wanted.size(), wanted) == 0) {
      return number;
    }
  }
  throw std::runtime_error("no mark " + mark);
}

const Answer* AnswerAt(const Answers& answers, const std::string& function,
                       const std::string& mark) {
  const int64_t line = CompiledSubject::LineOf(mark);
  for (const Answer& answer : answers.of) {
    if (!answer.empty() && answer[0].function == function &&
        answer[0].line == line &&
        std::filesystem::path(answer[0].file).filename() == "subject.cc") {
      return &answer;
    }
  }
  return nullptr;
}

}  // namespace wallprof::symbolize
