#include "profiler/unwind/cfi_index.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>

#include "profiler/stacks/recording.h"
#include "tests/unwind/chain.h"

extern "C" void _start();

namespace wallprof::unwind {
namespace {

class CfiIndexTest : public ::testing::Test {
 protected:
  CfiIndexTest() {
    map_ = ModuleMap::Read(ReadMaps(), memory_, *recording_);
    index_.SetMap(&map_);
  }

  template <typename Function>
  static uint64_t AddressOf(Function* function) {
    return reinterpret_cast<uint64_t>(function);
  }

  Memory memory_;
  std::unique_ptr<stacks::Recording> recording_ =
      stacks::Recording::Allocate(stacks::Recording::kMinBytes).value();
  PageCache pages_{memory_};
  ModuleMap map_;
  CfiIndex index_{pages_};
};

TEST_F(CfiIndexTest, DescriptionCoversTheFunctionThatHoldsTheAddress) {
  for (const ChainVariant& variant : ChainVariants()) {
    const uint64_t function = AddressOf(variant.outer);
    const FrameDescription* found = index_.Find(function + 1);
    ASSERT_NE(found, nullptr) << variant.name;
    EXPECT_EQ(found->start, function);
    EXPECT_GT(found->limit, function + 1);
    EXPECT_FALSE(found->is_root);
    EXPECT_FALSE(found->is_signal_frame);
    const uint64_t last = found->limit - 1;
    ASSERT_NE(index_.Find(last), nullptr);
    EXPECT_EQ(index_.Find(last)->start, function);
    const FrameDescription* beyond = index_.Find(last + 1);
    EXPECT_TRUE(beyond == nullptr || beyond->start > function);
  }
}

TEST_F(CfiIndexTest, FunctionsOfLibcHaveTheirSizes) {
  for (const char* name : {"poll", "recv", "nanosleep", "qsort", "printf"}) {
    void* address = dlsym(RTLD_NEXT, name);
    if (address == nullptr) address = dlsym(RTLD_DEFAULT, name);
    Dl_info info;
    ElfW(Sym)* symbol = nullptr;
    ASSERT_NE(dladdr1(address, &info, reinterpret_cast<void**>(&symbol),
                      RTLD_DL_SYMENT),
              0);
    ASSERT_NE(symbol, nullptr) << name;
    const FrameDescription* found = index_.Find(AddressOf(address) + 1);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->start, AddressOf(address)) << name;
    EXPECT_LE(found->limit - found->start, symbol->st_size) << name;
  }
}

TEST_F(CfiIndexTest, StartOfTheProgramIsARoot) {
  const FrameDescription* found = index_.Find(AddressOf(&_start) + 4);
  ASSERT_NE(found, nullptr);
  EXPECT_TRUE(found->is_root);
}

TEST_F(CfiIndexTest, StartOfThreadsIsARoot) {
  // clone's last part, which the new thread runs, has a description of its
  // own.
  const uint64_t clone = AddressOf(dlsym(RTLD_DEFAULT, "clone"));
  ASSERT_NE(clone, 0u);
  constexpr uint64_t kLongest = 128;
  bool has_root = false;
  for (uint64_t pc = clone; pc < clone + kLongest; ++pc) {
    const FrameDescription* found = index_.Find(pc);
    has_root |= found != nullptr && found->is_root;
  }
  EXPECT_TRUE(has_root);
}

// Where signal handlers return to, which libc tells the kernel.
uint64_t SignalRestorer() {
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    uint64_t mask;
  } kernel_action;
  struct sigaction action = {}, before;
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, &before);
  syscall(SYS_rt_sigaction, SIGUSR1, nullptr, &kernel_action, 8);
  sigaction(SIGUSR1, &before, nullptr);
  return reinterpret_cast<uint64_t>(kernel_action.restorer);
}

TEST_F(CfiIndexTest, ReturnFromASignalHandlerIsASignalFrame) {
  // Looked up as a return address is, one byte before it.
  const FrameDescription* found = index_.Find(SignalRestorer() - 1);
  ASSERT_NE(found, nullptr);
  EXPECT_TRUE(found->is_signal_frame);
  EXPECT_FALSE(found->is_root);
}

TEST_F(CfiIndexTest, WhereThereIsNoCodeThereIsNoDescription) {
  int local = 0;
  EXPECT_EQ(index_.Find(0), nullptr);
  EXPECT_EQ(index_.Find(~uint64_t{0}), nullptr);
  EXPECT_EQ(index_.Find(AddressOf(&local)), nullptr);
}

TEST_F(CfiIndexTest, WithoutAMapItKnowsNothing) {
  ASSERT_NE(index_.Find(AddressOf(&_start) + 4), nullptr);
  index_.SetMap(nullptr);
  EXPECT_EQ(index_.Find(AddressOf(&_start) + 4), nullptr);
  EXPECT_EQ(index_.Find(0), nullptr);
}

// Every address of a page of code has an answer, found twice the same.
TEST_F(CfiIndexTest, AnswersAreTheSameFromItsMemory) {
  const uint64_t start = AddressOf(dlsym(RTLD_DEFAULT, "qsort"));
  std::vector<uint64_t> starts;
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i < 4096; ++i) {
      const FrameDescription* found = index_.Find(start + i);
      const uint64_t function = found == nullptr ? 0 : found->start;
      if (found != nullptr) {
        ASSERT_LE(found->start, start + i);
        ASSERT_GT(found->limit, start + i);
      }
      if (round == 0) {
        starts.push_back(function);
      } else {
        ASSERT_EQ(function, starts[i]);
      }
    }
  }
}

// A copy of an image whose unwind tables are damaged: no answer is fine, a
// crash is not.
TEST_F(CfiIndexTest, DamagedTablesAreSurvived) {
  void* const qsort_address = dlsym(RTLD_DEFAULT, "qsort");
  const CodeRange* libc = map_.FindCode(AddressOf(qsort_address));
  ASSERT_NE(libc, nullptr);
  const std::string path(recording_->module(libc->module)->path_view());
  const ElfImage image = map_.image(*libc);
  const size_t bytes = image.limit - image.start;
  // Tables lie in the file as they lie in memory but for the distance.
  const int fd = memfd_create("damaged", MFD_CLOEXEC);
  std::vector<char> copy(bytes);
  ASSERT_GT(memory_.Read(image.start, copy.data(), bytes), bytes / 2);
  ASSERT_EQ(pwrite(fd, copy.data(), bytes, 0), static_cast<ssize_t>(bytes));
  char* mapped = static_cast<char*>(mmap(
      nullptr, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd, 0));
  ASSERT_NE(mapped, MAP_FAILED);
  close(fd);
  const uint64_t offset = AddressOf(qsort_address) - image.start;
  map_ = ModuleMap::Read(ReadMaps(), memory_, *recording_);
  index_.SetMap(&map_);
  const FrameDescription* intact = index_.Find(AddressOf(mapped) + offset);
  ASSERT_NE(intact, nullptr) << "undamaged, it answers";
  EXPECT_EQ(intact->start, AddressOf(mapped) + offset);

  const uint64_t tables = image.frame_header - image.start;
  std::minstd_rand random(1);
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 3000; ++i) {
      // The search table and what follows it: the descriptions themselves.
      mapped[tables + 12 + random() % (bytes - tables - 12)] =
          static_cast<char>(random() >> 8);
    }
    pages_.Clear();
    index_.SetMap(&map_);
    for (int i = 0; i < 200; ++i) {
      const uint64_t pc = AddressOf(mapped) + random() % bytes;
      const FrameDescription* found = index_.Find(pc);
      if (found != nullptr) {
        ASSERT_LE(found->start, pc);
        ASSERT_GT(found->limit, pc);
      }
    }
  }
  munmap(mapped, bytes);
}

}  // namespace
}  // namespace wallprof::unwind
