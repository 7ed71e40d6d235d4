#include "tests/capture/collected.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace wallprof::capture {

std::string NamedSample::label(const std::string& key) const {
  for (const Label& each : labels) {
    if (each.key != key) continue;
    return each.text.empty() ? std::to_string(each.number) : each.text;
  }
  return "";
}

bool NamedSample::has(const std::string& part) const {
  return std::any_of(stack.begin(), stack.end(), [&](const std::string& name) {
    return name.find(part) != std::string::npos;
  });
}

Collected::Collected(const Profile& profile) {
  if (const absl::Status valid = CheckValid(profile); !valid.ok()) {
    throw std::runtime_error(valid.ToString());
  }
  std::map<uint64_t, std::string> functions;
  for (const Function& function : profile.functions) {
    functions[function.id] = function.name;
  }
  std::map<uint64_t, const Location*> locations;
  for (const Location& location : profile.locations) {
    locations[location.id] = &location;
  }
  for (const Sample& sample : profile.samples) {
    NamedSample named;
    named.labels = sample.labels;
    named.samples = sample.values.at(0);
    for (size_t i = 0; i < sample.values.size(); ++i) {
      const std::string& type = profile.sample_types[i].type;
      if (type == "cpu") named.cpu_ns = sample.values[i];
      if (type == "wall" || type == "lockwait") {
        named.wall_ns = sample.values[i];
      }
    }
    for (auto id = sample.location_ids.rbegin();
         id != sample.location_ids.rend(); ++id) {
      const auto& lines = locations.at(*id)->lines;
      for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        named.stack.push_back(functions.at(line->function_id));
      }
    }
    samples_.push_back(std::move(named));
  }
}

NamedSample Collected::Sum(const Filter& filter) const {
  NamedSample sum;
  for (const NamedSample& sample : samples_) {
    if (!filter(sample)) continue;
    sum.samples += sample.samples;
    sum.cpu_ns += sample.cpu_ns;
    sum.wall_ns += sample.wall_ns;
  }
  return sum;
}

Collected::Filter Collected::Thread(const std::string& name) {
  return [name](const NamedSample& sample) {
    return sample.label("thread") == name;
  };
}

Collected::Filter Collected::Frame(const std::string& part) {
  return [part](const NamedSample& sample) { return sample.has(part); };
}

Collected::Filter Collected::All() {
  return [](const NamedSample&) { return true; };
}

std::string Collected::Text() const {
  std::string text;
  for (const NamedSample& sample : samples_) {
    absl::StrAppend(&text, sample.label("thread"), " ", sample.label("state"),
                    " ", sample.label("wait"), ": ",
                    absl::StrJoin(sample.stack, ";"), " ", sample.samples,
                    " samples, cpu ", sample.cpu_ns, ", wall ", sample.wall_ns,
                    "\n");
  }
  return text;
}

Profiling::Profiling(const Options& options) {
  absl::StatusOr<std::unique_ptr<Profiler>> started = Profiler::Start(options);
  if (!started.ok()) throw std::runtime_error(started.status().ToString());
  profiler_ = *std::move(started);
}

Collected Profiling::Collect(absl::Duration duration,
                             const CollectOptions& how) {
  const absl::StatusOr<Profile> profile = profiler_->Collect(duration, how);
  if (!profile.ok()) throw std::runtime_error(profile.status().ToString());
  return Collected(*profile);
}

void NameThread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

__attribute__((noinline)) void Compute(const std::function<bool()>& done) {
  volatile uint64_t sink = 0;
  while (!done()) {
    for (int i = 0; i < 10'000; ++i) sink = sink + static_cast<uint64_t>(i);
  }
}

int StatusOfChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    alarm(60);
    int status = 125;
    try {
      status = body();
    } catch (const std::exception& error) {
      fprintf(stderr, "child: %s\n", error.what());
    }
    _exit(status);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace wallprof::capture
