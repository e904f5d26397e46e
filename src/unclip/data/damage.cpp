#include "unclip/data/damage.h"

namespace unclip::data {

void DamageLog::add(const std::string& name, const std::string& reason) {
  constexpr size_t kMaxEntries = 100;
  const std::lock_guard lock(mutex_);
  if (names_.insert(name).second && entries_.size() < kMaxEntries) entries_.push_back({name, reason});
}

int64_t DamageLog::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(names_.size());
}

std::vector<DamageLog::Entry> DamageLog::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

}  // namespace unclip::data
