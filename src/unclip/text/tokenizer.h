// CLIP's tokenizer (Radford et al. 2021, §2.4): byte pairs over lower-cased text, ids padded to the context.
#pragma once
#include <torch/types.h>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unclip/text/byte_pairs.h"
#include "unclip/text/vocabulary.h"

namespace unclip::text {

/// A token that is cut out of a text before byte pairs are formed, as in Hugging Face's fast tokenizers.
struct SpecialToken {
  std::string content;
  bool normalized = false;  // looked for after normalisation (so in any case of letters), else before
};

/// The roles of special tokens; the defaults are CLIP's.
struct SpecialTokens {
  SpecialToken start{std::string(kStartOfText), true};
  SpecialToken end{std::string(kEndOfText), true};
  SpecialToken pad{std::string(kEndOfText), true};  // Karlo and Stable Diffusion 2 pad with {"!", false}
  SpecialToken unknown{std::string(kEndOfText), true};
  std::vector<SpecialToken> others;

  /// Reads the roles from special_tokens_map.json and tokenizer_config.json of a Hugging Face folder, as far
  /// as they are there. Error(data) if one is damaged.
  static SpecialTokens load(const std::filesystem::path& folder);
};

/// How a caption becomes words: as Hugging Face's fast tokenizer does it, or as OpenAI's own (clean.h), which
/// OpenCLIP and Kakao use too. OpenAI's knows start and end only where a word may begin, and pads with id 0.
enum class TokenRules { hugging_face, openai };

/// A batch of captions. The text tower runs without the mask; the prior and the decoder use it.
struct Tokens {
  torch::Tensor ids;            // int64 [N, context]: start, caption, end, padding
  torch::Tensor mask;           // bool [N, context]: true from start to end
  std::vector<bool> truncated;  // whether caption k was cut to fit (its last id is still the end)
};

class Tokenizer {
 public:
  /// Error(data) if a special token is not in the vocabulary.
  explicit Tokenizer(Vocabulary vocabulary, SpecialTokens special = {});
  /// By OpenAI's rules.
  static Tokenizer openai(Vocabulary vocabulary);
  /// A folder with vocab.json and merges.txt, and perhaps the files of SpecialTokens::load. By OpenAI's rules
  /// if tokenizer_config.json names the class SimpleTokenizer.
  static Tokenizer load(const std::filesystem::path& folder);

  /// The ids of a caption without start, end and padding. Error(data) if it is not UTF-8.
  std::vector<int64_t> encode(std::string_view caption) const;
  /// `context_length` ≥ 2 (CLIP: 77).
  Tokens tokenize(std::span<const std::string> captions, int64_t context_length) const;
  /// The text of ids as people read it: lower case, special tokens left out. Error(data) if an id is out of
  /// range.
  std::string decode(std::span<const int64_t> ids) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  int64_t start_id() const { return start_id_; }
  int64_t end_id() const { return end_id_; }
  int64_t pad_id() const { return pad_id_; }
  TokenRules rules() const { return rules_; }

 private:
  template <class Text>
  using Cuts = std::vector<std::pair<Text, int64_t>>;  // special tokens, the longest first

  int64_t add_special(const SpecialToken& token);
  void encode_normalized(std::u32string_view text, std::vector<int64_t>& ids) const;
  void encode_words(std::u32string_view text, std::vector<int64_t>& ids) const;
  void encode_as_openai(std::string_view caption, std::vector<int64_t>& ids) const;

  Vocabulary vocabulary_;
  Cuts<std::string> raw_cuts_;
  Cuts<std::u32string> normalized_cuts_;
  int64_t start_id_, end_id_, pad_id_;
  BytePairs byte_pairs_;
  TokenRules rules_ = TokenRules::hugging_face;
};

}  // namespace unclip::text
