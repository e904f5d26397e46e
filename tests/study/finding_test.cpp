// Findings on disk and what they are called.
#include "unclip/study/finding.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/io/file.h"

namespace unclip::study {
namespace {

Finding example() {
  return {.id = "guidance",
          .title = "Title",
          .claim = "claim",
          .measured = "measured \"so\"",
          .verdict = Verdict::does_not_hold,
          .reason = "because",
          .figures = {{"recall", {0.5, 0.25, 0.75}}, {"pictures", exactly(3)}},
          .plots = {{{"plot", "x", "y"}, {{.name = "line", .x = {1, 2}, .y = {3, 4}}}}},
          .grids = {{torch::full({4, 6, 3}, 7, torch::kUInt8), "a grid"}},
          .commands = {"unclip eval"}};
}

TEST(Finding, ComesBackFromDisk) {
  const testing::TemporaryFolder folder;
  EXPECT_FALSE(load_finding("guidance", folder / "findings").has_value());
  save_finding(example(), folder / "findings");
  const auto loaded = load_finding("guidance", folder / "findings");
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(finding_json(*loaded), finding_json(example()));
  ASSERT_EQ(loaded->grids.size(), 1U);
  EXPECT_TRUE(torch::equal(loaded->grids[0].pixels, example().grids[0].pixels));
}

TEST(Finding, IsRefusedWhenDamaged) {
  const testing::TemporaryFolder folder;
  save_finding(example(), folder / "findings");
  io::write_file_atomically(folder / "findings/guidance.json", std::string_view("{\"id\": 3}"));
  EXPECT_THAT(testing::error_of(ErrorKind::data, [&] { load_finding("guidance", folder / "findings"); }),
              ::testing::HasSubstr("guidance.json is damaged, remove it"));
}

TEST(Verdict, IsAboutTheWholeInterval) {
  EXPECT_EQ(verdict_on_sign({0.3, 0.1, 0.5}), Verdict::holds);
  EXPECT_EQ(verdict_on_sign({0.3, -0.1, 0.5}), Verdict::undecided);
  EXPECT_EQ(verdict_on_sign({-0.3, -0.5, -0.1}), Verdict::does_not_hold);
  EXPECT_EQ(verdict_on_sign({0, 0, 0}), Verdict::undecided);
  EXPECT_EQ(enum_name(Verdict::does_not_hold), "does not hold here");
}

}  // namespace
}  // namespace unclip::study
