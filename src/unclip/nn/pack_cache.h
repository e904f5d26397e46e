// What a frozen layer has rearranged so far, shared by the threads that run it.
#pragma once
#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

namespace unclip::nn {

/// Values that are made once for each key. A layer meets few keys (the types and map sizes of a model), but
/// pictures of any size may pass through it: beyond kMost the longest unused value is forgotten.
template <class Key, class Value>
class PackCache {
 public:
  PackCache() = default;
  // A copied layer rearranges its own weights.
  PackCache(const PackCache& /*other*/) {}
  PackCache& operator=(const PackCache& /*other*/) { return *this; }

  /// The value of `key`; make() is called by the first thread that asks, while others wait.
  template <class Make>
  std::shared_ptr<const Value> get(const Key& key, const Make& make) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.key == key; });
    if (found != entries_.end()) {
      std::rotate(entries_.begin(), found, std::next(found));  // the last used comes first
      return entries_.front().value;
    }
    entries_.insert(entries_.begin(), {key, std::make_shared<const Value>(make())});
    if (entries_.size() > kMost) entries_.pop_back();
    return entries_.front().value;
  }

 private:
  static constexpr size_t kMost = 4;
  struct Entry {
    Key key;
    std::shared_ptr<const Value> value;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace unclip::nn
