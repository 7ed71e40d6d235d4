#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/child_process.h"
#include "cli/command.h"
#include "cli/final_bundle.h"
#include "cli/profile_file.h"
#include "cli/top_table.h"
#include "cli/verb.h"
#include "profiler/profile/top_functions.h"
#include "profiler/recorded_profiler.h"
#include "profiler/threads/proc_file.h"

namespace wallprof::cli {
namespace {

constexpr size_t kRowsShown = 20;

// What CLI11 gives for an option without its value. A directory of this name
// can be given as ./true.
constexpr char kInMemory[] = "true";

struct Arguments {
  std::string output;
  std::optional<Format> format;  // of `output`
  std::optional<int> hz;
  std::optional<View> view;
  std::string listen;
  std::string record;  // a directory, kInMemory, or empty: nothing is recorded
  std::string bundle_dir;  // empty: no bundles
  bool cpu_only = false;
  std::vector<std::string> command;
};

void Say(const std::string& sentence) {
  std::cerr << "wallprof: " << sentence << std::endl;
}

// In the child: the environment that the preloaded object reads.
void SetEnvironment(const Arguments& arguments, const std::string& preload,
                    const std::string& recording,
                    const FinalBundle& final_bundle) {
  const char* others = getenv("LD_PRELOAD");
  setenv("LD_PRELOAD",
         others == nullptr || *others == '\0'
             ? preload.c_str()
             : absl::StrCat(preload, ":", others).c_str(),
         1);
  // This process and what it becomes by exec, not its children.
  setenv("WALLPROF_PID", absl::StrCat(getpid()).c_str(), 1);
  setenv("WALLPROF_RECORDING", recording.c_str(), 1);
  unsetenv("WALLPROF_OUTPUT");    // the recording is written here
  unsetenv("WALLPROF_CHILDREN");  // and has room for one process
  if (arguments.hz) {
    setenv("WALLPROF_HZ", absl::StrCat(*arguments.hz).c_str(), 1);
  }
  if (arguments.cpu_only) setenv("WALLPROF_CPU_ONLY", "1", 1);
  if (!arguments.listen.empty()) {
    setenv("WALLPROF_LISTEN", arguments.listen.c_str(), 1);
  }
  if (!arguments.bundle_dir.empty()) {
    setenv("WALLPROF_BUNDLE_DIR", final_bundle.directory().c_str(), 1);
    setenv("WALLPROF_BUNDLE_PROCESS", final_bundle.ProcessOf(getpid()).c_str(),
           1);
  }
  if (arguments.record == kInMemory) {
    setenv("WALLPROF_RECORD", "1", 1);
  } else if (!arguments.record.empty()) {
    // The command may go elsewhere.
    setenv("WALLPROF_RECORD_DIR",
           std::filesystem::absolute(arguments.record).c_str(), 1);
  }
}

absl::Status Report(const Arguments& arguments, int recording) {
  absl::StatusOr<Profile> profile =
      RecordedProfiler::Read(recording, arguments.view);
  if (!profile.ok()) return profile.status();
  const View view = arguments.view.value_or(
      SampleTypeIndex(*profile, "wall") < 0 ? View::kCpu : View::kWall);
  if (!arguments.output.empty()) {
    absl::StatusOr<Profile> seen = SelectView(*profile, view);
    if (!seen.ok()) return seen.status();
    return WriteProfile(*seen, arguments.output, *arguments.format);
  }
  std::cerr << TopTable(ComputeTopFunctions(*profile, view), kRowsShown)
            << LossLine(*profile);
  return absl::OkStatus();
}

// Before the command runs: afterwards there would be nothing to read.
absl::Status PrepareDirectory(const std::string& purpose,
                              const std::string& directory) {
  if (directory.empty() || directory == kInMemory) return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error && access(directory.c_str(), W_OK | X_OK) == 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("cannot ", purpose, " to ", directory, ": ",
                   error ? error.message() : strerror(errno)));
}

absl::Status Run(const Arguments& arguments, int& exit_status) {
  absl::StatusOr<std::string> preload = PreloadPath();
  if (!preload.ok()) return preload.status();
  absl::Status prepared = PrepareDirectory("record", arguments.record);
  if (prepared.ok()) {
    prepared = PrepareDirectory("write bundles", arguments.bundle_dir);
  }
  if (!prepared.ok()) return prepared;
  const std::optional<std::string> objection =
      WhyNotRecorded(arguments.command[0]);
  if (objection) Say(absl::StrCat(*objection, "; nothing is recorded"));
  const threads::FileDescriptor recording(
      memfd_create("wallprof-recording", MFD_CLOEXEC));
  if (!recording.valid()) {
    return absl::ErrnoToStatus(errno, "making the recording's memory");
  }
  const std::string recording_path =
      absl::StrCat("/proc/", getpid(), "/fd/", recording.get());
  const FinalBundle final_bundle(arguments.bundle_dir);
  const absl::StatusOr<Ended> ended = RunChild(arguments.command, [&] {
    if (!objection) {
      SetEnvironment(arguments, *preload, recording_path, final_bundle);
    }
  });
  if (!ended.ok()) return ended.status();
  exit_status = ended->exit_status;
  const bool wants_report =
      !arguments.output.empty() || arguments.listen.empty();
  if (objection || !ended->executed) return absl::OkStatus();
  if (!arguments.bundle_dir.empty()) {
    const absl::Status written = final_bundle.WriteIfMissing(
        arguments.command[0], *ended, recording.get());
    // That nothing was recorded is said once.
    if (!written.ok() && !(absl::IsNotFound(written) && wants_report)) {
      Say(std::string(written.message()));
    }
  }
  if (!wants_report) return absl::OkStatus();
  // The command's own status stays, whatever becomes of the profile.
  const absl::Status reported = Report(arguments, recording.get());
  if (!reported.ok()) Say(std::string(reported.message()));
  return absl::OkStatus();
}

// CLI11 knows options that exclude each other, not values.
void CheckTogether(const Arguments& arguments) {
  if (!arguments.cpu_only) return;
  if (arguments.view.value_or(View::kCpu) != View::kCpu) {
    throw CLI::ValidationError("--view", "must be cpu with --cpu-only");
  }
  if (!arguments.record.empty()) {
    throw CLI::ValidationError(
        "--record", "does not go with --cpu-only: it keeps wall time");
  }
}

}  // namespace

void AddRun(CLI::App& program, int& exit_status) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = AddVerb(program, "run", "Runs a command and profiles it",
                           exit_status, [arguments, &exit_status] {
                             CheckTogether(*arguments);
                             if (!arguments->output.empty()) {
                               arguments->format = OutputFormat(
                                   arguments->output, std::nullopt);
                             }
                             return Run(*arguments, exit_status);
                           });
  verb->footer(
      "wallprof run [OPTIONS] -- CMD...\n\n"
      "Without -o and --listen, the functions that took most time are shown\n"
      "when CMD has ended. Its exit status is that of wallprof.");
  verb->add_option("-o", arguments->output,
                   "File to write the profile to; the suffix tells the format");
  verb->add_option_function<int>(
          "--hz", [arguments](int hz) { arguments->hz = hz; },
          "Looks at each thread a second (99)")
      ->check(CLI::Range(1, 1000));
  verb->add_flag("--cpu-only", arguments->cpu_only,
                 "Measure CPU time alone: threads that wait cost nothing, and "
                 "--hz is samples a second of CPU time");
  AddViewOption(*verb, arguments->view);
  verb->add_option("--listen", arguments->listen,
                   "Address to serve profiles on while CMD runs");
  verb->add_flag("--record", arguments->record,
                 "Keep the last day, for fetch --from; with =DIR, write it to "
                 "that directory too, for top and convert");
  verb->add_option("--bundle-dir", arguments->bundle_dir,
                   "Directory for bundles of CMD: one soon, one every two "
                   "minutes, one at the end, however that comes");
  verb->add_option("CMD", arguments->command, "Command and its arguments")
      ->required();
}

}  // namespace wallprof::cli
