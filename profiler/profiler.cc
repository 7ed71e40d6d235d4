#include "wallprof/profiler.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "profiler/capture/engine.h"
#include "profiler/option_limits.h"
#include "profiler/own_world.h"
#include "profiler/recorded_profiler.h"
#include "profiler/recorder_thread.h"
#include "profiler/stacks/measured_profile.h"
#include "profiler/statistics.h"
#include "profiler/symbolize/symbolizer.h"
#include "profiler/thread_description.h"
#include "profiler/threads/label_registry.h"
#include "profiler/threads/syscall_name.h"
#include "profiler/threads/task_directory.h"
#include "profiler/wait_names.h"

namespace wallprof {
namespace {

// `measurement` as a profile without names.
Profile ProfileOf(const stacks::Recording& recording,
                  const stacks::Measurement& measurement, View view,
                  const stacks::OtherLabels& labels_of) {
  return view == View::kBlockedBy
             ? stacks::LockWaitProfile(recording, measurement,
                                       threads::SyscallName, labels_of)
             : stacks::MeasuredProfile(recording, measurement,
                                       threads::SyscallName, labels_of);
}

// Adds names, without lines from when `hurry` says true, and how the sampling
// went.
void Complete(const stacks::Measurement& measurement,
              symbolize::Symbolizer& symbolizer,
              const std::function<bool()>& hurry, Profile& profile) {
  symbolizer.Symbolize(profile, hurry);
  for (std::string& comment : stacks::LossComments(measurement)) {
    profile.comments.push_back(std::move(comment));
  }
}

std::vector<Label> ProgramLabels(const stacks::SampleKey& key) {
  std::vector<Label> labels;
  if (key.labels == 0) return labels;
  for (auto& [name, value] : threads::LabelRegistry::Get().Labels(key.labels)) {
    labels.push_back({name, value});
  }
  return labels;
}

// Servers that are asked for debug information learn what runs here, so that is
// for whoever runs it to allow.
bool DebugServersAllowed() {
  const char* allowed = std::getenv("WALLPROF_DEBUGINFOD");
  return allowed != nullptr && std::string_view(allowed) == "1";
}

absl::Status NotHere() {
  return absl::FailedPreconditionError(
      "the profiler does not run in a forked child; start one there, or set "
      "Options::restart_in_child");
}

absl::Status NothingRecorded() {
  return absl::NotFoundError(
      "This program records nothing; it would with Options::record, with "
      "`wallprof run --record` or with WALLPROF_RECORD=1.");
}

}  // namespace

// --- state -------------------------------------------------------------------

class Profiler::State {
 public:
  // `recorder` is nullptr where nothing is recorded.
  State(std::unique_ptr<capture::Engine> engine,
        symbolize::SymbolizerOptions symbolizer,
        std::shared_ptr<RecorderThread> recorder)
      : symbolizer_(std::move(symbolizer)),
        recorder_(std::move(recorder)),
        engine_(std::move(engine)) {}

  capture::Session* session() const { return engine_->session(); }
  RecorderThread* recorder() const { return recorder_.get(); }

  using Use = std::function<void(const stacks::Measurement&,
                                 const stacks::OtherLabels&)>;

  // The view that is meant; InvalidArgument where there is no such one.
  absl::StatusOr<View> ViewOf(std::optional<View> asked) const {
    const bool cpu_only = session() != nullptr && session()->cpu_only();
    if (!cpu_only) return asked.value_or(View::kWall);
    if (absl::Status status = CheckCpuView(asked); !status.ok()) return status;
    return View::kCpu;
  }

  // Measures as Collect says, and gives `use` what is to be described.
  absl::Status Measure(absl::Duration duration, const CollectOptions& options,
                       const Use& use);

  // `measurement`, named.
  Profile Describe(const stacks::Measurement& measurement, View view,
                   const std::function<bool()>& hurry,
                   const stacks::OtherLabels& labels_of = ProgramLabels) {
    Profile profile =
        ProfileOf(session()->recording(), measurement, view, labels_of);
    Complete(measurement, symbolizer_, hurry, profile);
    return profile;
  }

  symbolize::Symbolizer& symbolizer() { return symbolizer_; }

 private:
  symbolize::Symbolizer symbolizer_;
  std::shared_ptr<RecorderThread> recorder_;
  std::unique_ptr<capture::Engine> engine_;
};

Profiler::Profiler(std::unique_ptr<State> state) : state_(std::move(state)) {}

Profiler::~Profiler() = default;

absl::StatusOr<std::unique_ptr<Profiler>> Profiler::Start(
    const Options& options) {
  return RecordedProfiler::Start(options, RecordedProfiler::Where());
}

absl::StatusOr<std::unique_ptr<Profiler>> RecordedProfiler::Start(
    const Options& options, const Where& where) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  capture::SessionOptions session;
  session.frequency_hz = options.frequency_hz;
  session.signal = options.signal;
  // The rest is for modules, unwind tables and symbols.
  session.recording_bytes = options.memory_bytes / 2;
  session.request_bytes = options.memory_bytes / 4;
  session.recording_fd = where.file;
  session.keep_everything = where.keep_everything;
  session.keep_threads = where.keep_threads;
  session.cpu_only = options.cpu_only;
  std::shared_ptr<RecorderThread> recorder;
  if (options.record) {
    recorder = std::make_shared<RecorderThread>(
        record::RecorderOptions{options.record_memory_bytes, options.record_dir,
                                options.record_dir_bytes});
    session.companion = [recorder](capture::Session& running) {
      recorder->Run(running);
    };
  }
  absl::StatusOr<std::unique_ptr<capture::Engine>> engine =
      capture::Engine::Start(session, options.restart_in_child);
  if (!engine.ok()) return engine.status();
  symbolize::SymbolizerOptions symbolizer;
  symbolizer.source_bytes = options.debug_memory_bytes;
  symbolizer.debug_places.servers = DebugServersAllowed();
  return std::unique_ptr<Profiler>(
      new Profiler(std::make_unique<Profiler::State>(
          *std::move(engine), std::move(symbolizer), std::move(recorder))));
}

absl::StatusOr<Profile> RecordedProfiler::Read(int file,
                                               std::optional<View> asked) {
  absl::StatusOr<std::unique_ptr<stacks::Recording>> recording =
      stacks::Recording::Open(file);
  if (!recording.ok()) return recording.status();
  stacks::Recording& made = **recording;
  if (made.cpu_only()) {
    if (absl::Status status = CheckCpuView(asked); !status.ok()) return status;
  }
  const stacks::Frame not_sampled =
      stacks::Frame::Pseudo(stacks::PseudoFrame::kNotSampled);
  stacks::Measurement measurement = stacks::Difference(
      made, stacks::EmptySnapshot(made), stacks::TakeSnapshot(made),
      made.table().Intern({&not_sampled, 1}));
  stacks::ForgetTargets(measurement);
  // Labels are of the other process.
  Profile profile =
      ProfileOf(made, measurement, asked.value_or(View::kWall),
                [](const stacks::SampleKey&) { return std::vector<Label>(); });
  symbolize::Symbolizer symbolizer;
  Complete(measurement, symbolizer, {}, profile);
  return profile;
}

absl::Status Profiler::State::Measure(absl::Duration duration,
                                      const CollectOptions& options,
                                      const Use& use) {
  capture::Session* session = this->session();
  if (session == nullptr) return NotHere();
  if (duration <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the duration must be above zero, not ",
                     absl::FormatDuration(duration)));
  }
  if (options.frequency_hz != 0) {
    if (absl::Status status = CheckFrequency(options.frequency_hz);
        !status.ok()) {
      return status;
    }
    if (session->cpu_only() && options.frequency_hz > session->frequency_hz()) {
      return FixedFrequencyError(session->frequency_hz());
    }
  }
  capture::Session::MeasureOptions how{options.frequency_hz, options.detail,
                                       options.cancelled, options.enough};
  if (!options.detail) {
    return session->Measure(duration, how,
                            [&](const stacks::Measurement& measurement) {
                              use(measurement, ProgramLabels);
                            });
  }
  // Names for what samples wait for, looked up while they do.
  WaitNames names(session->recording());
  how.cancelled = [&] {
    names.Update();
    return options.cancelled && options.cancelled();
  };
  return session->Measure(duration, how,
                          [&](const stacks::Measurement& measurement) {
                            use(measurement, [&](const stacks::SampleKey& key) {
                              std::vector<Label> labels = ProgramLabels(key);
                              for (Label& label : names.LabelsOf(key.target)) {
                                labels.push_back(std::move(label));
                              }
                              return labels;
                            });
                          });
}

absl::StatusOr<Profile> Profiler::Collect(absl::Duration duration,
                                          const CollectOptions& options) {
  const absl::StatusOr<View> view = state_->ViewOf(options.view);
  if (!view.ok()) return view.status();
  Profile profile;
  const absl::Status measured =
      state_->Measure(duration, options,
                      [&](const stacks::Measurement& measurement,
                          const stacks::OtherLabels& labels_of) {
                        profile = state_->Describe(measurement, *view,
                                                   options.enough, labels_of);
                      });
  if (!measured.ok()) return measured;
  return profile;
}

std::vector<absl::StatusOr<Profile>> Profiler::CollectViews(
    absl::Duration duration, const std::vector<View>& views,
    const CollectOptions& options) {
  std::vector<absl::StatusOr<Profile>> profiles;
  const absl::Status measured = state_->Measure(
      duration, options,
      [&](const stacks::Measurement& measurement,
          const stacks::OtherLabels& labels_of) {
        std::optional<Profile> wall;
        for (const View view : views) {
          if (absl::Status status = state_->ViewOf(view).status();
              !status.ok()) {
            profiles.push_back(status);
            continue;
          }
          if (view == View::kBlockedBy) {
            profiles.push_back(
                state_->Describe(measurement, view, options.enough, labels_of));
            continue;
          }
          if (!wall) {
            wall = state_->Describe(measurement, View::kWall, options.enough,
                                    labels_of);
          }
          profiles.push_back(SelectView(*wall, view));
        }
      });
  if (!measured.ok()) profiles.assign(views.size(), measured);
  return profiles;
}

absl::StatusOr<Profile> Profiler::Snapshot(std::optional<View> asked) {
  capture::Session* session = state_->session();
  if (session == nullptr) return NotHere();
  const absl::StatusOr<View> view = state_->ViewOf(asked);
  if (!view.ok()) return view.status();
  Profile profile;
  const absl::Status measured =
      session->MeasureAll([&](const stacks::Measurement& measurement) {
        profile = state_->Describe(measurement, *view, {});
      });
  if (!measured.ok()) return measured;
  return profile;
}

absl::StatusOr<Profile> Profiler::Past(absl::Time from, absl::Time to,
                                       const PastOptions& options) {
  capture::Session* session = state_->session();
  if (session == nullptr) return NotHere();
  if (state_->recorder() == nullptr) return NothingRecorded();
  if (from >= to) {
    return absl::InvalidArgumentError(
        "what is asked for ends before it begins");
  }
  absl::StatusOr<Profile> profile =
      state_->recorder()->Between(*session, from, to, options);
  if (profile.ok()) state_->symbolizer().Symbolize(*profile);
  return profile;
}

absl::StatusOr<Recorded> Profiler::DescribeRecorded() const {
  if (state_->session() == nullptr) return NotHere();
  if (state_->recorder() == nullptr) return NothingRecorded();
  return state_->recorder()->Describe();
}

std::vector<ThreadInfo> Profiler::Threads() {
  std::vector<ThreadInfo> threads;
  capture::Session* session = state_->session();
  if (session == nullptr) return threads;
  std::vector<capture::ThreadView> views;
  stacks::Measurement measurement;
  Profile profile;
  const absl::Status visited =
      session->VisitThreads([&](const std::vector<capture::ThreadView>& found) {
        views = found;
        // A sample a thread, so that the stacks can be named like any. Made
        // here, where the table cannot be emptied meanwhile.
        for (const capture::ThreadView& view : views) {
          stacks::Measured sample;
          sample.key.stack = view.stack;
          if (view.stack != stacks::kNoStack) {
            measurement.samples.push_back(sample);
          }
        }
        profile = stacks::MeasuredProfile(session->recording(), measurement,
                                          threads::SyscallName, ProgramLabels);
      });
  if (!visited.ok()) return threads;
  state_->symbolizer().Symbolize(profile);
  const threads::TaskDirectory tasks;
  const OwnWorld own;
  auto sample = profile.samples.begin();
  for (const capture::ThreadView& view : views) {
    std::vector<std::string> stack;
    if (view.stack != stacks::kNoStack) stack = FrameNames(profile, *sample++);
    threads.push_back(
        DescribeThread(view, std::move(stack), tasks, own.world()));
  }
  std::sort(
      threads.begin(), threads.end(),
      [](const ThreadInfo& a, const ThreadInfo& b) { return a.tid < b.tid; });
  return threads;
}

Statistics Profiler::Stats() const {
  capture::Session* session = state_->session();
  if (session == nullptr) return {};
  Statistics statistics = StatisticsOf(*session);
  statistics.memory_bytes +=
      static_cast<int64_t>(symbolize::SymbolizerOptions().cache_bytes);
  if (state_->recorder() != nullptr) {
    statistics.memory_bytes += state_->recorder()->memory_bytes();
  }
  return statistics;
}

absl::Status Profiler::RunPrivately(const std::string& name,
                                    std::function<void()> body) {
  capture::Session* session = state_->session();
  if (session == nullptr) return NotHere();
  return session->RunPrivately(name, std::move(body));
}

absl::Status Profiler::RunUnsampled(const std::string& name,
                                    std::function<void()> body) {
  capture::Session* session = state_->session();
  if (session == nullptr) return NotHere();
  return session->RunUnsampled(name, std::move(body));
}

}  // namespace wallprof
