// Programs that know who holds what they wait for.
#include "profiler/capture/lock_waits.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "profiler/threads/clock.h"
#include "tests/capture/collected.h"

namespace wallprof::capture {
namespace {

using threads::MonotonicNs;

constexpr int64_t kMs = 1'000'000;

// --- locks of every kind -----------------------------------------------------

// A lock, how it is taken by who holds it and by who waits, and given back.
struct Lockable {
  std::function<void()> hold;
  std::function<void()> wait;
  std::function<void()> release;
};

Lockable Mutex(int type, bool robust = false, bool inheriting = false) {
  static std::list<pthread_mutex_t> mutexes;
  pthread_mutex_t* mutex = &mutexes.emplace_back();
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  if (robust) {
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  }
  if (inheriting) {
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  }
  pthread_mutex_init(mutex, &attributes);
  const auto lock = [mutex] { pthread_mutex_lock(mutex); };
  return {lock, lock, [mutex] { pthread_mutex_unlock(mutex); }};
}

Lockable TimedMutex() {
  static std::timed_mutex mutex;
  return {[] { mutex.lock(); },
          [] {
            if (!mutex.try_lock_for(std::chrono::minutes(1))) abort();
          },
          [] { mutex.unlock(); }};
}

// The waiter has been told, and wants its mutex back.
Lockable ConditionVariable() {
  static std::mutex mutex;
  static std::condition_variable condition;
  static std::atomic<bool> waits{false};
  static bool told = false;
  return {[] {
            while (!waits) usleep(1000);
            mutex.lock();
            told = true;
            condition.notify_one();
          },
          [] {
            std::unique_lock lock(mutex);
            waits = true;
            condition.wait(lock, [] { return told; });
            lock.release();
          },
          [] { mutex.unlock(); }};
}

Lockable ReadWrite(bool waiter_writes) {
  static pthread_rwlock_t locks[2] = {PTHREAD_RWLOCK_INITIALIZER,
                                      PTHREAD_RWLOCK_INITIALIZER};
  pthread_rwlock_t* lock = &locks[waiter_writes ? 1 : 0];
  return {[lock] { pthread_rwlock_wrlock(lock); },
          [lock, waiter_writes] {
            waiter_writes ? pthread_rwlock_wrlock(lock)
                          : pthread_rwlock_rdlock(lock);
          },
          [lock] { pthread_rwlock_unlock(lock); }};
}

// Frames that tell the pairs apart; the compiler would make one function of
// all.
template <int kPair>
__attribute__((noinline)) void Hold(const Lockable& lock,
                                    const std::atomic<bool>& done) {
  asm volatile("" : : "i"(kPair));
  done.wait(false);
  lock.release();
}

template <int kPair>
__attribute__((noinline)) void Wait(const Lockable& lock) {
  asm volatile("" : : "i"(kPair));
  lock.wait();
  lock.release();
}

class Pairs {
 public:
  template <int kPair>
  void Start(const Lockable& given) {
    const Lockable& lock = locks_.emplace_back(given);
    std::atomic<bool>& held = held_.emplace_back(false);
    threads_.emplace_back([this, &lock, &held] {
      lock.hold();
      held = true;
      Hold<kPair>(lock, done_);
    });
    // A condition variable's holder comes second.
    threads_.emplace_back([&lock, &held] {
      for (int i = 0; i < 10 && !held; ++i) usleep(1000);
      Wait<kPair>(lock);
    });
    while (!held) usleep(1000);
  }
  ~Pairs() {
    done_ = true;
    done_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::list<Lockable> locks_;
  std::list<std::atomic<bool>> held_;
  std::vector<std::thread> threads_;
};

// Whether frames that have these in their names follow each other so, from the
// root on.
Collected::Filter Order(const std::vector<std::string>& parts) {
  return [parts](const NamedSample& sample) {
    size_t at = 0;
    for (const std::string& name : sample.stack) {
      if (at < parts.size() && name.find(parts[at]) != std::string::npos) ++at;
    }
    return at == parts.size();
  };
}

Collected CollectWaits(Profiling& profiling, absl::Duration duration) {
  CollectOptions how;
  how.view = View::kBlockedBy;
  return profiling.Collect(duration, how);
}

TEST(LockWaitsTest, EveryKindOfLockHasItsHolder) {
  Profiling profiling;
  Pairs pairs;
  pairs.Start<0>(Mutex(PTHREAD_MUTEX_NORMAL));
  pairs.Start<1>(Mutex(PTHREAD_MUTEX_RECURSIVE));
  pairs.Start<2>(Mutex(PTHREAD_MUTEX_ERRORCHECK));
  pairs.Start<3>(Mutex(PTHREAD_MUTEX_ADAPTIVE_NP));
  pairs.Start<4>(Mutex(PTHREAD_MUTEX_NORMAL, /*robust=*/true));
  pairs.Start<5>(Mutex(PTHREAD_MUTEX_NORMAL, false, /*inheriting=*/true));
  pairs.Start<6>(Mutex(PTHREAD_MUTEX_RECURSIVE, true, true));
  pairs.Start<7>(TimedMutex());
  pairs.Start<8>(ConditionVariable());
  pairs.Start<9>(ReadWrite(/*waiter_writes=*/false));
  pairs.Start<10>(ReadWrite(/*waiter_writes=*/true));
  usleep(100'000);
  const Collected waits = CollectWaits(profiling, absl::Milliseconds(500));
  const int64_t window = 500 * kMs;  // or a little more
  for (int pair = 0; pair <= 10; ++pair) {
    const std::string number = "<" + std::to_string(pair) + ">";
    const int64_t known =
        waits.Sum(Order({"Wait" + number, "[held by]", "Hold" + number}))
            .wall_ns;
    EXPECT_GT(known, window * 2 / 3) << "kind " << pair << "\n" << waits.Text();
    EXPECT_LT(known, window * 12 / 10) << "kind " << pair;
    EXPECT_EQ(waits.Sum(Collected::Frame("Wait" + number)).wall_ns, known);
  }
}

// --- what is no wait for a lock ----------------------------------------------

TEST(LockWaitsTest, OtherWaitsAreLeftOut) {
  Profiling profiling;
  std::atomic<bool> done{false};
  std::mutex mutex;
  std::condition_variable condition;
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  // As a contended lock's: but nobody is known to have made it one.
  uint32_t words[6] = {2, 0, static_cast<uint32_t>(getpid()), 0, 0, 0};
  flockfile(stdin);  // libc's own inner lock
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return done.load(); });
  });
  threads.emplace_back([&] { sem_wait(&semaphore); });
  threads.emplace_back([&] {
    while (!done) syscall(SYS_futex, words, FUTEX_WAIT, 2, nullptr);
  });
  threads.emplace_back([&] {
    flockfile(stdin);
    funlockfile(stdin);
  });
  usleep(50'000);
  const Collected waits = CollectWaits(profiling, absl::Milliseconds(300));
  done = true;
  {
    std::lock_guard lock(mutex);
    condition.notify_all();
  }
  sem_post(&semaphore);
  words[0] = 0;
  syscall(SYS_futex, words, FUTEX_WAKE, 1);
  funlockfile(stdin);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(waits.Sum(Collected::All()).wall_ns, 0) << waits.Text();
}

TEST(LockWaitsTest, ReadersThatHoldAreUnknown) {
  Profiling profiling;
  pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
  pthread_rwlock_rdlock(&lock);
  std::thread writer([&] {
    NameThread("writer");
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_unlock(&lock);
  });
  usleep(50'000);
  const Collected waits = CollectWaits(profiling, absl::Milliseconds(300));
  pthread_rwlock_unlock(&lock);
  writer.join();
  const NamedSample unknown = waits.Sum(Order({"[held by]", "[unknown]"}));
  EXPECT_GT(unknown.wall_ns, 200 * kMs) << waits.Text();
  EXPECT_EQ(unknown.wall_ns, waits.Sum(Collected::All()).wall_ns);
}

// --- holders that run, holders that wait -------------------------------------

#ifndef __SANITIZE_THREAD__  // which calls handlers later
__attribute__((noinline)) void HoldAndCompute(std::mutex& mutex,
                                              int64_t for_ns) {
  std::lock_guard lock(mutex);
  const int64_t until = MonotonicNs() + for_ns;
  Compute([until] { return MonotonicNs() >= until; });
}

TEST(LockWaitsTest, AHolderThatRunsIsSeenByItsAnswers) {
  Profiling profiling;
  std::mutex mutex;
  std::atomic<bool> done{false};
  std::atomic<int64_t> waited{0};
  std::thread holder([&] {
    while (!done) {
      HoldAndCompute(mutex, 50 * kMs);
      usleep(2000);
    }
  });
  std::thread waiter([&] {
    while (!done) {
      const int64_t before = MonotonicNs();
      { std::lock_guard lock(mutex); }
      waited += MonotonicNs() - before;
      usleep(1000);
    }
  });
  const int64_t before = waited;
  const Collected waits = CollectWaits(profiling, absl::Seconds(2));
  const auto truth = static_cast<double>(waited - before);
  done = true;
  holder.join();
  waiter.join();
  const auto all = static_cast<double>(waits.Sum(Collected::All()).wall_ns);
  const auto computing = static_cast<double>(
      waits.Sum(Order({"[held by]", "HoldAndCompute", "Compute"})).wall_ns);
  EXPECT_NEAR(all, truth, 0.15 * truth) << waits.Text();
  EXPECT_GT(computing, 0.7 * all) << waits.Text();
}
#endif

__attribute__((noinline)) void FirstHolds(std::mutex& mutex,
                                          const std::atomic<bool>& done) {
  std::lock_guard lock(mutex);
  done.wait(false);
}

__attribute__((noinline)) void SecondHolds(std::mutex& own,
                                           std::mutex& wanted) {
  std::lock_guard lock(own);
  std::lock_guard also(wanted);
}

__attribute__((noinline)) void ThirdWaits(std::mutex& mutex) {
  std::lock_guard lock(mutex);
}

TEST(LockWaitsTest, AHolderThatWaitsIsFollowed) {
  Profiling profiling;
  std::mutex first, second;
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] { FirstHolds(first, done); });
  usleep(20'000);
  threads.emplace_back([&] { SecondHolds(second, first); });
  usleep(20'000);
  threads.emplace_back([&] { ThirdWaits(second); });
  usleep(50'000);
  const Collected waits = CollectWaits(profiling, absl::Milliseconds(300));
  done = true;
  done.notify_all();
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(waits
                .Sum(Order({"ThirdWaits", "[held by]", "SecondHolds",
                            "[held by]", "FirstHolds"}))
                .wall_ns,
            200 * kMs)
      << waits.Text();
  EXPECT_GT(
      waits.Sum(Order({"SecondHolds", "[held by]", "FirstHolds"})).wall_ns,
      200 * kMs);
}

TEST(LockWaitsTest, ThreadsThatWaitForEachOtherForEverAreCut) {
  const int status = StatusOfChild([] {
    static Profiling profiling;
    static std::mutex first, second;
    static std::atomic<int> holding{0};
    const auto take = [](std::mutex& one, std::mutex& other) {
      one.lock();
      ++holding;
      while (holding < 2) usleep(1000);
      other.lock();
    };
    std::thread([&] { take(first, second); }).detach();
    std::thread([&] { take(second, first); }).detach();
    while (holding < 2) usleep(1000);
    usleep(50'000);
    const Collected waits = CollectWaits(profiling, absl::Milliseconds(200));
    for (const NamedSample& sample : waits.samples()) {
      if (std::count(sample.stack.begin(), sample.stack.end(), "[held by]") !=
          HolderChain::kMaxLinks) {
        return 2;
      }
    }
    return waits.samples().size() == 2 ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
}

// --- the wall profile --------------------------------------------------------

TEST(LockWaitsTest, TheWallProfileHasEachWaitOnce) {
  Profiling profiling;
  Pairs pairs;
  pairs.Start<20>(Mutex(PTHREAD_MUTEX_NORMAL));
  usleep(50'000);
  const absl::StatusOr<Profile> profile =
      profiling->Collect(absl::Milliseconds(300));
  ASSERT_TRUE(profile.ok());
  const Collected wall(*profile);
  const auto window = absl::ToInt64Nanoseconds(profile->duration);
  EXPECT_EQ(wall.Sum(Collected::Frame("Wait<20>")).wall_ns, window);
  EXPECT_EQ(wall.Sum(Collected::Frame("[held by]")).wall_ns, 0);
}

}  // namespace
}  // namespace wallprof::capture
