// What could not be used: counted, named once, skipped.
#pragma once
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace unclip::data {

/// Collects unusable pictures, tables and archives; safe to use from several threads.
class DamageLog {
 public:
  struct Entry {
    std::string name;    // the sample or file
    std::string reason;  // one sentence
  };

  /// Counts `name` unless it is known already.
  void add(const std::string& name, const std::string& reason);
  int64_t count() const;
  /// The first hundred, in the order in which they were met.
  std::vector<Entry> entries() const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string> names_;
  std::vector<Entry> entries_;
};

}  // namespace unclip::data
