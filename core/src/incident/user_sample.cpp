#include "nines/incident/user_sample.hpp"

#include <algorithm>
#include <cmath>

#include "incident/text.hpp"

namespace nines::incident {
namespace {

constexpr size_t kFirstSize = 64;
constexpr unsigned kMostThinning = 48;

}  // namespace

UserSample::Entry& UserSample::place_of(uint64_t user) noexcept {
  size_t at = static_cast<size_t>(user) & (entries_.size() - 1);
  while (entries_[at].user != 0 && entries_[at].user != user) at = (at + 1) & (entries_.size() - 1);
  return entries_[at];
}

void UserSample::met(std::string_view user, WallTime at) {
  if (user.empty()) return;
  const uint64_t hash = std::max<uint64_t>(1, hash_of(user));
  newest_ = std::max(newest_, at.ns);
  if (!keeps(hash)) return;
  if (entries_.empty()) entries_.resize(kFirstSize);
  Entry* entry = &place_of(hash);
  if (entry->user == 0) {
    if ((used_ + 1) * 2 > entries_.size()) {
      make_room();
      if (!keeps(hash)) return;
      entry = &place_of(hash);
    }
    entry->user = hash;
    entry->at = at.ns;
    ++used_;
  }
  entry->at = std::max(entry->at, at.ns);
}

void UserSample::rebuild(size_t size, int64_t oldest) {
  std::vector<Entry> before(size);
  before.swap(entries_);
  used_ = 0;
  for (const Entry& entry : before) {
    if (entry.user == 0 || entry.at < oldest || !keeps(entry.user)) continue;
    place_of(entry.user) = entry;
    ++used_;
  }
}

// Grows; full, it lets go of whom it was too long ago for, then of every second one.
void UserSample::make_room() {
  if (entries_.size() < 2 * kMost) return rebuild(entries_.size() * 2, INT64_MIN);
  rebuild(entries_.size(), newest_ - kKeptNs);
  if (used_ == 0) thinning_ = 0;
  while (used_ > kMost * 3 / 4 && thinning_ < kMostThinning) {
    ++thinning_;
    rebuild(entries_.size(), INT64_MIN);
  }
}

UserSample::Count UserSample::count(std::span<const UserSample* const> samples, WallTime since) {
  unsigned thinning = 0;
  for (const UserSample* sample : samples) thinning = std::max(thinning, sample->thinning_);
  std::vector<uint64_t> users;
  for (const UserSample* sample : samples) {
    for (const Entry& entry : sample->entries_) {
      if (entry.user == 0 || entry.at < since.ns) continue;
      if (thinning == 0 || (entry.user >> (64 - thinning)) == 0) users.push_back(entry.user);
    }
  }
  std::sort(users.begin(), users.end());
  users.erase(std::unique(users.begin(), users.end()), users.end());
  Count out;
  out.users = static_cast<uint64_t>(users.size()) << thinning;
  out.exact = thinning == 0;
  if (!out.exact && !users.empty()) out.error = 1 / std::sqrt(static_cast<double>(users.size()));
  return out;
}

}  // namespace nines::incident
