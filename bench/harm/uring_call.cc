#include <errno.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "bench/harm/blocking_call.h"

namespace wallprof::harm {
namespace {

constexpr int64_t kWaitNs = 3'000'000;

// A ring with room for the one request that is under way; layout as in
// io_uring_setup(2).
class Uring final : public BlockingCall {
 public:
  Uring(int ring, const io_uring_params& params)
      : BlockingCall("io_uring_enter"), ring_(ring) {
    requests_ = Map(params.sq_off.array + params.sq_entries * sizeof(uint32_t),
                    IORING_OFF_SQ_RING);
    entries_ = reinterpret_cast<io_uring_sqe*>(
        Map(params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    results_ =
        Map(params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe),
            IORING_OFF_CQ_RING);
    request_tail_ = Word(requests_, params.sq_off.tail);
    request_mask_ = *Word(requests_, params.sq_off.ring_mask);
    request_array_ =
        reinterpret_cast<uint32_t*>(requests_ + params.sq_off.array);
    result_head_ = Word(results_, params.cq_off.head);
    result_tail_ = Word(results_, params.cq_off.tail);
  }

  bool works() const {
    return requests_ != nullptr && entries_ != nullptr && results_ != nullptr;
  }

  int64_t at_least_ns() const override { return kWaitNs; }

  // While it waits, the kernel runs there what is otherwise done on the way to
  // user mode, the expiry of our timer too: seen once in some thousand calls.
  int64_t calls_per_interruption() const override { return 500; }

  int Block() override {
    const uint32_t tail = request_tail_->load(std::memory_order_relaxed);
    const uint32_t slot = tail & request_mask_;
    entries_[slot] = {};
    entries_[slot].opcode = IORING_OP_TIMEOUT;
    entries_[slot].addr = reinterpret_cast<uint64_t>(&wait_);
    entries_[slot].len = 1;
    request_array_[slot] = slot;
    request_tail_->store(tail + 1, std::memory_order_release);
    int error = Enter(1);
    // Interrupted is interrupted; but the request must not remain.
    while (result_tail_->load(std::memory_order_acquire) ==
           result_head_->load(std::memory_order_relaxed)) {
      error = error == 0 ? EINTR : error;
      Enter(0);
    }
    result_head_->fetch_add(1, std::memory_order_release);
    return error;
  }

 private:
  using Shared = std::atomic<uint32_t>;

  char* Map(size_t size, off_t offset) const {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_POPULATE, ring_, offset);
    return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
  }
  static Shared* Word(char* ring, uint32_t offset) {
    return reinterpret_cast<Shared*>(ring + offset);
  }
  int Enter(unsigned submit) const {
    const long result = syscall(SYS_io_uring_enter, ring_, submit, 1u,
                                IORING_ENTER_GETEVENTS, nullptr, 0);
    return result == -1 ? errno : 0;
  }

  const int ring_;
  __kernel_timespec wait_ = {0, kWaitNs};
  char* requests_;
  io_uring_sqe* entries_;
  char* results_;
  Shared* request_tail_;
  uint32_t request_mask_;
  uint32_t* request_array_;
  Shared* result_head_;
  Shared* result_tail_;
};

}  // namespace

std::unique_ptr<BlockingCall> UringCall() {
  io_uring_params params = {};
  const long ring = syscall(SYS_io_uring_setup, 2u, &params);
  if (ring < 0) return nullptr;
  auto call = std::make_unique<Uring>(static_cast<int>(ring), params);
  if (!call->works()) return nullptr;
  return call;
}

}  // namespace wallprof::harm
