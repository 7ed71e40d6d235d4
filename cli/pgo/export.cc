#include "fleet/pgo/export/export.h"

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/pgo/client_options.h"
#include "cli/pgo/export_source.h"
#include "cli/pgo/verb.h"
#include "cli/profile_file.h"
#include "wallprof/profile.h"

namespace wallprof::cli {
namespace {

struct Arguments {
  ClientArguments client;
  std::string format = "llvm";
  std::string match = "build-id";
  std::string binary;
  std::string output = "-";
  std::string source;  // APP|FILE
};

const std::map<std::string, pgo::ExportFormat> kFormats = {
    {"llvm", pgo::ExportFormat::kLlvm},
    {"autofdo-text", pgo::ExportFormat::kAutofdoText},
    {"bolt", pgo::ExportFormat::kBolt},
    {"gcc", pgo::ExportFormat::kGcc},
    {"go", pgo::ExportFormat::kGo}};

const std::set<std::string> kBinaryFormats = {"gcc", "go"};

const std::map<std::string, pgo::Match> kMatches = {
    {"build-id", pgo::Match::kBuildId},
    {"name", pgo::Match::kName},
    {"lines", pgo::Match::kLines}};

// Says on a terminal what takes the time, which is seconds for large programs;
// gone when destroyed.
class Working {
 public:
  explicit Working(const std::string& binary)
      : visible_(!binary.empty() && isatty(STDERR_FILENO) != 0) {
    if (visible_) std::cerr << "reading what " << binary << " is made of ...";
  }

  ~Working() {
    if (visible_) std::cerr << "\r\033[K" << std::flush;
  }

  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;

 private:
  const bool visible_;
};

bool IsSameFile(const std::string& one, const std::string& other) {
  std::error_code error;
  return !one.empty() && !other.empty() &&
         std::filesystem::equivalent(one, other, error);
}

void Check(const Arguments& arguments) {
  if (arguments.format != "go" && arguments.binary.empty()) {
    throw CLI::ValidationError(
        "--binary", "the program or library that was profiled is needed");
  }
  if (arguments.format != "llvm" && arguments.match == "lines") {
    throw CLI::ValidationError("--match", "lines are for --format llvm alone");
  }
  if (arguments.output.empty()) {
    throw CLI::ValidationError("--output", "is empty");
  }
  if (IsSameFile(arguments.output, arguments.binary) ||
      IsSameFile(arguments.output, arguments.source)) {
    throw CLI::ValidationError("--output", "would replace what is read");
  }
  if (arguments.output == "-" && kBinaryFormats.count(arguments.format) > 0 &&
      isatty(STDOUT_FILENO) != 0) {
    throw CLI::ValidationError("--output", "is needed: this is no text");
  }
}

absl::Status Export(const Arguments& arguments) {
  Check(arguments);
  absl::StatusOr<Profile> profile =
      ReadExportSource(arguments.source, arguments.client);
  if (!profile.ok()) return profile.status();
  pgo::ExportOptions options;
  options.format = kFormats.at(arguments.format);
  options.match = kMatches.at(arguments.match);
  options.binary = arguments.binary;
  const absl::StatusOr<pgo::Exported> exported = [&] {
    const Working working(arguments.binary);
    return pgo::Export(*std::move(profile), options);
  }();
  if (!exported.ok()) return exported.status();
  absl::Status written = arguments.output == "-"
                             ? Print(exported->bytes)
                             : WriteBytes(exported->bytes, arguments.output);
  if (!written.ok()) return written;
  arguments.client.TellLines(ToText(exported->report));
  return absl::OkStatus();
}

template <typename Value>
std::vector<std::string> NamesOf(const std::map<std::string, Value>& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  return names;
}

}  // namespace

void AddPgoExport(CLI::App& group, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddPgoVerb(
      group, "export",
      "Writes a profile as compilers and linkers read it: clang, GCC, "
      "AutoFDO's tools, BOLT, Go",
      exit_status, [arguments] { return Export(*arguments); });
  verb->add_option("source", arguments->source,
                   "File of a profile (- is standard input), or what the "
                   "program is called at the server")
      ->type_name("APP|FILE")
      ->required();
  verb->add_option("-f,--format", arguments->format, "Who reads it")
      ->capture_default_str()
      ->check(CLI::IsMember(NamesOf(kFormats)));
  verb->add_option("-b,--binary", arguments->binary,
                   "The program or library that was profiled; Go's needs none")
      ->type_name("FILE");
  verb->add_option("--match", arguments->match,
                   "How the profile's code is known to be the binary's: by its "
                   "build id; by the file's name alone; or by functions and "
                   "lines in place of addresses, for another build")
      ->capture_default_str()
      ->check(CLI::IsMember(NamesOf(kMatches)));
  verb->add_option("-o,--output", arguments->output,
                   "File to write, whole or not at all; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  arguments->client.AddTo(*verb);
  arguments->client.AddLogLevelTo(*verb);
  verb->footer(absl::StrCat(
      "The binary is the one that was profiled, built with debug information:\n"
      "  clang++ -O2 -gline-tables-only -fdebug-info-for-profiling \\\n"
      "    -funique-internal-linkage-names ...\n"
      "  wallprof run --cpu-only --hz 999 -o shop.pb.gz -- ./shop\n"
      "  wallprof pgo export --binary ./shop -o shop.prof shop.pb.gz\n"
      "  clang++ ... -fprofile-sample-use=shop.prof \\\n"
      "    -mllvm -sample-profile-use-profi\n"
      "A report goes to standard error. docs/faster-builds.md has what the "
      "other "
      "formats need.\n\n",
      verb->get_footer()));
}

}  // namespace wallprof::cli
