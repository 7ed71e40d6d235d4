#include "profiler/unwind/memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <thread>
#include <vector>

namespace wallprof::unwind {
namespace {

constexpr size_t kPage = 4096;

uint64_t AddressOf(const void* object) {
  return reinterpret_cast<uint64_t>(object);
}

// `pages` pages, of which those from `hole` on are not mapped.
class PagesWithHole {
 public:
  PagesWithHole(size_t pages, size_t hole) : bytes_(pages * kPage) {
    start_ = static_cast<char*>(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t i = 0; i < hole * kPage; ++i) {
      start_[i] = static_cast<char>(i % 251);
    }
    munmap(start_ + hole * kPage, bytes_ - hole * kPage);
    bytes_ = hole * kPage;
  }
  ~PagesWithHole() { munmap(start_, bytes_); }
  char* start() const { return start_; }
  uint64_t address() const { return AddressOf(start_); }

 private:
  size_t bytes_;
  char* start_;
};

TEST(MemoryTest, ReadsWhatIsThere) {
  const Memory memory;
  EXPECT_TRUE(memory.works());
  EXPECT_EQ(memory.open_error(), 0);
  const char text[] = "text";
  char copy[sizeof(text)];
  EXPECT_EQ(memory.Read(AddressOf(text), copy, sizeof(text)), sizeof(text));
  EXPECT_STREQ(copy, "text");
  const uint64_t word = 0x1122334455667788;
  uint64_t read = 0;
  EXPECT_TRUE(memory.ReadWord(AddressOf(&word), read));
  EXPECT_EQ(read, word);
}

TEST(MemoryTest, UnmappedMemoryIsNoFault) {
  const Memory memory;
  const PagesWithHole pages(2, 1);
  uint64_t word;
  for (const uint64_t address :
       {uint64_t{0}, uint64_t{1}, pages.address() + kPage,
        uint64_t{0x7fffffffffff}, uint64_t{0x8000000000000000},
        ~uint64_t{0} - 3, ~uint64_t{0}}) {
    EXPECT_FALSE(memory.ReadWord(address, word)) << std::hex << address;
  }
}

TEST(MemoryTest, AReadIntoAHoleIsShort) {
  const Memory memory;
  const PagesWithHole pages(3, 1);
  std::vector<char> copy(2 * kPage);
  EXPECT_EQ(memory.Read(pages.address() + 100, copy.data(), copy.size()),
            kPage - 100);
  EXPECT_EQ(memcmp(copy.data(), pages.start() + 100, kPage - 100), 0);
  uint64_t word;
  EXPECT_FALSE(memory.ReadWord(pages.address() + kPage - 4, word));
}

TEST(MemoryTest, WorksOnEveryThreadThatMakesOne) {
  std::thread([] { EXPECT_TRUE(Memory().works()); }).join();
}

TEST(PageCacheTest, ReadsAcrossPages) {
  const Memory memory;
  PageCache cache(memory);
  const PagesWithHole pages(4, 3);
  std::vector<char> copy(2 * kPage);
  ASSERT_TRUE(cache.Read(pages.address() + 50, copy.data(), copy.size()));
  EXPECT_EQ(memcmp(copy.data(), pages.start() + 50, copy.size()), 0);
}

TEST(PageCacheTest, ReadsAllOrNothing) {
  const Memory memory;
  PageCache cache(memory);
  const PagesWithHole pages(2, 1);
  char copy[8];
  EXPECT_TRUE(cache.Read(pages.address() + kPage - 8, copy, 8));
  EXPECT_FALSE(cache.Read(pages.address() + kPage - 4, copy, 8));
  EXPECT_FALSE(cache.Read(0, copy, 8));
  EXPECT_FALSE(cache.Read(~uint64_t{0} - 3, copy, 8)) << "wraps around";
}

TEST(PageCacheTest, KeepsPagesUntilCleared) {
  const Memory memory;
  PageCache cache(memory);
  const PagesWithHole pages(1, 1);
  pages.start()[0] = 'a';
  char byte = 0;
  ASSERT_TRUE(cache.Read(pages.address(), &byte, 1));
  EXPECT_EQ(byte, 'a');
  pages.start()[0] = 'b';
  ASSERT_TRUE(cache.Read(pages.address(), &byte, 1));
  EXPECT_EQ(byte, 'a');
  cache.Clear();
  ASSERT_TRUE(cache.Read(pages.address(), &byte, 1));
  EXPECT_EQ(byte, 'b');
}

TEST(PageCacheTest, PagesThatShareAPlaceTakeTurns) {
  const Memory memory;
  PageCache cache(memory);
  constexpr size_t kPages = 3000;  // more than it has places
  const PagesWithHole pages(kPages, kPages);
  for (size_t i = 0; i < kPages; ++i) {
    memcpy(pages.start() + i * kPage, &i, sizeof(i));
  }
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < kPages; ++i) {
      size_t read = 0;
      ASSERT_TRUE(cache.Read(pages.address() + i * kPage, &read, sizeof(read)));
      ASSERT_EQ(read, i);
    }
  }
}

}  // namespace
}  // namespace wallprof::unwind
