#include "profiler/symbolize/demangle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/symbolize/binutils.h"
#include "tests/symbolize/loaded_profile.h"

namespace wallprof::symbolize {
namespace {

TEST(DemangleTest, NamesHaveParameters) {
  EXPECT_EQ(Demangle("_Z18slowNetworkRequestv"), "slowNetworkRequest()");
  EXPECT_EQ(Demangle("_ZN7subject5TwiceIdEET_S1_"),
            "double subject::Twice<double>(double)");
}

TEST(DemangleTest, NamesThatAreNotMangledStay) {
  for (const std::string name :
       {"", "main", "_start", "__libc_start_main", "_Z", "_Znonsense", "std",
        "_ZN7subject5Twi", "foo.cold", "_RNvC4rust4main"}) {
    EXPECT_EQ(Demangle(name), name);
  }
}

TEST(DemangleTest, PartsOfAFunctionHaveItsName) {
  EXPECT_EQ(Demangle("_Z5startv.cold"), "start()");
  EXPECT_EQ(Demangle("_Z5startv.part.0.cold.1"), "start()");
}

TEST(DemangleTest, AbbreviationsAreWrittenOut) {
  EXPECT_EQ(Demangle("_Z5printRSoSs"),
            "print(std::basic_ostream<char, std::char_traits<char> >&, "
            "std::basic_string<char, std::char_traits<char>, "
            "std::allocator<char> >)");
}

TEST(DemangleTest, NamesThatOnlyResembleAbbreviationsStay) {
  EXPECT_EQ(Demangle("_ZN3own3std6stringEv"), "own::std::string()");
  EXPECT_EQ(Demangle("_ZSt11string_viewv"), "std::string_view()");
}

// Every mangled name of a large program and of the corner cases above, against
// c++filt.
TEST(DemangleTest, AgreesWithCxxfilt) {
  std::vector<std::string> names = {
      "_Z5printRSoSs",
      "_Z4sortSt6vectorISsSaISsEE",
      "_ZNSs6appendEPKc",
      "_ZNSolsEi",
      "_Z4swapRSiRSd",
      "_ZN3own3std6stringEv",
      "_Z1fSsB5cxx11",
      "_ZZ4mainENKUlRSoE_clES_",
      "_Z" + std::string("1500") + std::string(1500, 'a') + "v"};
  for (const NmSymbol& symbol : Nm(ThisProgram())) {
    if (symbol.name.rfind("_Z", 0) != 0) continue;
    names.push_back(symbol.name.substr(0, symbol.name.find('@')));
  }
  ASSERT_GT(names.size(), 100u);
  const TemporaryDirectory directory;
  const std::string list = directory.path() + "/names";
  {
    std::ofstream file(list);
    for (const std::string& name : names) file << name << '\n';
  }
  const std::vector<std::string> expected =
      LinesOf(OutputOf("c++filt < " + list));
  ASSERT_EQ(expected.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(Demangle(names[i]),
              expected[i].substr(0, expected[i].find(" [clone ")))
        << names[i];
  }
}

}  // namespace
}  // namespace wallprof::symbolize
