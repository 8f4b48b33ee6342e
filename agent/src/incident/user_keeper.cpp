#include "incident/user_keeper.hpp"

#include <algorithm>

#include "nines/query/bytes.hpp"

namespace nines::agent::incident {
namespace {

constexpr char kSavedVersion = 1;

}  // namespace

std::string UserKeeper::encode(const Users& users) {
  std::string out(1, kSavedVersion);
  query::put_signed(out, users.from.ns);
  query::put_signed(out, users.missing.ns);
  return out + users.sample.save();
}

bool UserKeeper::decode(std::string_view saved, Users& out) {
  if (saved.empty() || saved.front() != kSavedVersion) return false;
  saved.remove_prefix(1);
  return query::get_signed(saved, out.from.ns) && query::get_signed(saved, out.missing.ns) &&
         out.sample.restore(saved).ok();
}

void UserKeeper::follow(uint32_t slo, const slo::SloSpec& spec, std::vector<slo::Position>& saved,
                        WallTime now) {
  users_.erase(slo);
  Followed& followed = followed_[slo];
  followed = {std::string(kPrefix) + spec.name + ":" + spec.generation(), now};
  const auto kept = std::find_if(saved.begin(), saved.end(),
                                 [&](const slo::Position& one) { return one.key == followed.key; });
  if (kept == saved.end()) return;
  Users restored;  // damaged: they are counted anew
  if (users_.size() < kMaxSlos && decode(kept->state, restored)) {
    followed.from = restored.from;
    restored.key = followed.key;
    users_.emplace(slo, std::move(restored));
  }
  saved.erase(kept);
}

void UserKeeper::bad(const collector::ObservedBad& event) {
  auto found = users_.find(event.slo);
  if (found == users_.end()) {
    if (users_.size() >= kMaxSlos) {
      ++dropped_;
      return;
    }
    found = users_.try_emplace(event.slo).first;
    if (const auto known = followed_.find(event.slo); known != followed_.end()) {
      static_cast<Followed&>(found->second) = known->second;
    }
  }
  Users& users = found->second;
  users.changed = true;
  if (event.user.empty()) {
    users.missing = std::max(users.missing, event.at);
  } else {
    users.sample.met(event.user, event.at);
  }
}

void UserKeeper::take_positions(WallTime now, bool at_once, std::vector<slo::Position>& out) {
  for (auto& [slo, users] : users_) {
    if (!users.changed || users.key.empty()) continue;
    const bool few = users.sample.users() <= kFewUsers;
    const bool rested = now.ns - users.written.ns >= kRestNs || now < users.written;
    if (!at_once && !few && !rested) continue;
    out.push_back({users.key, encode(users)});
    users.changed = false;
    users.written = now;
  }
}

UserKeeper::Counted UserKeeper::count(std::span<const uint32_t> slos, WallTime since) const {
  Counted out;
  out.from = WallTime{INT64_MIN};
  std::vector<const core::UserSample*> samples;
  for (const uint32_t slo : slos) {
    const auto found = users_.find(slo);
    if (found == users_.end()) continue;
    const Users& users = found->second;
    samples.push_back(&users.sample);
    out.missing = out.missing || users.missing >= since;
    out.from = std::max(out.from, users.key.empty() ? WallTime{INT64_MAX} : users.from);
  }
  if (samples.empty()) out.from = WallTime{INT64_MAX};
  out.users = core::UserSample::count(samples, since);
  out.told = out.users.users > 0;
  return out;
}

}  // namespace nines::agent::incident
