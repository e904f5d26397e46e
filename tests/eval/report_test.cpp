// Plots and pages.
#include <gmock/gmock.h>

#include <cmath>

#include "support/error_of.h"
#include "unclip/eval/report/page.h"
#include "unclip/eval/report/plot.h"

namespace unclip::eval::report {
namespace {

using ::testing::HasSubstr;

std::vector<uint8_t> bytes(std::string_view text) { return {text.begin(), text.end()}; }

int64_t count(const std::string& text, const std::string& part) {
  int64_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

TEST(Page, Base64IsThatOfTheStandard) {  // RFC 4648 §10
  EXPECT_EQ(base64(bytes("")), "");
  EXPECT_EQ(base64(bytes("f")), "Zg==");
  EXPECT_EQ(base64(bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(bytes("foo")), "Zm9v");
  EXPECT_EQ(base64(bytes("foob")), "Zm9vYg==");
  EXPECT_EQ(base64(bytes("fooba")), "Zm9vYmE=");
  EXPECT_EQ(base64(bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(base64({0xFB, 0xFF}), "+/8=");
}

TEST(Page, TextIsText) {
  Page page("a < b & c");
  page.paragraph("<script>alert(\"x\")</script>");
  page.table({"name", "value"}, {{"<b>", "1"}});
  page.picture(torch::zeros({2, 2, 3}, torch::kUInt8), "two \xFF pixels");
  const std::string html = page.html();
  EXPECT_THAT(html, HasSubstr("<title>a &lt; b &amp; c</title>"));
  EXPECT_THAT(html, HasSubstr("<p>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</p>"));
  EXPECT_THAT(html, HasSubstr("<td>&lt;b&gt;</td><td>1</td>"));
  EXPECT_THAT(html, HasSubstr("src=\"data:image/png;base64,iVBORw0KGgo"));
  EXPECT_THAT(html, HasSubstr("two \xEF\xBF\xBD pixels"));
  EXPECT_EQ(count(html, "http"), 0);  // nothing from elsewhere
}

TEST(Plot, TicksAreRoundAndInside) {
  EXPECT_EQ(ticks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(ticks(0.9, 4.1, 5), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(ticks(-3, 120, 5), (std::vector<double>{0, 50, 100}));
  EXPECT_EQ(number_text(0.5), "0.5");
  EXPECT_EQ(number_text(12.34567), "12.35");
  EXPECT_EQ(number_text(3), "3");
}

TEST(Plot, LinesHaveMarkersAndErrorBars) {
  const Series a{.name = "a & b", .x = {1, 2, 3}, .y = {1, NAN, 5}, .low = {0, 1, 4}, .high = {2, 3, 6}};
  const Series b{.name = "b", .x = {1, 3}, .y = {2, 2}, .labels = {"one", "three"}};
  const std::string svg = line_plot({"title", "x axis", "y axis"}, {a, b});
  EXPECT_EQ(count(svg, "<circle"), 4);  // what is not finite is left out
  EXPECT_EQ(count(svg, "<polyline"), 2);
  for (const char* words : {">title<", ">x axis<", ">y axis<", ">a &amp; b<", ">three<"})
    EXPECT_THAT(svg, HasSubstr(words));
  EXPECT_EQ(count(svg, "nan"), 0);
}

TEST(Plot, HistogramSharesAddUp) {
  // Two series of other lengths but the same spread have the same outline.
  const Series a{.name = "a", .x = {}, .y = {0, 1, 1, 2}},
      b{.name = "b", .x = {}, .y = {0, 0, 1, 1, 1, 1, 2, 2}};
  const std::string svg = histogram({"title", "x", "y"}, {a, b}, 10);
  const size_t first = svg.find("points=\""), second = svg.find("points=\"", first + 1);
  const auto points = [&](size_t at) { return svg.substr(at, svg.find('"', at + 8) - at); };
  EXPECT_EQ(points(first), points(second));
}

TEST(Plot, NeedsPoints) {
  EXPECT_EQ(testing::error_of(ErrorKind::shape, [] { line_plot({}, {{.name = "a", .x = {1}, .y = {NAN}}}); }),
            "a plot has no finite value");
  EXPECT_EQ(testing::error_of(ErrorKind::shape,
                              [] {
                                line_plot({}, {{.name = "a", .x = {1, 2}, .y = {1}}});
                              }),
            "the series 'a' of a plot has parts of different lengths");
}

}  // namespace
}  // namespace unclip::eval::report
