// Byte-pair encoding of single words (Sennrich et al. 2016) over bytes, as in GPT-2 and CLIP.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "unclip/text/vocabulary.h"

namespace unclip::text {

class BytePairs {
 public:
  /// `unknown_id` stands for bytes that the vocabulary lacks.
  BytePairs(const Vocabulary& vocabulary, int64_t unknown_id);

  /// Appends the ids of `word` (its UTF-8 bytes) to `ids`: the best-ranked pair is merged first, the leftmost
  /// of equals. O(n log n) in the word's length.
  void encode(std::string_view word, std::vector<int64_t>& ids) const;

 private:
  struct Merge {
    int32_t rank;
    int32_t id;
  };
  const Merge* find(int64_t left, int64_t right) const;

  std::array<int64_t, 256> inner_{};  // id of a byte inside a word
  std::array<int64_t, 256> final_{};  // id of the last byte of a word
  std::unordered_map<uint64_t, Merge> merges_;
};

}  // namespace unclip::text
