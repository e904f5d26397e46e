#include "unclip/base/shell_words.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace unclip {
namespace {

/// What the shell makes of a word.
std::string read_back(const std::string& word) {
  // NOLINTNEXTLINE(bugprone-command-processor): a shell is what is asked
  std::FILE* shell = popen(("printf %s " + quoted(word)).c_str(), "r");
  std::string result;
  for (int c = std::fgetc(shell); c != EOF; c = std::fgetc(shell)) result += static_cast<char>(c);
  pclose(shell);
  return result;
}

TEST(Quoted, LeavesPlainWordsAlone) {
  EXPECT_EQ(quoted("--data"), "--data");
  EXPECT_EQ(quoted("runs/prior-1.5"), "runs/prior-1.5");
}

TEST(Quoted, IsReadBackByAShell) {
  for (const char* word : {"", "a red heart", "shards/train-*.tar", "it's", "'", "$(date) `date` \\", "é\n~"})
    EXPECT_EQ(read_back(word), word);
}

}  // namespace
}  // namespace unclip
