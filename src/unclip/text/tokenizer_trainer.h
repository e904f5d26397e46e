// Learns a byte-pair vocabulary from captions (Sennrich et al. 2016, Algorithm 1), in CLIP's layout.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "unclip/text/vocabulary.h"

namespace unclip::text {

struct TokenizerTrainerConfig {
  int64_t vocabulary_size = 4096;
  int64_t min_count = 2;
  static void fields(auto& self, auto&& field) {
    field("vocabulary_size", self.vocabulary_size,
          "tokens in all: 512 bytes, merges, start and end; 514 to 1,000,000");
    field("min_count", self.min_count, "a pair must occur this often to be merged");
  }
  /// Error(config) if a value is out of range.
  void validate() const;
};

class TokenizerTrainer {
 public:
  /// Counts the words of a caption that occurs `count` times. Error(data) if it is not UTF-8.
  void add(std::string_view caption, int64_t count = 1);
  /// The vocabulary, smaller than asked for when the captions have no more pairs. It depends on the counted
  /// words alone, not on their order: of equally frequent pairs the one with the lower ids is merged first.
  Vocabulary train(const TokenizerTrainerConfig& config) const;

 private:
  std::unordered_map<std::string, int64_t> word_counts_;
};

}  // namespace unclip::text
