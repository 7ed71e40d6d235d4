#include "fleet/pgo/export/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wallprof::pgo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReportTest, TellsWhatBecameOfTheSamples) {
  ExportReport report;
  report.subject = "./shop";
  report.build_id = "abcd";
  report.total = 131;
  report.matched = 100;
  report.elsewhere = {{"libc.so.6", 20}, {"[vdso]", 5}, {"a", 1},
                      {"b", 2},          {"c", 2},      {"d", 1}};
  report.written = 90;
  report.dropped = {{"in functions of fewer than 10", 10}};
  report.content = {.placed = 80,
                    .functions = 3,
                    .thin_functions = 4,
                    .hot_places = 9,
                    .cold_places = 20,
                    .targets = 2,
                    .unnamed_copies = 1};
  report.density = 2.5;
  report.notes = {"one thing"};
  EXPECT_EQ(
      ToText(report),
      "exported:  ./shop, build id abcd\n"
      "samples:   131 on a CPU: 100 in it, 31 elsewhere (libc.so.6 20, [vdso] "
      "5, b 2, c 2, a 1, other 1)\n"
      "written:   90, 10 left out (in functions of fewer than 10 10)\n"
      "functions: 3, 4 left out with too few samples\n"
      "places:    9 met, 20 cold; 80 of 90 samples at one, the "
      "others for their function alone\n"
      "calls:     2 targets\n"
      "left out:  1 inlined copies whose names cannot be written\n"
      "density:   2.5 samples by byte of code\n"
      "few:       90 samples are few, whatever the density: below "
      "1000 chance decides. Sample longer, more often, or more "
      "instances.\n"
      "note:      one thing\n");
}

TEST(ReportTest, SaysHowManySamplesWouldDo) {
  ExportReport report;
  report.density = 0.01;
  EXPECT_THAT(ToText(report), Not(HasSubstr("thin")));
  report.density = 0.0022;
  EXPECT_THAT(ToText(report),
              HasSubstr("That is thin: 5 times as many samples would do."));
}

}  // namespace
}  // namespace wallprof::pgo
