#include "unclip/text/byte_pairs.h"

#include <queue>

namespace unclip::text {
namespace {

uint64_t pair_key(int64_t left, int64_t right) {
  return (static_cast<uint64_t>(left) << 32) | static_cast<uint64_t>(right);
}

/// One token of a word in a doubly linked list; -1 ends it.
struct Symbol {
  int64_t id;
  int32_t previous, next;
};

/// "Merge the symbol at `position` with its successor into `id`"; stale once either has changed.
struct Candidate {
  int32_t rank, position;
  int32_t id;
  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

}  // namespace

BytePairs::BytePairs(const Vocabulary& vocabulary, int64_t unknown_id) {
  for (size_t byte = 0; byte < 256; ++byte) {
    const std::string& name = byte_names()[byte];
    const int64_t inner = vocabulary.find(name);
    const int64_t last = vocabulary.find(name + std::string(kWordEnd));
    inner_[byte] = inner >= 0 ? inner : unknown_id;
    final_[byte] = last >= 0 ? last : unknown_id;
  }
  merges_.reserve(vocabulary.merges().size());
  for (const auto& [left, right] : vocabulary.merges()) {
    const Merge merge{static_cast<int32_t>(merges_.size()),
                      static_cast<int32_t>(vocabulary.find(left + right))};
    merges_.emplace(pair_key(vocabulary.find(left), vocabulary.find(right)), merge);
  }
}

const BytePairs::Merge* BytePairs::find(int64_t left, int64_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void BytePairs::encode(std::string_view word, std::vector<int64_t>& ids) const {
  if (word.empty()) return;
  const auto length = static_cast<int32_t>(word.size());
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (int32_t i = 0; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(word[static_cast<size_t>(i)]);
    const bool is_last = i + 1 == length;
    symbols.push_back({is_last ? final_[byte] : inner_[byte], i - 1, is_last ? -1 : i + 1});
  }
  const auto at = [&symbols](int32_t position) -> Symbol& { return symbols[static_cast<size_t>(position)]; };

  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto consider = [&](int32_t position) {
    if (position < 0 || at(position).next < 0) return;
    if (const Merge* merge = find(at(position).id, at(at(position).next).id)) {
      queue.push({merge->rank, position, merge->id});
    }
  };
  constexpr int64_t kMergedAway = -1;
  for (int32_t i = 0; i + 1 < length; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = at(best.position);
    if (left.id == kMergedAway || left.next < 0) continue;
    Symbol& right = at(left.next);
    const Merge* merge = find(left.id, right.id);
    if (merge == nullptr || merge->rank != best.rank) continue;
    left.id = best.id;
    right.id = kMergedAway;
    left.next = right.next;
    if (left.next >= 0) at(left.next).previous = best.position;
    consider(left.previous);
    consider(best.position);
  }
  for (int32_t i = 0; i >= 0; i = at(i).next) ids.push_back(at(i).id);
}

}  // namespace unclip::text
