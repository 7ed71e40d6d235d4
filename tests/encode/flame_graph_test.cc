// The flame graph as SVG and HTML.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiler/encode/flame/flame_colors.h"
#include "profiler/encode/flame/flame_tree.h"
#include "profiler/encode/markup.h"
#include "tests/encode/shell.h"
#include "tests/profile/stack_profile.h"
#include "wallprof/formats.h"

namespace wallprof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kSecond = 1'000'000'000;

Profile SmallProfile() {
  return WallProfile({{{"main", "wait"}, {60, 0, 6 * kSecond}},
                      {{"main", "spin"}, {30, 3 * kSecond, 3 * kSecond}},
                      {{"other"}, {10, 0, kSecond}}});
}

// "name depth before after" of each node.
std::vector<std::string> NodesOf(const FlameTree& tree) {
  std::vector<std::string> lines;
  for (const FlameNode& node : tree.nodes) {
    lines.push_back(tree.names[node.name] + " " + std::to_string(node.depth) +
                    " " + std::to_string(node.before) + " " +
                    std::to_string(node.after));
  }
  return lines;
}

TEST(FlameTreeTest, MergesCommonCallersInAlphabeticalOrder) {
  FlameTree tree = BuildFlameTree(WallProfile({{{"b", "x"}, {1, 0, 5}},
                                               {{"a"}, {1, 0, 2}},
                                               {{"b"}, {1, 0, 3}},
                                               {{"b", "x", "y"}, {1, 0, 1}}}),
                                  {});
  EXPECT_THAT(NodesOf(tree), ElementsAre("all 0 0 11", "a 1 0 2", "b 1 0 9",
                                         "x 2 0 6", "y 3 0 1"));
  EXPECT_FALSE(tree.is_difference);
}

TEST(FlameTreeTest, NegativeWeightsAreAnotherSide) {
  FlameTree tree = BuildFlameTree(
      WallProfile({{{"a", "b"}, {0, 0, -4}}, {{"a", "c"}, {0, 0, 3}}}), {});
  EXPECT_THAT(NodesOf(tree),
              ElementsAre("all 0 4 3", "a 1 4 3", "b 2 4 0", "c 2 0 3"));
  EXPECT_TRUE(tree.is_difference);
}

TEST(FlameTreeTest, NothingIsARootWithoutWeight) {
  EXPECT_THAT(NodesOf(BuildFlameTree(WallProfile({}), {})),
              ElementsAre("all 0 0 0"));
}

TEST(MarkupTest, EscapesAndReplaces) {
  EXPECT_EQ(MarkupText("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c'");
  EXPECT_EQ(MarkupText("\x01 \xff \xc3\xa9 \xed\xa0\x80 \xc0\x80 \xf0\x9f"),
            "\xef\xbf\xbd \xef\xbf\xbd \xc3\xa9 "
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd "
            "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(MarkupTest, ShortensByCharacters) {
  EXPECT_EQ(Shortened("h\xc3\xa9llo", 5), "h\xc3\xa9llo");
  EXPECT_EQ(Shortened("h\xc3\xa9llo", 4), "h\xc3\xa9..");
  EXPECT_EQ(Shortened("hello", 2), "");
  EXPECT_EQ(Shortened("", 0), "");
}

TEST(FlameColorsTest, ChangesGoFromBlueToRed) {
  EXPECT_EQ(ColorOfChange(0), "#ececec");
  EXPECT_EQ(ColorOfChange(1), "#de5240");
  EXPECT_EQ(ColorOfChange(-1), "#5a8cd6");
  EXPECT_EQ(ColorOfName("[overflow]"), "#cccccc");
  EXPECT_EQ(ColorOfName("main"), ColorOfName("main"));
}

TEST(SvgTest, SaysWhatItShows) {
  std::string svg = EncodeSvg(SmallProfile());
  EXPECT_THAT(svg, HasSubstr(">Flame graph: wall</text>"));
  EXPECT_THAT(svg, HasSubstr(">wall in nanoseconds: 10.00s in all</text>"));
  EXPECT_THAT(svg, HasSubstr("<title>wait\n6.00s, 60.00%</title>"
                             "<rect x=\"364.00\" y=\"102\" width=\"708.00\""));
  EXPECT_THAT(svg, HasSubstr(">wait</text></g>"));
  EXPECT_THAT(svg, Not(HasSubstr("left out")));
  FlameGraphOptions options;
  options.title = "<mine>";
  options.view = View::kCpu;
  svg = EncodeSvg(SmallProfile(), options);
  EXPECT_THAT(svg, HasSubstr(">&lt;mine&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr(">cpu in nanoseconds: 3.00s in all</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("wait")));
}

TEST(SvgTest, FramesTooNarrowAreCounted) {
  EXPECT_THAT(
      EncodeSvg(WallProfile({{{"wide"}, {1, 0, 1'000'000}},
                             {{"narrow"}, {1, 0, 1}},
                             {{"sliver"}, {1, 0, 1}}})),
      AllOf(HasSubstr(">2 frames narrower than 0.1 pixels are left out<"),
            Not(HasSubstr("sliver"))));
}

TEST(SvgTest, DifferencesAreColouredAndToldApart) {
  Profile diff = SmallProfile();
  diff.samples[0].values = {-60, 0, -6 * kSecond};
  std::string svg = EncodeSvg(diff);
  EXPECT_THAT(svg, HasSubstr("<title>wait\nbefore 6.00s, after 0, -6.00s<"));
  EXPECT_THAT(svg, HasSubstr("<title>spin\nbefore 0, after 3.00s, +3.00s<"));
  EXPECT_THAT(svg, HasSubstr(ColorOfChange(1)));
  EXPECT_THAT(svg, HasSubstr(ColorOfChange(-1)));
  EXPECT_THAT(svg, HasSubstr("red has grown, blue has shrunk"));
}

// Python's parsers, as strict as a browser's for XML.
void ExpectWellFormed(const std::string& xml) {
  TemporaryFolder folder;
  WriteWhole(folder.PathOf("a.svg"), xml);
  ShellResult result = RunShell(
      "python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' " +
      folder.PathOf("a.svg"));
  EXPECT_EQ(result.exit_status, 0) << result.output;
}

TEST(SvgTest, IsWellFormedWhateverTheNames) {
  std::string any;
  for (int c = 1; c < 256; ++c) any += static_cast<char>(c);
  FlameGraphOptions options;
  options.title = any + "]]>";
  ExpectWellFormed(
      EncodeSvg(WallProfile({{{any, "</title><script>alert(1)</script>", "]]>"},
                              {1, 0, kSecond}}}),
                options));
  ExpectWellFormed(EncodeSvg(Profile()));
}

TEST(HtmlTest, HasTheGraphAndTheFunctions) {
  std::string html = EncodeHtml(SmallProfile());
  EXPECT_THAT(html, HasSubstr("<svg class=\"flame\""));
  EXPECT_THAT(html,
              HasSubstr("<tr><td data-value=\"6000000000\">6.00s</td>"
                        "<td data-value=\"60\">60.00%</td>"
                        "<td data-value=\"6000000000\">6.00s</td>"
                        "<td data-value=\"60\">60.00%</td><td>wait</td></tr>"));
}

TEST(HtmlTest, NeedsNothingFromElsewhereAndRunsNoForeignScript) {
  std::string html = EncodeHtml(
      WallProfile({{{"</script><script>alert(1)</script>"}, {1, 0, kSecond}}}));
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, HasSubstr("content=\"default-src 'none'"));
  for (const char* reference : {" src=", " href=", "url(", "@import"}) {
    EXPECT_THAT(html, Not(HasSubstr(reference)));
  }
}

}  // namespace
}  // namespace wallprof
