#include "unclip/text/tokenizer_trainer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "unclip/base/error.h"
#include "unclip/text/tokenizer.h"

namespace unclip::text {
namespace {

const std::filesystem::path kTrained = std::filesystem::path(UNCLIP_FIXTURES) / "text" / "trained";

std::vector<std::pair<std::string, int64_t>> read_captions() {
  std::ifstream stream(kTrained / "captions.txt");
  std::vector<std::pair<std::string, int64_t>> captions;
  for (std::string line; std::getline(stream, line);) {
    const size_t tab = line.find('\t');
    captions.emplace_back(line.substr(tab + 1), std::stoll(line.substr(0, tab)));
  }
  return captions;
}

Vocabulary train(const std::vector<std::pair<std::string, int64_t>>& captions, int64_t size) {
  TokenizerTrainer trainer;
  for (const auto& [caption, count] : captions) trainer.add(caption, count);
  return trainer.train({.vocabulary_size = size});
}

TEST(TokenizerTrainer, LearnsWhatTheReferenceTrainerLearns) {
  const Vocabulary expected = Vocabulary::load(kTrained);
  const auto captions = read_captions();
  ASSERT_GT(captions.size(), 400U);
  const Vocabulary learned = train(captions, 900);
  EXPECT_EQ(learned.merges(), expected.merges());
  EXPECT_EQ(learned.tokens(), expected.tokens());
}

TEST(TokenizerTrainer, TrainedTokenizerGivesTheReferenceIds) {
  const Tokenizer tokenizer(train(read_captions(), 900));
  std::ifstream stream(kTrained / "ids.json");
  const auto record = nlohmann::json::parse(stream);
  ASSERT_GT(record.size(), 50U);
  for (const auto& [caption, ids] : record.items()) {
    std::vector<int64_t> mine = tokenizer.encode(caption);
    mine.insert(mine.begin(), tokenizer.start_id());
    mine.push_back(tokenizer.end_id());
    EXPECT_EQ(mine, ids.get<std::vector<int64_t>>()) << caption;
  }
}

TEST(TokenizerTrainer, StopsAtTheSizeAndIgnoresTheOrderOfCaptions) {
  auto captions = read_captions();
  const Vocabulary learned = train(captions, 560);
  EXPECT_EQ(learned.size(), 560);
  std::reverse(captions.begin(), captions.end());
  EXPECT_EQ(train(captions, 560).tokens(), learned.tokens());
  EXPECT_EQ(train({}, 560).size(), 514);
}

TEST(TokenizerTrainer, LearnsFromManyCaptionsInSeconds) {
  const auto start = std::chrono::steady_clock::now();
  TokenizerTrainer trainer;
  uint32_t state = 1;
  const auto random = [&state](uint32_t below) {
    return (state = state * 1664525U + 1013904223U) / 65536U % below;
  };
  for (int caption = 0; caption < 200'000; ++caption) {
    std::string text;
    for (int word = 0; word < 6; ++word) {
      for (uint32_t rest = random(4000); rest > 0; rest /= 9) text += static_cast<char>('a' + rest % 23);
      text += ' ';
    }
    trainer.add(text);
  }
  EXPECT_EQ(trainer.train({.vocabulary_size = 4096}).size(), 4096);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(TokenizerTrainer, RefusesSizesOutOfRange) {
  for (const int64_t size : {int64_t{0}, int64_t{513}, int64_t{1} << 40}) {
    EXPECT_THROW(train({}, size), Error);
  }
  EXPECT_THROW(TokenizerTrainer().add("\xff"), Error);
}

}  // namespace
}  // namespace unclip::text
