#include "bench/symbolize/other_symbolizers.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "profiler/symbolize/elf_image.h"
#include "profiler/symbolize/symbolizer.h"
#include "wallprof/profile.h"

namespace wallprof::symbolize {
namespace {

std::string Normal(const std::string& file) {
  return file == "??" || file.empty()
             ? "??"
             : std::filesystem::path(file).lexically_normal().string();
}

// "file:12", "file:12:3", "file:?", "file:12 (discriminator 2)"
AnsweredFrame FrameOf(const std::string& function, std::string place,
                      bool with_column) {
  place = place.substr(0, place.find(" (discriminator"));
  if (with_column) place = place.substr(0, place.rfind(':'));
  const size_t colon = place.rfind(':');
  AnsweredFrame frame = {function, Normal(place.substr(0, colon))};
  if (colon == std::string::npos ||
      !absl::SimpleAtoi(place.substr(colon + 1), &frame.line)) {
    frame.line = 0;
  }
  return frame;
}

// The lines that `command` prints, asked for `addresses` on standard input.
std::vector<std::string> Run(const std::string& command,
                             const std::vector<uint64_t>& addresses,
                             absl::Duration& time) {
  std::string name =
      (std::filesystem::temp_directory_path() / "addressesXXXXXX").string();
  const int fd = mkstemp(name.data());
  if (fd < 0) return {};
  close(fd);
  {
    std::ofstream file(name);
    for (const uint64_t address : addresses) {
      file << "0x" << std::hex << address << '\n';
    }
  }
  std::vector<std::string> lines;
  const absl::Time start = absl::Now();
  FILE* pipe =
      popen(absl::StrCat(command, " < ", name, " 2>/dev/null").c_str(), "re");
  if (pipe != nullptr) {
    char* line = nullptr;
    size_t capacity = 0;
    while (getline(&line, &capacity, pipe) >= 0) {
      lines.emplace_back(absl::StripTrailingAsciiWhitespace(line));
    }
    std::free(line);
    pclose(pipe);
  }
  time = absl::Now() - start;
  std::filesystem::remove(name);
  return lines;
}

// A profile of places in one file, as if it were loaded at kLoadedAt.
constexpr uint64_t kLoadedAt = 0x10000;

Profile ProfileOfFile(const std::string& path, const ElfImage& image,
                      const std::vector<uint64_t>& addresses) {
  Profile profile;
  Mapping& mapping = profile.mappings.emplace_back();
  mapping.id = 1;
  mapping.start = kLoadedAt;
  mapping.limit = kLoadedAt + std::filesystem::file_size(path);
  mapping.filename = path;
  mapping.build_id = image.BuildId();
  for (const uint64_t address : addresses) {
    Location& location = profile.locations.emplace_back();
    location.id = profile.locations.size();
    location.mapping_id = 1;
    for (const ElfImage::Section& section : image.sections()) {
      if (address >= section.address && address < section.end &&
          section.executable) {
        location.address =
            kLoadedAt + section.offset + (address - section.address);
      }
    }
  }
  return profile;
}

Answer AnswerOf(const Profile& profile, const Location& location) {
  Answer answer;
  for (const Line& line : location.lines) {
    const Function& function = profile.functions[line.function_id - 1];
    const bool unknown = absl::StrContains(function.system_name, "+0x");
    answer.push_back({unknown ? "??" : function.system_name,
                      Normal(function.filename), line.line});
  }
  return answer;
}

Difference DifferenceOfPlace(const AnsweredFrame& ours,
                             const AnsweredFrame& theirs) {
  if (ours.line != theirs.line) return Difference::kDifferent;
  if (ours.file == theirs.file) return Difference::kNone;
  if (ours.line == 0) return Difference::kNoLine;
  const bool twice = absl::EndsWith(theirs.file, "/" + ours.file) &&
                     theirs.file.front() != '/';
  return twice ? Difference::kDirectoryTwice : Difference::kDifferent;
}

Difference DifferenceOfName(const AnsweredFrame& ours,
                            const AnsweredFrame& theirs, bool inlined) {
  if (ours.function == theirs.function) return Difference::kNone;
  if (ours.function == theirs.function.substr(0, theirs.function.find('.'))) {
    return Difference::kPartOfFunction;
  }
  const bool mangled = absl::StartsWith(ours.function, "_Z") ||
                       absl::StartsWith(theirs.function, "_Z");
  // __GI___libc_read, inlined, is __libc_read.
  const bool alias = !inlined || absl::EndsWith(theirs.function, ours.function);
  return mangled || !alias || theirs.function == "??" || ours.function == "??"
             ? Difference::kDifferent
             : Difference::kAlias;
}

int64_t StatusBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!absl::StartsWith(line, field + ":")) continue;
    return std::atoll(line.c_str() + field.size() + 1) * 1024;
  }
  return 0;
}

absl::Duration TimeOf(Symbolizer& symbolizer, Profile& profile) {
  const absl::Time start = absl::Now();
  symbolizer.Symbolize(profile);
  return absl::Now() - start;
}

}  // namespace

Answers AskAddr2line(const std::string& path,
                     const std::vector<uint64_t>& addresses) {
  Answers answers;
  const std::vector<std::string> lines =
      Run("addr2line -a -i -f -e " + path, addresses, answers.time);
  for (size_t i = 0; i < lines.size(); ++i) {
    // Each address is followed by two lines a frame.
    if (absl::StartsWith(lines[i], "0x")) {
      answers.of.emplace_back();
    } else if (i + 1 < lines.size()) {
      answers.of.back().push_back(
          FrameOf(lines[i], lines[i + 1], /*with_column=*/false));
      ++i;
    }
  }
  return answers;
}

Answers AskLlvm(const std::string& path,
                const std::vector<uint64_t>& addresses) {
  Answers answers;
  const std::vector<std::string> lines =
      Run("llvm-symbolizer --inlines --functions=linkage --no-demangle --obj=" +
              path,
          addresses, answers.time);
  Answer answer;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) {
      answers.of.push_back(std::exchange(answer, {}));
    } else if (i + 1 < lines.size()) {
      answer.push_back(FrameOf(lines[i], lines[i + 1], /*with_column=*/true));
      ++i;
    }
  }
  return answers;
}

OwnAnswers AskWallprof(const std::string& path,
                       const std::vector<uint64_t>& addresses,
                       const DebugPlaces& debug_places) {
  OwnAnswers answers;
  const auto image = ElfImage::Open(path);
  if (!image.ok()) return answers;
  Profile first = ProfileOfFile(path, **image, addresses);
  Profile again = first;
  std::vector<uint64_t> near;
  for (size_t i = 0; i < addresses.size(); i += addresses.size() / 100 + 1) {
    near.push_back(addresses[i] + 1);
  }
  Profile others = ProfileOfFile(path, **image, near);
  SymbolizerOptions options;
  options.debug_places = debug_places;
  Symbolizer symbolizer(options);
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew
  const int64_t before = StatusBytes("VmRSS");
  answers.time = TimeOf(symbolizer, first);
  answers.peak_bytes = StatusBytes("VmHWM") - before;
  answers.again = TimeOf(symbolizer, again);
  answers.others = TimeOf(symbolizer, others);
  for (const Location& location : first.locations) {
    answers.of.push_back(AnswerOf(first, location));
  }
  answers.comments = first.comments;
  return answers;
}

std::vector<uint64_t> SpreadAddresses(const std::string& path, size_t count) {
  std::vector<uint64_t> addresses;
  const auto image = ElfImage::Open(path);
  if (!image.ok()) return addresses;
  uint64_t code = 0;
  for (const ElfImage::Section& section : (*image)->sections()) {
    if (section.executable) code += section.end - section.address;
  }
  const uint64_t step =
      std::max<uint64_t>(1, code / std::max<size_t>(1, count));
  for (const ElfImage::Section& section : (*image)->sections()) {
    if (!section.executable) continue;
    for (uint64_t at = section.address; at < section.end; at += step) {
      addresses.push_back(at);
    }
  }
  return addresses;
}

const char* NameOf(Difference difference) {
  switch (difference) {
    case Difference::kNone:
      return "the same";
    case Difference::kNoLine:
      return "a file without line";
    case Difference::kDirectoryTwice:
      return "a directory twice";
    case Difference::kPartOfFunction:
      return "a part of the function";
    case Difference::kAlias:
      return "another name of the function";
    case Difference::kDifferent:
      return "different";
  }
  return "";
}

Difference DifferenceBetween(const Answer& ours, const Answer& theirs) {
  Difference worst = Difference::kNone;
  if (ours.size() != theirs.size()) return Difference::kDifferent;
  for (size_t i = 0; i < ours.size(); ++i) {
    worst = std::max(worst, DifferenceOfPlace(ours[i], theirs[i]));
    worst = std::max(worst, DifferenceOfName(ours[i], theirs[i],
                                             /*inlined=*/i + 1 < ours.size()));
  }
  return worst;
}

std::string ToString(const Answer& answer) {
  std::string text;
  for (const AnsweredFrame& frame : answer) {
    absl::StrAppend(&text, "    ", frame.function, " (", frame.file, ":",
                    frame.line, ")\n");
  }
  return text;
}

}  // namespace wallprof::symbolize
