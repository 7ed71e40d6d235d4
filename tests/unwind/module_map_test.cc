#include "profiler/unwind/module_map.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "profiler/symbolize/elf_image.h"

namespace wallprof::unwind {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// --- parsing -----------------------------------------------------------------

TEST(ParseMapsTest, EveryKindOfLine) {
  const std::string text =
      "55d0c0000000-55d0c0001000 r-xp 00002000 fe:01 1234   /usr/bin/a b\n"
      "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
      "7f0000021000-7f0000022000 ---p 00000000 00:00 0\n"
      "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0       [stack]\n"
      "7ffd00022000-7ffd00024000 rwxs 00001000 00:05 99 /memfd:x (deleted)\n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]";
  const std::vector<MapsEntry> entries = ParseMaps(text);
  ASSERT_THAT(entries, SizeIs(6));
  EXPECT_EQ(entries[0].start, 0x55d0c0000000u);
  EXPECT_EQ(entries[0].limit, 0x55d0c0001000u);
  EXPECT_TRUE(entries[0].readable && entries[0].executable);
  EXPECT_FALSE(entries[0].writable);
  EXPECT_TRUE(entries[0].is_private);
  EXPECT_EQ(entries[0].file_offset, 0x2000u);
  EXPECT_EQ(entries[0].inode, 1234u);
  EXPECT_EQ(entries[0].path, "/usr/bin/a b");
  EXPECT_EQ(entries[1].path, "");
  EXPECT_TRUE(entries[1].writable);
  EXPECT_FALSE(entries[1].executable);
  EXPECT_FALSE(entries[2].readable);
  EXPECT_EQ(entries[2].path, "");
  EXPECT_EQ(entries[3].path, "[stack]");
  EXPECT_FALSE(entries[4].is_private);
  EXPECT_EQ(entries[4].path, "/memfd:x (deleted)");
  EXPECT_EQ(entries[4].inode, 99u);
  EXPECT_EQ(entries[5].start, 0xffffffffff600000u);
}

TEST(ParseMapsTest, LinesThatCannotBeReadAreSkipped) {
  EXPECT_THAT(ParseMaps(""), IsEmpty());
  EXPECT_THAT(ParseMaps("\n\n"), IsEmpty());
  for (const char* line :
       {"x", "1000", "1000-", "1000-2000", "1000-2000 ", "1000-2000 r-xp",
        "1000-2000 r-xp ", "1000-2000 r-xp zz 0:0 1", "-2000 r-xp 0 0:0 1",
        "1000 2000 r-xp 0 0:0 1", "11112222333344445-2 r-xp 0 0:0 1"}) {
    EXPECT_THAT(ParseMaps(line), IsEmpty()) << line;
    const std::string between =
        std::string("1-2 r-xp 0 0:0 1 /a\n") + line + "\n3-4 r-xp 0 0:0 1 /b\n";
    EXPECT_THAT(ParseMaps(between), SizeIs(2)) << line;
  }
}

TEST(ParseMapsTest, NoPrefixOfALineIsReadPast) {
  const std::string line =
      "55d0c0000000-55d0c0001000 r-xp 00002000 fe:01 1234   /usr/bin/a b";
  for (size_t size = 0; size <= line.size(); ++size) {
    const std::vector<char> exact(line.begin(), line.begin() + size);
    ParseMaps(std::string_view(exact.data(), exact.size()));
  }
}

TEST(ReadMapsTest, IsWhole) {
  const std::string maps = ReadMaps();
  ASSERT_FALSE(maps.empty());
  EXPECT_EQ(maps.back(), '\n');
  bool found = false;
  for (const MapsEntry& entry : ParseMaps(maps)) {
    found |= entry.path == "[stack]";
  }
  EXPECT_TRUE(found);
}

// --- this process ------------------------------------------------------------

class ModuleMapTest : public ::testing::Test {
 protected:
  ModuleMap Read() { return ModuleMap::Read(ReadMaps(), memory_, *recording_); }

  Memory memory_;
  std::unique_ptr<stacks::Recording> recording_ =
      stacks::Recording::Allocate(stacks::Recording::kMinBytes).value();
};

// A loaded object as the loader describes it.
struct Loaded {
  std::string path;  // empty for the program
  uint64_t frame_header = 0;
  std::vector<std::pair<uint64_t, uint64_t>> code;  // page-aligned
};

std::vector<Loaded> LoadedObjects() {
  std::vector<Loaded> objects;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        Loaded object{info->dlpi_name, 0, {}};
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& program = info->dlpi_phdr[i];
          const uint64_t start = info->dlpi_addr + program.p_vaddr;
          if (program.p_type == PT_GNU_EH_FRAME) object.frame_header = start;
          if (program.p_type == PT_LOAD && (program.p_flags & PF_X) != 0) {
            object.code.push_back(
                {start & ~uint64_t{4095},
                 (start + program.p_memsz + 4095) & ~uint64_t{4095}});
          }
        }
        static_cast<std::vector<Loaded>*>(out)->push_back(object);
        return 0;
      },
      &objects);
  return objects;
}

TEST_F(ModuleMapTest, KnowsWhatTheLoaderKnows) {
  const ModuleMap map = Read();
  const std::vector<Loaded> objects = LoadedObjects();
  EXPECT_GT(objects.size(), 5u);
  for (const Loaded& object : objects) {
    SCOPED_TRACE(object.path);
    for (const auto& [start, limit] : object.code) {
      const CodeRange* code = map.FindCode(start);
      ASSERT_NE(code, nullptr);
      EXPECT_EQ(code->start, start);
      EXPECT_EQ(code->limit, limit);
      EXPECT_EQ(map.FindCode(limit - 1), code);
      const ElfImage* image = map.FindImage(start);
      ASSERT_NE(image, nullptr);
      EXPECT_EQ(&map.image(*code), image);
      EXPECT_EQ(image->frame_header, object.frame_header);
      EXPECT_EQ(map.FindImage(object.frame_header), image);
      EXPECT_GT(image->table_entries, 0u);
      const stacks::ModuleRecord* module = recording_->module(code->module);
      ASSERT_NE(module, nullptr);
      EXPECT_EQ(module->start, start);
      EXPECT_EQ(module->limit, limit);
    }
  }
}

TEST_F(ModuleMapTest, ModulesHaveTheBuildIdsOfTheirFiles) {
  const ModuleMap map = Read();
  int compared = 0;
  for (const Loaded& object : LoadedObjects()) {
    if (object.path.empty() || object.path[0] != '/') continue;
    const auto image = symbolize::ElfImage::Open(object.path);
    ASSERT_TRUE(image.ok()) << image.status();
    const CodeRange* code = map.FindCode(object.code.at(0).first);
    ASSERT_NE(code, nullptr);
    EXPECT_EQ(recording_->module(code->module)->BuildIdHex(),
              (*image)->BuildId())
        << object.path;
    ++compared;
  }
  EXPECT_GT(compared, 3);
}

TEST_F(ModuleMapTest, VdsoIsAModule) {
  const ModuleMap map = Read();
  const uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
  ASSERT_NE(vdso, 0u);
  const CodeRange* code = map.FindCode(vdso);
  ASSERT_NE(code, nullptr);
  const stacks::ModuleRecord* module = recording_->module(code->module);
  EXPECT_EQ(module->path_view(), "[vdso]");
  EXPECT_GT(module->build_id_size, 0);
  EXPECT_GT(map.image(*code).table_entries, 0u);
}

TEST_F(ModuleMapTest, DataAndGapsAreNotCode) {
  const ModuleMap map = Read();
  int local = 0;
  EXPECT_EQ(map.FindCode(reinterpret_cast<uint64_t>(&local)), nullptr);
  EXPECT_EQ(map.FindCode(0), nullptr);
  EXPECT_EQ(map.FindCode(~uint64_t{0}), nullptr);
  EXPECT_EQ(map.FindImage(0), nullptr);
  EXPECT_FALSE(map.empty());
  EXPECT_TRUE(ModuleMap().empty());
  EXPECT_EQ(ModuleMap().FindCode(1), nullptr);
}

TEST_F(ModuleMapTest, ReadingAgainFindsTheSameModules) {
  Read();
  const stacks::ModuleId count = recording_->module_count();
  Read();
  EXPECT_EQ(recording_->module_count(), count);
}

// --- strange files -----------------------------------------------------------

// A file with `header` at its front, mapped as code while it lives.
class MappedFile {
 public:
  explicit MappedFile(const std::vector<char>& header) {
    const int fd = memfd_create("strange", MFD_CLOEXEC);
    if (ftruncate(fd, kBytes) != 0 ||
        pwrite(fd, header.data(), header.size(), 0) < 0) {
      abort();
    }
    start_ = mmap(nullptr, kBytes, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    close(fd);
  }
  ~MappedFile() { munmap(start_, kBytes); }
  uint64_t address() const { return reinterpret_cast<uint64_t>(start_); }

 private:
  static constexpr size_t kBytes = 16384;
  void* start_;
};

// A small image with one segment of each kind, for a test to spoil.
struct Image {
  Elf64_Ehdr header = {};
  Elf64_Phdr programs[4] = {};
  struct {
    Elf64_Nhdr header = {4, 3, NT_GNU_BUILD_ID};
    char name[4] = {'G', 'N', 'U', 0};
    char id[4] = {1, 2, 3, 0};
  } note;
  struct {
    uint8_t encodings[4] = {1, 0x1b, 0x03, 0x3b};
    int32_t frame = 0;
    uint32_t count = 2;
  } frame_header;

  Image() {
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 4;
    header.e_phoff = offsetof(Image, programs);
    programs[0].p_type = PT_LOAD;
    programs[0].p_flags = PF_R | PF_X;
    programs[0].p_memsz = 16384;
    programs[1].p_type = PT_NOTE;
    programs[1].p_vaddr = offsetof(Image, note);
    programs[1].p_memsz = sizeof(note);
    programs[2].p_type = PT_GNU_EH_FRAME;
    programs[2].p_vaddr = offsetof(Image, frame_header);
    programs[3].p_type = PT_NULL;
  }
  std::vector<char> bytes() const {
    const char* begin = reinterpret_cast<const char*>(this);
    return {begin, begin + sizeof(*this)};
  }
};

TEST_F(ModuleMapTest, FileMappedByHandIsAModuleToo) {
  const MappedFile file(Image().bytes());
  const ModuleMap map = Read();
  const CodeRange* code = map.FindCode(file.address());
  ASSERT_NE(code, nullptr);
  EXPECT_EQ(recording_->module(code->module)->BuildIdHex(), "010203");
  EXPECT_EQ(map.image(*code).table_entries, 2u);
}

TEST_F(ModuleMapTest, LyingHeadersAreSurvived) {
  std::vector<Image> images(12);
  images[0].header.e_phnum = 0xffff;
  images[1].header.e_phoff = ~uint64_t{0} - 10;
  images[2].header.e_phentsize = 1;
  images[3].programs[0].p_type = PT_NULL;
  images[4].programs[1].p_memsz = ~uint64_t{0};
  images[5].programs[1].p_vaddr = ~uint64_t{0} - 100;
  images[6].note.header.n_namesz = ~0u;
  images[7].note.header.n_descsz = ~0u;
  images[8].programs[2].p_vaddr = 1 << 30;
  images[9].frame_header.count = ~0u;
  images[10].programs[0].p_vaddr = ~uint64_t{0} - 4095;
  images[11].header.e_ident[EI_CLASS] = ELFCLASS32;
  for (size_t i = 0; i < images.size(); ++i) {
    SCOPED_TRACE(i);
    const MappedFile file(images[i].bytes());
    const ModuleMap map = Read();
    EXPECT_NE(map.FindCode(reinterpret_cast<uint64_t>(&LoadedObjects)), nullptr)
        << "the others are found all the same";
  }
}

TEST_F(ModuleMapTest, OtherFilesMappedAsCodeAreNoModules) {
  const MappedFile file(std::vector<char>(100, 'x'));
  EXPECT_EQ(Read().FindCode(file.address()), nullptr);
}

TEST_F(ModuleMapTest, LongPathsAreCut) {
  const std::string long_path = "/" + std::string(1000, 'x');
  const MappedFile file(Image().bytes());
  char line[64];
  snprintf(line, sizeof(line), "%lx-%lx r-xp 00000000 00:01 7 ", file.address(),
           file.address() + 16384);
  const ModuleMap map =
      ModuleMap::Read(line + long_path + "\n", memory_, *recording_);
  const CodeRange* code = map.FindCode(file.address());
  ASSERT_NE(code, nullptr);
  EXPECT_EQ(recording_->module(code->module)->path_view(),
            long_path.substr(0, stacks::ModuleRecord::kMaxPath));
}

}  // namespace
}  // namespace wallprof::unwind
