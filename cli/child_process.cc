#include "cli/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "profiler/threads/proc_file.h"

namespace wallprof::cli {
namespace {

constexpr int kSignalBase = 128;
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;

// Signals that wait to be handed on; also that of the child's end where the
// caller of this program ignores it.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&held_);
    for (const int signal :
         {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD}) {
      sigaddset(&held_, signal);
    }
    sigprocmask(SIG_BLOCK, &held_, &mask_before_);
    // A profile that may not grow is an error to tell, not an end.
    sigset_t too_large;
    sigemptyset(&too_large);
    sigaddset(&too_large, SIGXFSZ);
    sigprocmask(SIG_BLOCK, &too_large, nullptr);
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, &child_action_before_);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // As it was, for the command.
  void Release() const {
    sigaction(SIGCHLD, &child_action_before_, nullptr);
    sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }

  siginfo_t Await() const {
    siginfo_t info = {};
    sigwaitinfo(&held_, &info);
    return info;
  }

 private:
  sigset_t held_;
  sigset_t mask_before_;
  struct sigaction child_action_before_;
};

// Writes to `failed`, which what is executed does not inherit, if it cannot.
[[noreturn]] void Execute(const std::vector<std::string>& command,
                          const threads::FileDescriptor& failed) {
  std::vector<char*> argv;
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  const int error = errno;
  std::cerr << "wallprof: cannot run " << command[0] << ": " << strerror(error)
            << std::endl;
  (void)!write(failed.get(), "", 1);
  _exit(error == ENOENT ? kNotFound : kCannotExecute);
}

// Its wait status.
int AwaitEnd(pid_t child, const HeldSignals& signals) {
  for (;;) {
    const siginfo_t info = signals.Await();
    if (info.si_signo == SIGCHLD) {
      int status = 0;
      if (waitpid(child, &status, WNOHANG) != child) continue;
      return status;
    }
    // A terminal sends its signals to the command too.
    if (info.si_signo > 0 && info.si_code != SI_KERNEL) {
      kill(child, info.si_signo);
    }
  }
}

}  // namespace

absl::StatusOr<Ended> RunChild(const std::vector<std::string>& command,
                               const std::function<void()>& prepare) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
  const threads::FileDescriptor reader(ends[0]);
  threads::FileDescriptor failed(ends[1]);
  const HeldSignals signals;
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    signals.Release();
    prepare();
    Execute(command, failed);
  }
  failed.Close();
  char byte;
  const bool executed = read(reader.get(), &byte, 1) == 0;
  const int status = AwaitEnd(child, signals);
  const bool by_signal = WIFSIGNALED(status);
  return Ended{executed,
               by_signal ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status),
               by_signal, child};
}

}  // namespace wallprof::cli
