#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiler/encode/foreign/recognize.h"
#include "tests/profile/profile_text.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::ElementsAre;

// As perf 6.1 prints it.
constexpr char kText[] =
    "# captured on    : Sat Nov 21 15:24:43 2026\n"
    "\n"
    "pyenv exec  3202 13775.845718:    5025125 cpu-clock: \n"
    "\tffffffff821ef100 __put_user_8+0x10 ([kernel.kallsyms])\n"
    "\t           d4ad7 ns::execve(char const*, int)+0x7 (/lib/libc.so.6)\n"
    "\n"
    "python3  3202/3203 [001] 13776.345718:    5025125 cpu-clock:pppH: \n"
    "\t          1af670 [unknown] (/lib/libpython3.11.so.1.0 (deleted))\n"
    "\t    7f2ca97b4000 [unknown] ([unknown])\n"
    "\n"
    "python3  3203 13776.345719: 7 cycles:u:  401000 main+0x4 (/bin/demo)\n"
    "python3  3203 13776.345720: PERF_RECORD_LOST lost 3\n"
    "python3  3203 13776.345721: sched:sched_switch: prev_comm=python3\n"
    "\tffffffff8 schedule ([kernel.kallsyms])\n";

TEST(PerfScriptTest, FramesAreNamedByFunctionOrPlace) {
  absl::StatusOr<Profile> profile = DecodePerfScript(kText);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(CheckValid(*profile), absl::OkStatus());
  EXPECT_EQ(EncodeFolded(*profile),
            "0x7f2ca97b4000;libpython3.11.so.1.0 (deleted)+0x1af670 5025\n"
            "ns::execve(char const*, int);__put_user_8 5025\n");
}

TEST(PerfScriptTest, EventsAreTypesAndThreadsAreLabels) {
  absl::StatusOr<Profile> profile = DecodePerfScript(kText);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_THAT(profile->sample_types,
              ElementsAre(ValueType{"samples", "count"},
                          ValueType{"cpu", "nanoseconds"},
                          ValueType{"cycles:u", "count"},
                          ValueType{"sched:sched_switch", "count"}));
  EXPECT_EQ(profile->default_sample_type, "cpu");
  ASSERT_EQ(profile->samples.size(), 4);
  EXPECT_THAT(profile->samples[0].values, ElementsAre(1, 5025125, 0, 0));
  EXPECT_THAT(
      profile->samples[0].labels,
      ElementsAre(Label{"thread", "pyenv exec"}, Label{"tid", "", 3202}));
  EXPECT_THAT(profile->samples[1].labels,
              ElementsAre(Label{"thread", "python3"}, Label{"tid", "", 3203}));
  EXPECT_THAT(profile->samples[2].values, ElementsAre(1, 0, 7, 0));
  EXPECT_THAT(profile->samples[3].values, ElementsAre(1, 0, 0, 1));
  EXPECT_EQ(profile->duration, absl::Microseconds(500003));
}

TEST(PerfScriptTest, IsRecognisedByItsFirstLine) {
  EXPECT_TRUE(IsPerfScript(kText));
  EXPECT_TRUE(IsPerfScript("a 1 1.1: cycles:\n"));
  for (const char* text :
       {"", "\n", "# comment\n", "main;work 5\n", "f(double) 1.5: 3\n",
        "a b 1.1: cycles:\n", "a 1 1.1: cycles\n", "1.1: cycles:\n"}) {
    EXPECT_FALSE(IsPerfScript(text)) << text;
  }
  absl::StatusOr<Profile> profile = Decode(kText);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(ProfileText(*profile), ProfileText(*DecodePerfScript(kText)));
}

TEST(PerfScriptTest, ErrorsNameTheLine) {
  for (const auto& [text, error] :
       {std::pair("a 1 1.1: c:\n\tzz f (b)\n",
                  "line 2: not a frame, ADDRESS SYMBOL (FILE)"),
        std::pair("a 1 1.1: c:\n\n\t12 f (b)\n",
                  "line 3: not a sample, COMM PID TIME: PERIOD EVENT:"),
        std::pair("a 1 1.1: c:\nnonsense\n",
                  "line 2: not a sample, COMM PID TIME: PERIOD EVENT:")}) {
    EXPECT_EQ(DecodePerfScript(text).status(),
              absl::InvalidArgumentError(error));
  }
}

TEST(PerfScriptTest, NoSamplesAreAnEmptyProfile) {
  absl::StatusOr<Profile> profile = DecodePerfScript("# nothing\n");
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_TRUE(profile->samples.empty());
}

}  // namespace
}  // namespace wallprof
