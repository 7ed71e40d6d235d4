// System calls that block, each with what ends it.
#ifndef WALLPROF_BENCH_HARM_BLOCKING_CALL_H_
#define WALLPROF_BENCH_HARM_BLOCKING_CALL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace wallprof::harm {

// A call that one thread makes again and again.
class BlockingCall {
 public:
  explicit BlockingCall(std::string name) : name_(std::move(name)) {}
  virtual ~BlockingCall() = default;

  const std::string& name() const { return name_; }

  // The call, once. An error number, or 0.
  virtual int Block() = 0;

  // Nanoseconds that Block takes at least; 0 for calls that Wake ends.
  virtual int64_t at_least_ns() const { return 0; }

  // How many of these may see one interruption. Of most, none does; but where
  // signals are the fallback, this is what they are held to.
  virtual int64_t calls_per_interruption() const { return 100'000; }

  // Ends a Block that has begun, from another thread.
  virtual void Wake() {}

 private:
  std::string name_;
};

// Calls with a timeout, which nothing else ends.
std::vector<std::unique_ptr<BlockingCall>> TimedCalls();

// Calls that end when another thread does something.
std::vector<std::unique_ptr<BlockingCall>> WokenCalls();

// io_uring_enter, waiting for a timeout; nullptr where the kernel refuses.
std::unique_ptr<BlockingCall> UringCall();

}  // namespace wallprof::harm

#endif  // WALLPROF_BENCH_HARM_BLOCKING_CALL_H_
