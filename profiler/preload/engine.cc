#include "profiler/preload/engine.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fleet/bundle/heap_statistics.h"
#include "fleet/bundle/identity.h"
#include "profiler/capture/engine.h"
#include "profiler/preload/http_engine.h"
#include "profiler/recorded_profiler.h"
#include "profiler/threads/proc_file.h"
#include "wallprof/bundle.h"
#include "wallprof/bundle_schedule.h"
#include "wallprof/formats.h"
#include "wallprof/http.h"
#include "wallprof/merge.h"
#include "wallprof/profiler.h"

namespace wallprof {
namespace {

// What runs in this process; never destroyed by static destruction, since the
// program's end may come from any thread.
struct Running {
  std::unique_ptr<Profiler> profiler;
  std::unique_ptr<ProfileSource> source;
  // Ready once `server` stands, or never will; not valid without listening.
  std::future<void> listening;
  std::unique_ptr<Server> server;
  BundleOptions bundle;
  std::string bundle_dir;
  std::unique_ptr<BundleSchedule> bundles;  // nullptr: none are taken
  std::string output;
  View view = View::kWall;
};
Running* g_running = nullptr;

bool IsOn(const char* variable) {
  return variable != nullptr && std::string_view(variable) == "1";
}

absl::StatusOr<int> ParseHz(std::string_view text) {
  int hz = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), hz);
  Options options;
  options.frequency_hz = hz;
  if (error != std::errc() || end != text.data() + text.size() ||
      !options.Validate().ok()) {
    return absl::InvalidArgumentError(
        "WALLPROF_HZ must be a whole number from 1 to 1000, not " +
        std::string(text));
  }
  return hz;
}

absl::StatusOr<View> ParseView(std::string_view text) {
  if (const std::optional<View> view = ViewOfName(text)) return *view;
  return absl::InvalidArgumentError(
      "WALLPROF_VIEW must be wall, cpu, offcpu or blockedby, not " +
      std::string(text));
}

// What is asked for, or else what there is to see.
absl::StatusOr<View> ViewOf(const wallprof_request& request) {
  const bool cpu_only = IsOn(request.cpu_only);
  if (request.view == nullptr) return cpu_only ? View::kCpu : View::kWall;
  absl::StatusOr<View> view = ParseView(request.view);
  if (view.ok() && cpu_only && *view != View::kCpu) {
    return absl::InvalidArgumentError(
        "WALLPROF_VIEW must be cpu with WALLPROF_CPU_ONLY=1, not " +
        std::string(request.view));
  }
  return view;
}

std::string WithPid(std::string path) {
  const std::string pid = std::to_string(getpid());
  for (size_t at = path.find("%p"); at != std::string::npos;
       at = path.find("%p", at + pid.size())) {
    path.replace(at, 2, pid);
  }
  return path;
}

// A line on the program's standard error. On threads of ours descriptor 2 is
// another; the program's is then copied from its main thread's table.
void Say(const std::string& sentence) {
  const threads::FileDescriptor program(
      static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  const threads::FileDescriptor copy(static_cast<int>(
      syscall(SYS_pidfd_getfd, program.get(), STDERR_FILENO, 0)));
  dprintf(copy.valid() ? copy.get() : STDERR_FILENO, "wallprof: %s\n",
          sentence.c_str());
}

bool EndsInPortZero(std::string_view address) {
  return address == "0" || address.ends_with(":0");
}

absl::Status StartProfiler(const wallprof_request& request, Running& running) {
  Options options;
  options.signal = WALLPROF_ENGINE_SIGNAL;
  if (request.hz != nullptr) {
    absl::StatusOr<int> hz = ParseHz(request.hz);
    if (!hz.ok()) return hz.status();
    options.frequency_hz = *hz;
  }
  options.cpu_only = IsOn(request.cpu_only);
  if (request.record_dir != nullptr) options.record_dir = request.record_dir;
  options.record = request.record_dir != nullptr || IsOn(request.record);
  RecordedProfiler::Where where;
  threads::FileDescriptor file;
  if (request.recording != nullptr) {
    file = threads::FileDescriptor(open(request.recording, O_RDWR | O_CLOEXEC));
    if (!file.valid()) {
      return absl::NotFoundError(std::string("cannot open the recording ") +
                                 request.recording + ": " + strerror(errno));
    }
    where.file = file.get();
  }
  where.keep_threads = true;
  where.keep_everything =
      request.recording != nullptr || request.output != nullptr;
  absl::StatusOr<std::unique_ptr<Profiler>> profiler =
      RecordedProfiler::Start(options, where);
  if (!profiler.ok()) return profiler.status();
  running.profiler = *std::move(profiler);
  return absl::OkStatus();
}

// The HTTP half lies beside this object.
absl::StatusOr<decltype(&wallprof_engine_serve)> LoadHttp() {
  Dl_info self;
  if (dladdr(&g_running, &self) == 0) {
    return absl::InternalError("cannot tell where the engine lies");
  }
  const std::string path = std::filesystem::path(self.dli_fname).parent_path() /
                           "libwallprof_engine_http.so";
  // As around a fork: a child must not be made of a half-loaded module.
  capture::Engine::BeforeFork();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  capture::Engine::AfterForkInParent();
  if (library == nullptr) return absl::NotFoundError(dlerror());
  auto* serve = reinterpret_cast<decltype(&wallprof_engine_serve)>(
      dlsym(library, "wallprof_engine_serve"));
  if (serve == nullptr) return absl::NotFoundError(dlerror());
  return serve;
}

absl::Status Listen(const std::string& address, Running& running) {
  const auto serve = LoadHttp();
  if (!serve.ok()) return serve.status();
  HttpEngineRequest request;
  request.address = address;
  request.options.bundle = running.bundle;
  request.source = running.source.get();
  request.spawn = [&running](const std::string& name,
                             std::function<void()> body) {
    return running.profiler->RunPrivately(name, std::move(body));
  };
  (*serve)(&request);
  if (!request.server.ok()) return request.server.status();
  running.server = *std::move(request.server);
  if (EndsInPortZero(address)) {
    Say("serving " + running.server->url());
  }
  return absl::OkStatus();
}

// On a thread of ours, so that the program does not wait for the libraries.
absl::Status StartListening(const std::string& address, Running& running) {
  auto listening = std::make_shared<std::promise<void>>();
  running.listening = listening->get_future();
  return running.profiler->RunPrivately("wallprof-start", [address, listening,
                                                           &running] {
    const absl::Status status = Listen(address, running);
    if (!status.ok()) {
      Say("cannot listen on " + address + ": " + std::string(status.message()));
    }
    listening->set_value();
  });
}

// What this process's bundles have. Its allocator and its libc are others than
// the engine's.
BundleOptions BundleOptionsOf(const wallprof_request& request) {
  BundleOptions options;
  options.heap_statistics = nullptr;
  if (request.mallinfo != nullptr) {
    auto heap = std::make_shared<bundle::HeapStatistics>(request.mallinfo);
    options.heap_statistics = [heap] { return heap->Read(); };
  }
  if (request.bundle_process != nullptr) {
    const std::string process = request.bundle_process;
    // A child has its parent's environment, and an id of its own.
    if (bundle::IsProcessId(process) &&
        process.substr(process.rfind('-') + 1) == std::to_string(getpid())) {
      options.identity.process = process;
    }
  }
  return options;
}

absl::Status StartBundles(const std::string& directory, Running& running) {
  BundleScheduleOptions options;
  const absl::Duration profile = options.bundle.profile;
  options.bundle = running.bundle;
  options.bundle.profile = profile;
  options.directory = running.bundle_dir = directory;
  absl::StatusOr<std::unique_ptr<BundleSchedule>> bundles =
      BundleSchedule::Start(options, *running.profiler);
  if (!bundles.ok()) return bundles.status();
  running.bundles = *std::move(bundles);
  return absl::OkStatus();
}

absl::Status Start(const wallprof_request& request) {
  auto running = std::make_unique<Running>();
  const absl::StatusOr<View> view = ViewOf(request);
  if (!view.ok()) return view.status();
  running->view = *view;
  if (request.output != nullptr) {
    running->output = WithPid(request.output);
    if (!FormatOfPath(running->output).has_value()) {
      return absl::InvalidArgumentError(
          std::string("WALLPROF_OUTPUT must end in one of ") + kFormatSuffixes +
          ", not " + running->output);
    }
  }
  if (absl::Status status = StartProfiler(request, *running); !status.ok()) {
    return status;
  }
  running->source = SourceOf(*running->profiler);
  running->bundle = BundleOptionsOf(request);
  if (request.bundle_dir != nullptr) {
    const absl::Status status = StartBundles(request.bundle_dir, *running);
    if (!status.ok()) return status;
  }
  if (request.listen != nullptr) {
    const absl::Status status =
        StartListening(WithPid(request.listen), *running);
    if (!status.ok()) return status;
  }
  g_running = running.release();
  return absl::OkStatus();
}

// On a thread of ours: its descriptors are not the program's, which may have
// none left, and a file that may not grow costs it no signal.
absl::Status Privately(Profiler& profiler,
                       const std::function<absl::Status()>& work) {
  std::promise<absl::Status> promise;
  std::future<absl::Status> done = promise.get_future();
  const absl::Status started = profiler.RunPrivately(
      "wallprof-write", [&] { promise.set_value(work()); });
  return started.ok() ? done.get() : work();
}

absl::Status WriteOutput(Running& running) {
  absl::StatusOr<Profile> profile = running.profiler->Snapshot(running.view);
  if (!profile.ok()) return profile.status();
  absl::StatusOr<Profile> seen = SelectView(*profile, running.view);
  if (!seen.ok()) return seen.status();
  return WriteFile(*seen, running.output);
}

}  // namespace
}  // namespace wallprof

#pragma GCC visibility push(default)

int wallprof_engine_start(const wallprof_request* request, char* error,
                          unsigned long error_size) {
  const absl::Status status = wallprof::Start(*request);
  if (status.ok()) return 0;
  snprintf(error, error_size, "%s", std::string(status.message()).c_str());
  return -1;
}

void wallprof_engine_finish() {
  std::unique_ptr<wallprof::Running> running(
      std::exchange(wallprof::g_running, nullptr));
  if (running == nullptr) return;
  if (running->listening.valid()) running->listening.wait();
  running->server.reset();
  if (running->bundles != nullptr) {
    running->bundles->Stop();
    const std::string error = running->bundles->Counts().last_error;
    if (!error.empty()) {
      dprintf(STDERR_FILENO, "wallprof: the last bundle is missing in %s: %s\n",
              running->bundle_dir.c_str(), error.c_str());
    }
  }
  if (!running->output.empty()) {
    const absl::Status written = wallprof::Privately(
        *running->profiler,
        [&running] { return wallprof::WriteOutput(*running); });
    if (!written.ok()) {
      dprintf(STDERR_FILENO, "wallprof: cannot write %s: %s\n",
              running->output.c_str(), std::string(written.message()).c_str());
    }
  }
}

int wallprof_engine_owns_signal(const siginfo_t* info) {
  return wallprof::capture::Engine::OwnsSignal(*info) ? 1 : 0;
}

int wallprof_engine_set_program_action(const struct sigaction* action,
                                       struct sigaction* before) {
  return wallprof::capture::Engine::SetProgramAction(action, before) ? 1 : 0;
}

void wallprof_engine_keep_off(int off) {
  wallprof::capture::Engine::KeepOffThisThread(off != 0);
}

void wallprof_engine_before_fork() { wallprof::capture::Engine::BeforeFork(); }

void wallprof_engine_after_fork_in_parent() {
  wallprof::capture::Engine::AfterForkInParent();
}

void wallprof_engine_after_fork_in_child() {
  wallprof::capture::Engine::AfterForkInChild();
  wallprof::g_running = nullptr;  // not ours to end
}

#pragma GCC visibility pop
