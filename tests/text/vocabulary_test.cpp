#include "unclip/text/vocabulary.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/temporary_folder.h"
#include "unclip/base/error.h"

namespace unclip::text {
namespace {

const std::filesystem::path kClip = std::filesystem::path(UNCLIP_SOURCE_DIR) / "assets" / "clip-tokenizer";

std::string read(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

class VocabularyFiles : public ::testing::Test {
 protected:
  void write(const std::string& vocab, const std::string& merges) const {
    std::ofstream(folder_ / "vocab.json") << vocab;
    std::ofstream(folder_ / "merges.txt") << merges;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(VocabularyFiles, OfClipAreWrittenAsTheyWereRead) {
  const Vocabulary clip = Vocabulary::load(kClip);
  EXPECT_EQ(clip.size(), 49408);
  EXPECT_EQ(clip.merges().size(), 48894U);
  clip.save(folder_.path());
  EXPECT_TRUE(read(folder_ / "vocab.json") == read(kClip / "vocab.json"));
  EXPECT_TRUE(read(folder_ / "merges.txt") == read(kClip / "merges.txt"));
}

TEST_F(VocabularyFiles, OfClipStartWithTheBytes) {
  const Vocabulary clip = Vocabulary::load(kClip);
  for (size_t id = 0; id < 256; ++id) {
    const std::string& token = clip.tokens()[id];
    EXPECT_EQ(token, byte_names()[byte_order()[id]]);
    EXPECT_EQ(bytes_of_token(token), std::string(1, static_cast<char>(byte_order()[id])));
    EXPECT_EQ(clip.tokens()[id + 256], token + "</w>");
  }
}

TEST_F(VocabularyFiles, WhenDamagedAreRefused) {
  const std::pair<std::string, std::string> damaged[] = {{"{", ""},
                                                         {"[]", ""},
                                                         {"{}", ""},
                                                         {R"({"a": 1})", ""},
                                                         {R"({"a": 0, "b": 0})", ""},
                                                         {R"({"a": -1})", ""},
                                                         {R"({"a": "0"})", ""},
                                                         {R"({"a": 0, "b": 99999999999999999999})", ""},
                                                         {R"({"a": 0, "b": 1})", "a b\n"},
                                                         {R"({"a": 0, "b": 1, "ab": 2})", "a b c\n"},
                                                         {R"({"a": 0, "b": 1, "ab": 2})", "ab\n"},
                                                         {R"({"a": 0, "b": 1, "ab": 2})", " b\n"},
                                                         {R"({"a": 0, "b": 1, "ab": 2})", "a \n"},
                                                         {R"({"a": 0, "b": 1, "ab": 2})", "a x\n"}};
  for (const auto& [vocab, merges] : damaged) {
    write(vocab, merges);
    try {
      Vocabulary::load(folder_.path());
      ADD_FAILURE() << "accepted " << vocab << " with " << merges;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data) << error.what();
    }
  }
  write(R"({"a": 0, "b": 1, "ab": 2})", "#version: 0.2\r\na b\r\n");
  EXPECT_EQ(Vocabulary::load(folder_.path()).merges().size(), 1U);
  std::filesystem::remove(folder_ / "merges.txt");
  EXPECT_THROW(Vocabulary::load(folder_.path()), Error);
}

}  // namespace
}  // namespace unclip::text
