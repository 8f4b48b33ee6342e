#include "nines/incident/user_sample.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "incident/text.hpp"
#include "nines/query/bytes.hpp"

namespace nines::incident {
namespace {

constexpr size_t kFirstSize = 64;
constexpr unsigned kMostThinning = 48;
constexpr char kSavedVersion = 1;
constexpr int64_t kMostAge = INT64_MAX / 2;

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

// By hash, so that equal samples are equal bytes. Times as how much older they are than the newest
// one, in milliseconds where all of them are of whole ones.
std::string UserSample::save() const {
  std::vector<Entry> known;
  for (const Entry& entry : entries_) {
    if (entry.user != 0) known.push_back(entry);
  }
  std::sort(known.begin(), known.end(),
            [](const Entry& a, const Entry& b) { return a.user < b.user; });
  const bool in_ms = std::all_of(known.begin(), known.end(), [this](const Entry& entry) {
    return (newest_ - entry.at) % kNsPerMs == 0;
  });
  const int64_t unit = in_ms ? kNsPerMs : 1;
  std::string out(1, kSavedVersion);
  query::put_varint(out, thinning_);
  query::put_signed(out, newest_);
  query::put_varint(out, static_cast<uint64_t>(unit));
  query::put_varint(out, known.size());
  for (const Entry& entry : known) {
    query::put_fixed64(out, entry.user);
    query::put_varint(out, static_cast<uint64_t>((newest_ - entry.at) / unit));
  }
  return out;
}

Status UserSample::restore(std::string_view saved) {
  const Error corrupt{Errc::corrupt, "what was saved of the users is damaged"};
  if (saved.empty() || saved.front() != kSavedVersion) return corrupt;
  saved.remove_prefix(1);
  uint64_t thinning = 0, unit = 0, count = 0;
  UserSample out;
  if (!query::get_varint(saved, thinning) || !query::get_signed(saved, out.newest_) ||
      !query::get_varint(saved, unit) || !query::get_varint(saved, count)) {
    return corrupt;
  }
  const bool known_unit = unit == 1 || unit == static_cast<uint64_t>(kNsPerMs);
  if (thinning > kMostThinning || !known_unit || count > kMost) return corrupt;
  if (count > 0 && out.newest_ < -kMostAge) return corrupt;
  out.thinning_ = static_cast<unsigned>(thinning);
  if (count > 0)
    out.entries_.resize(std::max(kFirstSize, std::bit_ceil(2 * static_cast<size_t>(count))));
  uint64_t before = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t user = 0, age = 0;
    if (!query::get_fixed64(saved, user) || !query::get_varint(saved, age)) return corrupt;
    if (user <= before || !out.keeps(user) || age > uint64_t{kMostAge} / unit) return corrupt;
    out.place_of(user) = {user, out.newest_ - static_cast<int64_t>(age * unit)};
    before = user;
  }
  if (!saved.empty()) return corrupt;
  out.used_ = static_cast<size_t>(count);
  *this = std::move(out);
  return Ok{};
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
