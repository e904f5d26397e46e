#include "unclip/text/tokenizer_trainer.h"

#include <algorithm>
#include <queue>

#include "unclip/base/error.h"
#include "unclip/text/unicode.h"

namespace unclip::text {
namespace {

constexpr int64_t kByteTokens = 512;   // every byte, inside and at the end of a word
constexpr int64_t kSpecialTokens = 2;  // start and end of text
constexpr int64_t kMaxVocabulary = 1'000'000;

using IdPair = std::pair<int32_t, int32_t>;

struct IdPairHash {
  size_t operator()(const IdPair& pair) const {
    return std::hash<uint64_t>()((static_cast<uint64_t>(pair.first) << 32) |
                                 static_cast<uint32_t>(pair.second));
  }
};

struct Word {
  std::vector<int32_t> ids;
  int64_t count;
};

/// A pair and its count when it was queued; stale once the count has changed.
struct CountedPair {
  int64_t count;
  IdPair pair;
  bool operator<(const CountedPair& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

/// The words as lists of ids, with every pair's count and the words that have (or had) it.
class Corpus {
 public:
  void add(Word word) {
    for (size_t i = 0; i + 1 < word.ids.size(); ++i) {
      change({word.ids[i], word.ids[i + 1]}, word.count, words_.size());
    }
    words_.push_back(std::move(word));
  }

  void queue_changed() {
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const IdPair& pair : changed_) {
      const int64_t count = pairs_[pair].count;
      if (count > 0) queue_.push({count, pair});
    }
    changed_.clear();
  }

  /// The most frequent pair, or one with count 0 when there is none.
  CountedPair pop_best() {
    while (!queue_.empty()) {
      const CountedPair best = queue_.top();
      queue_.pop();
      if (pairs_[best.pair].count == best.count) return best;
    }
    return {0, {}};
  }

  void merge(const IdPair& pair, int32_t id) {
    std::vector<size_t> places = std::move(pairs_[pair].words);
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    for (const size_t place : places) merge_in(place, pair, id);
    pairs_.erase(pair);
    queue_changed();
  }

 private:
  struct Occurrences {
    int64_t count = 0;
    std::vector<size_t> words;
  };

  void change(const IdPair& pair, int64_t by, size_t word) {
    Occurrences& occurrences = pairs_[pair];
    occurrences.count += by;
    if (by > 0) occurrences.words.push_back(word);
    changed_.push_back(pair);
  }

  void merge_in(size_t place, const IdPair& pair, int32_t id) {
    Word& word = words_[place];
    std::vector<int32_t> merged;
    for (size_t i = 0; i < word.ids.size(); ++i) {
      const bool here = i + 1 < word.ids.size() && IdPair{word.ids[i], word.ids[i + 1]} == pair;
      merged.push_back(here ? id : word.ids[i]);
      i += here ? 1 : 0;
    }
    for (size_t i = 0; i + 1 < word.ids.size(); ++i)
      change({word.ids[i], word.ids[i + 1]}, -word.count, place);
    for (size_t i = 0; i + 1 < merged.size(); ++i) change({merged[i], merged[i + 1]}, word.count, place);
    word.ids = std::move(merged);
  }

  std::vector<Word> words_;
  std::unordered_map<IdPair, Occurrences, IdPairHash> pairs_;
  std::vector<IdPair> changed_;
  std::priority_queue<CountedPair> queue_;
};

Corpus make_corpus(const std::unordered_map<std::string, int64_t>& word_counts) {
  std::array<int32_t, 256> byte_ids{};
  for (size_t id = 0; id < 256; ++id) byte_ids[byte_order()[id]] = static_cast<int32_t>(id);
  std::vector<std::pair<std::string, int64_t>> sorted(word_counts.begin(), word_counts.end());
  std::sort(sorted.begin(), sorted.end());
  Corpus corpus;
  for (const auto& [text, count] : sorted) {
    Word word{{}, count};
    for (const char c : text) word.ids.push_back(byte_ids[static_cast<unsigned char>(c)]);
    word.ids.back() += 256;  // the last byte carries the end of the word
    corpus.add(std::move(word));
  }
  corpus.queue_changed();
  return corpus;
}

std::vector<std::string> byte_tokens() {
  std::vector<std::string> tokens;
  for (const std::string_view suffix : {std::string_view(), kWordEnd}) {
    for (const uint8_t byte : byte_order()) tokens.push_back(byte_names()[byte] + std::string(suffix));
  }
  return tokens;
}

}  // namespace

void TokenizerTrainerConfig::validate() const {
  check(vocabulary_size >= kByteTokens + kSpecialTokens && vocabulary_size <= kMaxVocabulary,
        ErrorKind::config, "vocabulary_size is ", vocabulary_size, ", expected ",
        kByteTokens + kSpecialTokens, " to ", kMaxVocabulary);
  check(min_count >= 1, ErrorKind::config, "min_count is ", min_count, ", expected 1 or more");
}

void TokenizerTrainer::add(std::string_view caption, int64_t count) {
  for (const std::string& word : split_words(normalize(caption))) word_counts_[word] += count;
}

Vocabulary TokenizerTrainer::train(const TokenizerTrainerConfig& config) const {
  config.validate();
  Corpus corpus = make_corpus(word_counts_);
  std::vector<std::string> tokens = byte_tokens();
  std::vector<Vocabulary::Pair> merges;
  while (static_cast<int64_t>(tokens.size()) < config.vocabulary_size - kSpecialTokens) {
    const CountedPair best = corpus.pop_best();
    if (best.count < config.min_count) break;
    const std::string& left = tokens[static_cast<size_t>(best.pair.first)];
    const std::string& right = tokens[static_cast<size_t>(best.pair.second)];
    corpus.merge(best.pair, static_cast<int32_t>(tokens.size()));
    merges.emplace_back(left, right);
    tokens.push_back(merges.back().first + merges.back().second);
  }
  tokens.emplace_back(kStartOfText);
  tokens.emplace_back(kEndOfText);
  return {std::move(tokens), std::move(merges)};
}

}  // namespace unclip::text
