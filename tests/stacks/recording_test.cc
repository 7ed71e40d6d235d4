#include "profiler/stacks/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "profiler/threads/proc_file.h"
#include "tests/stacks/table_memory.h"

namespace wallprof::stacks {
namespace {

using ::testing::HasSubstr;
using threads::FileDescriptor;

FileDescriptor MemoryFile() {
  return FileDescriptor(memfd_create("recording", MFD_CLOEXEC));
}

std::unique_ptr<Recording> Small() {
  return Recording::Allocate(Recording::kMinBytes).value();
}

ModuleRecord ModuleAt(uint64_t start, std::string_view path) {
  ModuleRecord module;
  module.start = start;
  module.limit = start + 0x1000;
  module.path_size = static_cast<uint16_t>(path.copy(module.path, path.size()));
  return module;
}

// --- making and opening ------------------------------------------------------

TEST(RecordingTest, NewOneIsEmpty) {
  const auto recording = Small();
  EXPECT_EQ(recording->thread_count(), 0u);
  EXPECT_EQ(recording->module_count(), 1u) << "module 0 stands for none";
  EXPECT_EQ(recording->module(kNoModule), nullptr);
  EXPECT_EQ(recording->table().entry_count(), 0u);
  EXPECT_EQ(recording->tallies().ticks.get(), 0);
  EXPECT_EQ(recording->last_tick_ns(), 0);
  EXPECT_EQ(recording->tick_sequence(), 0u);
  EXPECT_EQ(recording->pid(), getpid());
  EXPECT_GT(recording->start_ns(), 0);
}

TEST(RecordingTest, TooFewBytesAreRefused) {
  EXPECT_EQ(Recording::Allocate(Recording::kMinBytes - 1).status().code(),
            absl::StatusCode::kInvalidArgument);
  const FileDescriptor file = MemoryFile();
  EXPECT_EQ(Recording::Create(file.get(), 4096).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RecordingTest, FileThatCannotBeSizedIsTheSystemsError) {
  EXPECT_FALSE(Recording::Create(-1, Recording::kMinBytes).ok());
  EXPECT_THAT(
      std::string(
          Recording::Create(-1, Recording::kMinBytes).status().message()),
      HasSubstr("sizing the recording"));
}

TEST(RecordingTest, IsReadThroughASecondMapping) {
  const FileDescriptor file = MemoryFile();
  auto writer = Recording::Create(file.get(), Recording::kMinBytes).value();
  auto reader = Recording::Open(file.get()).value();
  ASSERT_NE(&writer->tallies(), &reader->tallies()) << "at another address";

  const uint32_t thread = writer->AddThread(42, "worker");
  const ModuleId module = writer->AddModule(ModuleAt(0x1000, "/bin/demo"));
  SampleKey key;
  key.stack = writer->table().Intern(StackOf(7, 12));
  key.thread = thread;
  writer->BeginTick();
  writer->table().Add(writer->table().Find(key), {1, 2, 3});
  writer->EndTick(123456789);

  EXPECT_EQ(reader->last_tick_ns(), 123456789);
  EXPECT_EQ(reader->tallies().ticks.get(), 1);
  EXPECT_EQ(reader->start_ns(), writer->start_ns());
  ASSERT_EQ(reader->thread_count(), 1u);
  EXPECT_EQ(reader->thread(0).Name(), "worker");
  EXPECT_EQ(reader->thread(0).tid.load(), 42);
  ASSERT_NE(reader->module(module), nullptr);
  EXPECT_EQ(reader->module(module)->path_view(), "/bin/demo");
  SampleKey read;
  Counts counts;
  ASSERT_EQ(reader->table().entry_count(), 1u);
  ASSERT_TRUE(reader->table().Read(EntryId{0}, read, counts));
  EXPECT_EQ(read, key);
  EXPECT_EQ(counts, (Counts{1, 2, 3}));
  EXPECT_EQ(reader->table().Frames(read.stack),
            absl::MakeConstSpan(StackOf(7, 12)));
}

TEST(RecordingTest, OutlivesTheProcessThatMadeIt) {
  const FileDescriptor file = MemoryFile();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto recording = Recording::Create(file.get(), Recording::kMinBytes);
    if (!recording.ok()) _exit(1);
    (*recording)->AddThread(1, "gone");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto recording = Recording::Open(file.get());
  ASSERT_TRUE(recording.ok()) << recording.status();
  EXPECT_EQ((*recording)->pid(), child);
  EXPECT_EQ((*recording)->thread(0).Name(), "gone");
}

TEST(RecordingTest, FileNeedNotStayOpen) {
  FileDescriptor file = MemoryFile();
  auto recording = Recording::Create(file.get(), Recording::kMinBytes).value();
  file.Close();
  EXPECT_EQ(recording->AddThread(1, "still there"), 0u);
}

TEST(RecordingTest, CreatingAnewForgetsWhatTheFileHeld) {
  const FileDescriptor file = MemoryFile();
  Recording::Create(file.get(), Recording::kMinBytes)
      .value()
      ->AddThread(1, "old");
  const auto anew = Recording::Create(file.get(), Recording::kMinBytes).value();
  EXPECT_EQ(anew->thread_count(), 0u);
}

TEST(RecordingTest, WhereNoneWasMadeThereIsNone) {
  const FileDescriptor empty = MemoryFile();
  EXPECT_EQ(Recording::Open(empty.get()).status().code(),
            absl::StatusCode::kNotFound);
  const FileDescriptor zeros = MemoryFile();
  ASSERT_EQ(ftruncate(zeros.get(), Recording::kMinBytes), 0);
  EXPECT_EQ(Recording::Open(zeros.get()).status().code(),
            absl::StatusCode::kNotFound);
  const FileDescriptor tiny = MemoryFile();
  ASSERT_EQ(write(tiny.get(), "x", 1), 1);
  EXPECT_EQ(Recording::Open(tiny.get()).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(Recording::Open(-1).ok());
}

TEST(RecordingTest, OfAnotherVersionIsDataLoss) {
  const FileDescriptor file = MemoryFile();
  Recording::Create(file.get(), Recording::kMinBytes).value().reset();
  const uint64_t other = 0x1234;
  ASSERT_EQ(pwrite(file.get(), &other, sizeof(other), 0),
            static_cast<ssize_t>(sizeof(other)));
  EXPECT_EQ(Recording::Open(file.get()).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(RecordingTest, CutOffOrGrownIsDataLoss) {
  const FileDescriptor file = MemoryFile();
  Recording::Create(file.get(), 4 * Recording::kMinBytes).value().reset();
  for (const size_t bytes :
       {2 * Recording::kMinBytes, 8 * Recording::kMinBytes}) {
    ASSERT_EQ(ftruncate(file.get(), static_cast<off_t>(bytes)), 0);
    EXPECT_EQ(Recording::Open(file.get()).status().code(),
              absl::StatusCode::kDataLoss);
  }
}

TEST(RecordingTest, OfAnySizeUsesNoMoreThanItHas) {
  for (const size_t bytes : {Recording::kMinBytes, Recording::kMinBytes + 4096,
                             4 * Recording::kMinBytes - 4096,
                             4 * Recording::kMinBytes, size_t{5'000'000}}) {
    auto recording = Recording::Allocate(bytes).value();
    uint32_t n = 0;
    while (recording->table().Intern(StackOf(n, 30)) != kNoStack) ++n;
    EXPECT_GT(n, 100u);
    EXPECT_GT(recording->used_bytes(), bytes / 4);
    EXPECT_LE(recording->used_bytes(), bytes);
  }
}

// --- threads -----------------------------------------------------------------

TEST(RecordingTest, ThreadNamesAreCutAsTheKernelDoes) {
  auto recording = Small();
  ThreadRecord& thread =
      recording->thread(recording->AddThread(1, "0123456789abcdefgh"));
  EXPECT_EQ(thread.Name(), "0123456789abcde");
  thread.SetName("new");
  EXPECT_EQ(thread.Name(), "new");
  thread.SetName("");
  EXPECT_EQ(thread.Name(), "");
}

TEST(RecordingTest, WithoutRoomForThreadsTheLastStandsForAllOthers) {
  auto recording = Small();
  uint32_t last = recording->AddThread(1, "first");
  for (int tid = 2; tid < 20'000; ++tid) {
    const uint32_t index = recording->AddThread(tid, "another");
    if (index == last) break;
    last = index;
  }
  EXPECT_EQ(recording->thread_count(), last + 1);
  EXPECT_EQ(recording->AddThread(30'000, "one more"), last);
  EXPECT_EQ(recording->thread(last).Name(), "[other threads]");
  EXPECT_EQ(recording->thread(last).tid.load(), 0);
  EXPECT_EQ(recording->thread(0).Name(), "first");
}

TEST(RecordingTest, ClearedItForgetsThreadsAndStacksButNotModules) {
  auto recording = Small();
  const uint32_t thread = recording->AddThread(1, "old");
  recording->thread(thread).pending_samples.set(3);
  recording->thread(thread).pending_cpu_ns.set(30);
  recording->thread(thread).pending_wall_ns.set(300);
  const ModuleId module = recording->AddModule(ModuleAt(0x1000, "/bin/demo"));
  SampleKey key;
  key.stack = recording->table().Intern(StackOf(1, 3));
  recording->table().Find(key);
  recording->Clear();
  EXPECT_EQ(recording->thread_count(), 0u);
  EXPECT_EQ(recording->table().entry_count(), 0u);
  ASSERT_NE(recording->module(module), nullptr);
  // A record that is used again has nothing of the thread before.
  ThreadRecord& anew = recording->thread(recording->AddThread(2, "new"));
  EXPECT_EQ(anew.pending_samples.get(), 0);
  EXPECT_EQ(anew.pending_cpu_ns.get(), 0);
  EXPECT_EQ(anew.pending_wall_ns.get(), 0);
}

// --- modules -----------------------------------------------------------------

TEST(RecordingTest, ModuleThatComesBackKeepsItsId) {
  auto recording = Small();
  const ModuleRecord a = ModuleAt(0x1000, "/lib/a.so");
  ModuleRecord b = ModuleAt(0x1000, "/lib/b.so");
  const ModuleId first = recording->AddModule(a);
  const ModuleId second = recording->AddModule(b);
  EXPECT_NE(first, kNoModule);
  EXPECT_NE(second, first) << "another file at the same address";
  EXPECT_EQ(recording->AddModule(a), first);
  b.build_id_size = 1;
  b.build_id[0] = 0xab;
  EXPECT_NE(recording->AddModule(b), second) << "another build of the file";
  EXPECT_EQ(recording->module_count(), 4u);
}

TEST(RecordingTest, WithoutRoomForModulesThereIsNoId) {
  auto recording = Small();
  ModuleId last = kNoModule;
  for (uint64_t i = 1; i < 5000; ++i) {
    const ModuleId id = recording->AddModule(ModuleAt(i << 12, "/lib/a.so"));
    if (id == kNoModule) break;
    last = id;
  }
  EXPECT_EQ(recording->AddModule(ModuleAt(1, "/lib/more.so")), kNoModule);
  EXPECT_EQ(recording->module_count(), last + 1u);
  EXPECT_EQ(recording->module(static_cast<ModuleId>(last + 1)), nullptr);
  EXPECT_EQ(recording->AddModule(ModuleAt(0x1000, "/lib/a.so")), 1)
      << "known ones stay known";
}

TEST(ModuleRecordTest, BuildIdIsHex) {
  ModuleRecord module;
  EXPECT_EQ(module.BuildIdHex(), "");
  module.build_id_size = 3;
  module.build_id[0] = 0x01;
  module.build_id[1] = 0xab;
  module.build_id[2] = 0xff;
  EXPECT_EQ(module.BuildIdHex(), "01abff");
}

// --- ticks -------------------------------------------------------------------

TEST(RecordingTest, SequenceIsOddDuringATick) {
  auto recording = Small();
  EXPECT_EQ(recording->tick_sequence() % 2, 0u);
  recording->BeginTick();
  EXPECT_EQ(recording->tick_sequence() % 2, 1u);
  EXPECT_EQ(recording->tallies().ticks.get(), 0);
  recording->EndTick(5);
  EXPECT_EQ(recording->tick_sequence(), 2u);
  EXPECT_EQ(recording->tallies().ticks.get(), 1);
  EXPECT_EQ(recording->last_tick_ns(), 5);
}

}  // namespace
}  // namespace wallprof::stacks
