#include "unclip/text/tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/temporary_folder.h"
#include "unclip/base/error.h"
#include "unclip/text/unicode.h"

namespace unclip::text {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<int64_t>;

const std::filesystem::path kFixtures = std::filesystem::path(UNCLIP_FIXTURES) / "text";
const std::filesystem::path kClip = std::filesystem::path(UNCLIP_SOURCE_DIR) / "assets" / "clip-tokenizer";
const SpecialTokens kPadExclamation{.pad = {"!", false}, .others = {}};

Json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return Json::parse(stream);
}

/// The ids of one caption with start and end, cut to 77.
Ids encode_whole(const Tokenizer& tokenizer, const std::string& caption) {
  const Tokens tokens = tokenizer.tokenize(std::vector<std::string>{caption}, 77);
  const torch::Tensor ids = tokens.ids[0].index({tokens.mask[0]}).contiguous();
  return {ids.data_ptr<int64_t>(), ids.data_ptr<int64_t>() + ids.numel()};
}

void expect_same_ids(const Tokenizer& tokenizer, const Json& prompts, const Json& expected) {
  ASSERT_EQ(prompts.size(), expected.size());
  ASSERT_GT(prompts.size(), 20U);
  for (size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(encode_whole(tokenizer, prompts[i]), expected[i].get<Ids>()) << prompts[i];
  }
}

std::string repeat(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST(Tokenizer, GivesTheRecordedIdsOfClip) {
  const Json record = read_json(kFixtures / "tokenizer_ref.json");
  expect_same_ids(Tokenizer(Vocabulary::load(kClip), kPadExclamation), record["prompts"], record["hf_fast"]);
}

TEST(Tokenizer, GivesTheIdsOfTheFastReferenceForEitherPadding) {
  const Json record = read_json(kFixtures / "hf_fast.json");
  for (const auto& [name, folder] : {std::pair{"clip", kClip}, std::pair{"tiny", kFixtures / "tiny"}}) {
    const Vocabulary vocabulary = Vocabulary::load(folder);
    expect_same_ids(Tokenizer(vocabulary), record["prompts"], record[name]["pad_endoftext"]);
    expect_same_ids(Tokenizer(vocabulary, kPadExclamation), record["prompts"],
                    record[name]["pad_exclamation"]);
  }
}

TEST(Tokenizer, GivesTheRecordedIdsOfOpenAisTokenizer) {
  const Json record = read_json(kFixtures / "tokenizer_ref.json");
  expect_same_ids(Tokenizer::openai(Vocabulary::load(kClip)), record["prompts"],
                  record["openai_simple_tokenizer"]);
  const Json more = read_json(kFixtures / "openai.json");
  expect_same_ids(Tokenizer::openai(Vocabulary::load(kClip)), more["prompts"], more["ids"]);
}

TEST(Tokenizer, OpenAisPadsWithZero) {
  const Tokens tokens =
      Tokenizer::openai(Vocabulary::load(kClip)).tokenize(std::vector<std::string>{"a red heart!"}, 8);
  EXPECT_TRUE(torch::equal(tokens.ids, torch::tensor({{49406, 320, 736, 1936, 256, 49407, 0, 0}})))
      << tokens.ids;
}

TEST(Tokenizer, PadsMasksAndCutsKeepingTheEnd) {
  const Tokenizer tokenizer(Vocabulary::load(kClip), kPadExclamation);
  const Tokens tokens = tokenizer.tokenize(std::vector<std::string>{"a red heart", "", "a b c d e f g h"}, 6);
  const auto expected = torch::tensor(
      {{49406, 320, 736, 1936, 49407, 0}, {49406, 49407, 0, 0, 0, 0}, {49406, 320, 321, 322, 323, 49407}});
  EXPECT_TRUE(torch::equal(tokens.ids, expected)) << tokens.ids;
  const auto mask =
      torch::tensor({{1, 1, 1, 1, 1, 0}, {1, 1, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1}}).to(torch::kBool);
  EXPECT_TRUE(torch::equal(tokens.mask, mask));
  EXPECT_EQ(tokens.truncated, (std::vector<bool>{false, false, true}));
  EXPECT_EQ(Tokenizer(Vocabulary::load(kClip)).pad_id(), 49407);
  EXPECT_THROW(tokenizer.tokenize(std::vector<std::string>{"a"}, 1), Error);
}

TEST(Tokenizer, DecodesWhatItEncoded) {
  const Tokenizer tokenizer = Tokenizer::load(kClip);
  const std::string text = "3 cats & a naïve 猫 🚀 !";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  EXPECT_EQ(tokenizer.decode(encode_whole(tokenizer, "A Red\n heart")), "a red heart");
  const Ids half_a_letter = {tokenizer.encode("é")[0]};
  EXPECT_EQ(tokenizer.decode(half_a_letter), "é");
  const Ids lone_byte = {tokenizer.vocabulary().find("Ã")};
  EXPECT_EQ(tokenizer.decode(lone_byte), "\uFFFD");
  EXPECT_THROW(tokenizer.decode(Ids{49408}), Error);
  EXPECT_THROW(tokenizer.decode(Ids{-1}), Error);
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  const Tokenizer tokenizer = Tokenizer::load(kClip);
  for (const std::string bad : {"\xff", "heart \xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80"}) {
    try {
      tokenizer.encode(bad);
      ADD_FAILURE() << "accepted ill-formed UTF-8";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      EXPECT_NE(std::string(error.what()).find("UTF-8"), std::string::npos);
    }
  }
}

TEST(Tokenizer, StaysFastOnHostileText) {
  const Tokenizer tokenizer(Vocabulary::load(kClip), kPadExclamation);
  const size_t megabyte = size_t{1} << 20;
  const auto start = std::chrono::steady_clock::now();
  for (const std::string_view unit :
       {"a", "ab", "!", "<|", "'s", " ", "\n", "<|endoftext|>", "猫", "e\u0301"}) {
    tokenizer.encode(repeat(unit, megabyte / unit.size()));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_THROW(tokenizer.encode(repeat("\u0316\u0301", megabyte / 4)), Error);
  EXPECT_EQ(tokenizer.encode("a" + repeat("\u0301", 1000)).size(),
            tokenizer.encode("á" + repeat("\u0301", 999)).size());
}

TEST(SpecialTokens, AreReadFromHuggingFaceFiles) {
  const testing::TemporaryFolder folder;
  std::filesystem::copy(kFixtures / "tiny" / "vocab.json", folder / "vocab.json");
  std::filesystem::copy(kFixtures / "tiny" / "merges.txt", folder / "merges.txt");
  const auto write = [&](const char* name, const char* text) { std::ofstream(folder / name) << text; };

  EXPECT_EQ(Tokenizer::load(folder.path()).pad_id(), 1999);
  write("special_tokens_map.json",
        R"({"eos_token": {"content": "<|endoftext|>", "normalized": true}, "pad_token": "!"})");
  EXPECT_EQ(Tokenizer::load(folder.path()).pad_id(), 0);
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("A!!<|ENDOFTEXT|>"), (Ids{320, 0, 0, 1999}));
  write(
      "tokenizer_config.json",
      R"({"added_tokens_decoder": {"5": {"content": "&"}, "1999": {"content": "<|endoftext|>", "normalized": false}}})");
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("a&"), (Ids{320, 5}));
  EXPECT_NE(Tokenizer::load(folder.path()).encode("<|ENDOFTEXT|>"), (Ids{1999}));
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("<|endoftext|>"), (Ids{1999}));
  write("special_tokens_map.json", R"({"pad_token": "[PAD]"})");
  EXPECT_THROW(Tokenizer::load(folder.path()), Error);
  write("special_tokens_map.json", R"({"pad_token": 7})");
  EXPECT_THROW(Tokenizer::load(folder.path()), Error);
  write("special_tokens_map.json", "{\"pad_token\": ");
  EXPECT_THROW(Tokenizer::load(folder.path()), Error);
}

TEST(Unicode, SplitsWordsByClipsPattern) {
  const auto words = split_words(normalize("IT'S  two24!? rock'n'roll's ''ll x_y"));
  const std::vector<std::string> expected = {"it", "'s",   "two", "2",  "4",  "!?", "rock", "'", "n",
                                             "'",  "roll", "'s",  "''", "ll", "x",  "_",    "y"};
  EXPECT_EQ(words, expected);
}

}  // namespace
}  // namespace unclip::text
