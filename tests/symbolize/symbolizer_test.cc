#include "profiler/symbolize/symbolizer.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "profiler/symbolize/elf_image.h"
#include "tests/symbolize/binutils.h"
#include "tests/symbolize/loaded_profile.h"

namespace service {

__attribute__((noinline)) int Serve(int n, const char* name) {
  return n * 3 + name[0];
}

}  // namespace service

namespace wallprof::symbolize {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

template <typename Function>
uint64_t AddressOf(Function* function) {
  return reinterpret_cast<uint64_t>(function);
}

Profile Symbolized(const std::vector<uint64_t>& addresses) {
  Profile profile = ProfileOf(addresses);
  Symbolizer().Symbolize(profile);
  return profile;
}

TEST(SymbolizerTest, FunctionsOfTheProgramHaveTheirNames) {
  const Profile profile = Symbolized({AddressOf(&service::Serve) + 1});
  EXPECT_EQ(FunctionAt(profile, 0).name, "service::Serve(int, char const*)");
  EXPECT_EQ(FunctionAt(profile, 0).system_name, "_ZN7service5ServeEiPKc");
  EXPECT_TRUE(MappingAt(profile, 0).has_functions);
  EXPECT_THAT(profile.comments, IsEmpty());
  EXPECT_TRUE(CheckValid(profile).ok());
}

TEST(SymbolizerTest, FunctionsOfLibcHaveTheNamesThatCallersUse) {
  void* libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(libc, nullptr);
  const std::vector<std::string> names = {"recv", "poll", "nanosleep", "read",
                                          "pthread_mutex_lock"};
  std::vector<uint64_t> addresses;
  for (const std::string& name : names) {
    // The interceptors of sanitizers stand before the program's own scope.
    addresses.push_back(reinterpret_cast<uint64_t>(dlsym(libc, name.c_str())) +
                        1);
  }
  dlclose(libc);
  const Profile profile = Symbolized(addresses);
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(FunctionAt(profile, i).name, names[i]);
    EXPECT_EQ(FunctionAt(profile, i).system_name, names[i]);
  }
}

TEST(SymbolizerTest, CodeWithoutSymbolIsToldByFileAndAddress) {
  const LoadedCopy library(SUBJECT);
  // Behind wp_outer nothing is known.
  const uint64_t address = NmAddress(SUBJECT, "wp_outer") + 20;
  const Profile profile = Symbolized({library.AddressOf("wp_outer") + 20});
  const std::string name =
      absl::StrCat("libsymbolize_subject.so+0x", absl::Hex(address));
  EXPECT_EQ(FunctionAt(profile, 0).name, name);
  EXPECT_EQ(FunctionAt(profile, 0).system_name, name);
  EXPECT_FALSE(MappingAt(profile, 0).has_functions);
  EXPECT_THAT(profile.comments, IsEmpty());
}

TEST(SymbolizerTest, CodeOutsideEveryMappingIsToldByAddress) {
  Profile profile = Symbolized({0x10});
  EXPECT_EQ(FunctionAt(profile, 0).name, "0x10");

  // A location may name a mapping that it does not lie in.
  profile = ProfileOf({0x20});
  profile.locations[0].mapping_id = profile.mappings[0].id;
  Symbolizer().Symbolize(profile);
  EXPECT_EQ(FunctionAt(profile, 0).name, "0x20");
}

TEST(SymbolizerTest, CodeInMemoryOfNoFileIsToldByItsMapping) {
  Profile profile = ProfileOf({});
  profile.mappings = {{1, 0x1000, 0x2000, 0, "", ""},
                      {2, 0x3000, 0x4000, 0, "[heap]", ""}};
  profile.locations = {{1, 1, 0x1010}, {2, 2, 0x3010}};
  Symbolizer().Symbolize(profile);
  EXPECT_EQ(FunctionAt(profile, 0).name, "0x1010");
  EXPECT_EQ(FunctionAt(profile, 1).name, "[heap]+0x10");
  EXPECT_THAT(profile.comments, IsEmpty());
}

TEST(SymbolizerTest, TheVdsoHasItsNames) {
  // Where the vDSO is and what its functions are called, from its own table.
  void* vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(vdso, nullptr);
  void* function = dlsym(vdso, "__vdso_clock_gettime");
  dlclose(vdso);
  const Profile profile = Symbolized({AddressOf(function) + 1});
  EXPECT_EQ(MappingAt(profile, 0).filename, "[vdso]");
  EXPECT_EQ(FunctionAt(profile, 0).name, "clock_gettime");
  EXPECT_TRUE(MappingAt(profile, 0).has_functions);
}

TEST(SymbolizerTest, LocationsThatHaveLinesOrNoAddressStay) {
  Profile profile = ProfileOf({AddressOf(&service::Serve), 0});
  profile.functions = {{7, "[truncated]", "[truncated]"}};
  profile.locations[0].lines = {{7}};
  Symbolizer().Symbolize(profile);
  EXPECT_EQ(FunctionAt(profile, 0).name, "[truncated]");
  EXPECT_THAT(profile.locations[1].lines, IsEmpty());
  EXPECT_EQ(profile.functions.size(), 1u);
}

TEST(SymbolizerTest, NewFunctionsHaveNewIds) {
  Profile profile = ProfileOf({AddressOf(&service::Serve)});
  profile.functions = {{7, "[truncated]", "[truncated]"}};
  Symbolizer().Symbolize(profile);
  ASSERT_EQ(profile.functions.size(), 2u);
  EXPECT_EQ(profile.functions[1].id, 8u);
  EXPECT_TRUE(CheckValid(profile).ok());
}

TEST(SymbolizerTest, LocationsOfOneFunctionShareIt) {
  const uint64_t address = AddressOf(&service::Serve);
  const Profile profile = Symbolized({address, address + 1, address + 2});
  EXPECT_EQ(profile.functions.size(), 1u);
}

TEST(SymbolizerTest, AReplacedFileGivesNoNames) {
  const LoadedCopy library(SUBJECT);
  const uint64_t address = library.AddressOf("wp_plain");
  Profile profile = ProfileOf({address, address + 1});
  library.ReplaceBy(SUBJECT_REPLACEMENT);
  Symbolizer().Symbolize(profile);
  const std::string offset =
      absl::StrCat(absl::Hex(address - MappingAt(profile, 0).start +
                             MappingAt(profile, 0).file_offset));
  EXPECT_EQ(FunctionAt(profile, 0).name, "libsymbolize_subject.so+0x" + offset);
  EXPECT_FALSE(MappingAt(profile, 0).has_functions);
  EXPECT_THAT(profile.comments,
              ElementsAre("no function names for " + library.path() +
                          ": the file was replaced since it was loaded"));
}

TEST(SymbolizerTest, ADeletedFileGivesNoNames) {
  const LoadedCopy library(SUBJECT);
  Profile profile = ProfileOf({library.AddressOf("wp_plain")});
  std::filesystem::remove(library.path());
  Symbolizer().Symbolize(profile);
  EXPECT_THAT(FunctionAt(profile, 0).name,
              MatchesRegex("libsymbolize_subject.so\\+0x[0-9a-f]+"));
  EXPECT_THAT(profile.comments,
              ElementsAre("no function names for " + library.path() +
                          ": No such file or directory"));

  // Also if it was deleted before the mapping was read.
  profile = ProfileOf({library.AddressOf("wp_plain")});
  Symbolizer().Symbolize(profile);
  EXPECT_THAT(FunctionAt(profile, 0).name,
              MatchesRegex("libsymbolize_subject.so\\+0x[0-9a-f]+"));
}

TEST(SymbolizerTest, NamesOnceFoundOutliveTheirFile) {
  const LoadedCopy library(SUBJECT);
  const std::vector<uint64_t> addresses = {library.AddressOf("wp_plain")};
  const Profile unnamed = ProfileOf(addresses);
  Symbolizer symbolizer;
  Profile profile = unnamed;
  symbolizer.Symbolize(profile);
  std::filesystem::remove(library.path());
  profile = unnamed;
  symbolizer.Symbolize(profile);
  EXPECT_EQ(FunctionAt(profile, 0).name, "wp_plain");
  EXPECT_THAT(profile.comments, IsEmpty());
}

TEST(SymbolizerTest, WhatWasLostComesBackWithTheFile) {
  const LoadedCopy library(SUBJECT);
  const Profile unnamed = ProfileOf({library.AddressOf("wp_plain")});
  Symbolizer symbolizer;
  std::filesystem::remove(library.path());
  Profile profile = unnamed;
  symbolizer.Symbolize(profile);
  EXPECT_THAT(FunctionAt(profile, 0).name, HasSubstr(".so+0x"));
  std::filesystem::copy_file(SUBJECT, library.path());
  profile = unnamed;
  symbolizer.Symbolize(profile);
  EXPECT_EQ(FunctionAt(profile, 0).name, "wp_plain");
}

TEST(SymbolizerTest, AFileWithoutBuildIdIsKnownByTheMemoryMap) {
  const LoadedCopy library(SUBJECT_ANONYMOUS);
  const Profile unnamed = ProfileOf({library.AddressOf("wp_plain")});
  Symbolizer symbolizer;
  Profile profile = unnamed;
  symbolizer.Symbolize(profile);
  ASSERT_EQ(MappingAt(profile, 0).build_id, "");
  EXPECT_EQ(FunctionAt(profile, 0).name, "wp_plain");

  library.ReplaceBy(SUBJECT_ANONYMOUS);
  profile = unnamed;
  symbolizer.Symbolize(profile);
  EXPECT_THAT(FunctionAt(profile, 0).name,
              MatchesRegex("libsymbolize_anonymous.so\\+0x[0-9a-f]+"));
  EXPECT_THAT(profile.comments, ElementsAre(HasSubstr("was replaced")));
}

TEST(SymbolizerTest, ACacheWithoutRoomOnlyForgets) {
  const std::vector<uint64_t> addresses = {AddressOf(&service::Serve)};
  Symbolizer symbolizer({.cache_bytes = 0});
  for (int i = 0; i < 2; ++i) {
    Profile profile = ProfileOf(addresses);
    symbolizer.Symbolize(profile);
    EXPECT_EQ(FunctionAt(profile, 0).system_name, "_ZN7service5ServeEiPKc");
  }
}

TEST(SymbolizerTest, ThreadsMayShareIt) {
  std::vector<uint64_t> addresses;
  for (uint64_t i = 0; i < 64; ++i) {
    addresses.push_back(AddressOf(&service::Serve) + 64 * i);
  }
  const Profile unnamed = ProfileOf(addresses);
  Profile expected = unnamed;
  Symbolizer().Symbolize(expected);

  // So small that the threads also evict each other's names.
  Symbolizer symbolizer({.cache_bytes = 4096});
  std::vector<std::thread> threads;
  std::vector<Profile> profiles(4, unnamed);
  for (Profile& profile : profiles) {
    threads.emplace_back([&] { symbolizer.Symbolize(profile); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Profile& profile : profiles) {
    for (size_t i = 0; i < addresses.size(); ++i) {
      EXPECT_EQ(FunctionAt(profile, i).name, FunctionAt(expected, i).name);
    }
  }
}

}  // namespace
}  // namespace wallprof::symbolize
