#include "apps/cli/terminal_progress.h"

#include <gmock/gmock.h>

#include <sstream>

namespace unclip::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A TerminalProgress on a string, with a clock that only moves by hand.
struct Stage {
  explicit Stage(bool is_terminal, int columns = 80)
      : progress(out, {is_terminal, [columns] { return columns; }, [this] { return now; }}) {}

  void advance(int64_t units, double seconds) {
    now += seconds;
    progress.advance(units);
  }

  std::vector<std::string> lines(char separator = '\n') const {
    std::vector<std::string> result;
    std::istringstream text(out.str());
    for (std::string line; std::getline(text, line, separator);) result.push_back(line);
    return result;
  }

  std::string last_drawn() const { return lines('\r').back(); }

  std::ostringstream out;
  double now = 100;
  TerminalProgress progress;
};

TEST(Duration, GrowsByUnits) {
  EXPECT_EQ(duration_text(0), "0:00");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(754), "12:34");
  EXPECT_EQ(duration_text(2 * 3600 + 5 * 60 + 9), "2:05:09");
}

TEST(PlainProgress, WritesAtTheStartEveryTenSecondsAndAtTheEnd) {
  Stage stage(false);
  stage.progress.begin("decoder", 27);
  for (int i = 0; i < 27; ++i) stage.advance(1, 1);
  stage.progress.end();
  EXPECT_THAT(stage.lines(), ElementsAre("decoder: 0/27", "decoder: 10/27  1.0/s  0:17 left",
                                         "decoder: 20/27  1.0/s  0:07 left", "decoder: 27 in 0:27"));
}

TEST(Bar, ShowsShareRateTimeLeftAndNote) {
  Stage stage(true);
  stage.progress.begin("decoder", 40);
  stage.progress.note("loss 0.113");
  stage.advance(10, 5);
  stage.advance(10, 2);
  EXPECT_THAT(stage.last_drawn(), StartsWith("decoder    [==============>              ]"));
  EXPECT_THAT(stage.last_drawn(), EndsWith("]  20/40  5.0/s  0:04 left  loss 0.113\x1b[K"));
  stage.progress.end();
  EXPECT_THAT(stage.last_drawn(), EndsWith("decoder: 20 in 0:07, loss 0.113\n"));
}

TEST(Bar, IsRedrawnAtMostTenTimesASecond) {
  Stage stage(true);
  stage.progress.begin("prior", 1000);
  for (int i = 0; i < 1000; ++i) stage.advance(1, 0.002);
  EXPECT_LE(stage.lines('\r').size(), 22U);
  EXPECT_GE(stage.lines('\r').size(), 18U);
}

TEST(Bar, NeverIsWiderThanTheTerminal) {
  for (const int columns : {5, 20, 40, 200}) {
    Stage stage(true, columns);
    stage.progress.begin("up-1024", 15);
    stage.progress.note("größe ok");
    stage.advance(1, 1);
    stage.advance(1, 1);
    const std::string line = stage.last_drawn();
    const size_t ascii =
        line.find('\x1b') - (line.find("ö") != std::string::npos) - (line.find("ß") != std::string::npos);
    EXPECT_LT(ascii, static_cast<size_t>(columns));
  }
}

TEST(Bar, OfUnknownLengthOnlyCounts) {
  Stage stage(true);
  stage.progress.begin("reading", 0);
  stage.advance(3, 1);
  EXPECT_THAT(stage.last_drawn(), StartsWith("reading    3\x1b"));
}

TEST(Bar, ShowsSecondsEachWhenSlow) {
  Stage stage(true);
  stage.progress.begin("up-1024", 4);
  stage.advance(1, 9);
  stage.advance(1, 4);
  EXPECT_THAT(stage.last_drawn(), HasSubstr("4.0 s each  0:08 left"));
}

TEST(Rate, IgnoresWhatAResumedRunHadDoneBefore) {
  Stage stage(true);
  stage.progress.begin("train", 100'000);
  stage.advance(50'000, 1);
  EXPECT_THAT(stage.last_drawn(), Not(HasSubstr("/s")));
  stage.advance(20, 2);
  EXPECT_THAT(stage.last_drawn(), HasSubstr("50020/100000  10.0/s  1:23:18 left"));
}

TEST(Rate, FollowsAChangeOfSpeed) {
  Stage stage(true);
  stage.progress.begin("train", 100'000);
  for (int i = 0; i < 600; ++i) stage.advance(1, 1);
  for (int i = 0; i < 70; ++i) stage.advance(5, 1);
  EXPECT_THAT(stage.last_drawn(), HasSubstr("5.0/s"));
}

TEST(Bar, LeavesTheLineWhenAStageFails) {
  std::ostringstream out;
  {
    TerminalProgress progress(out, {true, [] { return 80; }, [] { return 0.0; }});
    progress.begin("prior", 5);
  }
  EXPECT_THAT(out.str(), EndsWith("\n"));
}

}  // namespace
}  // namespace unclip::cli
