#include "profiler/capture/engine.h"

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <new>

#include "profiler/capture/signal/handler.h"
#include "profiler/threads/label_registry.h"
#include "profiler/unwind/libunwind.h"

namespace wallprof::capture {
namespace {

// Guards starting and stopping; and taken around a fork, so that no half-made
// engine is forked.
std::mutex& StartMutex() {
  static std::mutex mutex;
  return mutex;
}

std::atomic<Engine*> g_engine{nullptr};

// For which a handler is installed; it stays so. 0: none yet.
std::atomic<int> g_signal{0};

// When the program is loaded: a child forked during the first Start would find
// the lock held.
const int g_fork_error = [] {
  // Registers too. First, so that its lock is taken after ours: the sampler may
  // want it during a tick.
  threads::LabelRegistry::Get();
  StartMutex();
  return pthread_atfork(Engine::BeforeFork, Engine::AfterForkInParent,
                        Engine::AfterForkInChild);
}();

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Start(
    const SessionOptions& options, bool restart_in_child) {
  // Made before the lock is taken: one that fails to start is destroyed after
  // the lock is given back, since its destructor takes it.
  std::unique_ptr<Engine> engine(new Engine(options, restart_in_child));
  std::lock_guard lock(StartMutex());
  if (g_engine.load() != nullptr) {
    return absl::AlreadyExistsError(
        "this process has a profiler already; use that one, or destroy it "
        "first");
  }
  absl::Status loaded;
  engine->loader_ =
      unwind::LoaderWatch::Find([&] { loaded = unwind::LibUnwind::Load(); });
  if (!loaded.ok()) return loaded;
  absl::StatusOr<std::unique_ptr<Session>> session =
      Session::Start(options, engine->loader_);
  if (!session.ok()) return session.status();
  engine->session_ = *std::move(session);
  g_signal.store(options.signal);
  if (g_fork_error != 0) {
    return absl::ErrnoToStatus(g_fork_error, "registering for forks");
  }
  g_engine.store(engine.get());
  return engine;
}

Engine::~Engine() {
  std::lock_guard lock(StartMutex());
  session_.reset();
  if (g_engine.load() == this) g_engine.store(nullptr);
}

bool Engine::SetProgramAction(const struct sigaction* action,
                              struct sigaction* before) {
  const int signal = g_signal.load();
  return signal != 0 && capture::SetProgramAction(signal, action, before);
}

void Engine::KeepOffThisThread(bool off) {
  BeforeFork();
  Engine* engine = g_engine.load();
  if (engine != nullptr && engine->session_) {
    engine->session_->KeepOff(threads::OwnTid(), off);
  }
  AfterForkInParent();
}

bool Engine::OwnsSignal(const siginfo_t& info) { return IsOurs(info); }

void Engine::BeforeFork() {
  StartMutex().lock();
  Engine* engine = g_engine.load();
  if (engine != nullptr && engine->session_) engine->session_->Park();
}

void Engine::AfterForkInParent() {
  Engine* engine = g_engine.load();
  if (engine != nullptr && engine->session_) engine->session_->Unpark();
  StartMutex().unlock();
}

// The child has one thread, and no sampler. Its session is left as it stands,
// never destroyed: its locks may be held by threads that are not here, and its
// descriptors are numbers of a table that is not here either.
void Engine::AfterForkInChild() {
  Engine* engine = g_engine.load();
  if (engine != nullptr && engine->session_) {
    engine->session_.release();
    unwind::LibUnwind::ForgetSampler();
    g_engine.store(nullptr);
    if (engine->restart_in_child_) {
      absl::StatusOr<std::unique_ptr<Session>> session =
          Session::Start(engine->options_, engine->loader_);
      if (session.ok()) {
        engine->session_ = *std::move(session);
        g_engine.store(engine);
      }
    }
  }
  StartMutex().unlock();
}

}  // namespace wallprof::capture
