#include "peer/members.hpp"

#include <algorithm>
#include <set>

namespace nines::peer {
namespace {

using fleet::FleetEvent;
using State = PeerView::State;

constexpr size_t kMaxMembers = 4096;
constexpr int64_t kSettleMs = 5'000;   // isolation is told when it lasts
constexpr int64_t kReviewMs = 10'000;  // of pages that may be ended

int64_t ms_between(Instant from, Instant to) { return (to.ns - from.ns) / kNsPerMs; }
Instant plus_ms(Instant t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }

std::string age_text(int64_t ms) { return format_duration_s(std::max<int64_t>(1, ms / 1000)); }

}  // namespace

// What all logs say of pages: how many of each node, and which are open.
struct Members::Ledger {
  std::map<std::string, uint64_t> paged;  // by node
  // Node -> keys, and whether this node has paged it.
  std::map<std::string, std::map<std::string, bool>> open;

  explicit Ledger(const fleet::FleetState& state) {
    std::set<std::string> ended;
    std::map<std::string, std::map<std::string, bool>> all;
    for (const auto& origin : state.origins()) {
      for (const auto& event : state.events(origin, FleetEvent::Stream::membership)) {
        if (event.kind == FleetEvent::Kind::node_silent) {
          all[event.subject][event.rule] |= origin == state.self();
        }
        if (event.kind == FleetEvent::Kind::node_back) ended.insert(event.rule);
      }
    }
    for (auto& [node, keys] : all) {
      paged[node] = keys.size();
      for (const auto& [key, own] : keys) {
        if (!ended.contains(key)) open[node][key] = own;
      }
    }
  }
};

Members::Members(const PeerSettings& settings, fleet::FleetState& state, Instant start)
    : settings_(settings), state_(state), start_(start) {}

void Members::heard(const std::string& node, uint64_t boot, Role role, Instant now) {
  if (node == state_.self()) return;
  if (role == Role::observer) {
    members_.erase(node);  // it was a node before
    return;
  }
  if (!members_.contains(node) && members_.size() >= kMaxMembers) return;
  Member& member = members_[node];
  member.heard = member.direct = now;
  member.ever_direct = member.evident = true;
  member.role = role;
  member.boot = std::max(member.boot, boot);
  member.grace_until = {};
}

void Members::seen(const std::string& node, int64_t ago_ms, Instant now) {
  const auto found = members_.find(node);
  if (found == members_.end() || ago_ms < 0 || ago_ms > settings_.forget_after_ms) return;
  const Instant at = plus_ms(now, -ago_ms);
  found->second.heard = std::max(found->second.heard, at);
  found->second.evident |= ago_ms <= settings_.suspect_after_ms;
}

void Members::said_goodbye(const std::string& node, Instant now) {
  const auto found = members_.find(node);
  if (found == members_.end()) return;
  found->second.grace_until = plus_ms(now, settings_.goodbye_ms);
  found->second.state = State::left;
}

std::optional<int64_t> Members::heard_ago_ms(const std::string& node, Instant now) const {
  const auto found = members_.find(node);
  if (found == members_.end() || !found->second.ever_direct) return std::nullopt;
  return ms_between(found->second.direct, now);
}

void Members::forgive(Instant now) {
  for (auto& [node, member] : members_) {
    if (member.state == State::silent) continue;
    member.heard = now;
    member.probed = {};
  }
}

bool Members::denied(const std::string& node) const {
  return std::find(settings_.deny.begin(), settings_.deny.end(), node) != settings_.deny.end();
}

// Nodes that only the fleet state tells of: they get the time of any other to be heard.
void Members::discover(Instant now) {
  for (const auto& origin : state_.origins()) {
    if (origin == state_.self() || members_.contains(origin) || denied(origin)) continue;
    if (members_.size() >= kMaxMembers) return;
    Member& member = members_[origin];
    member.heard = now;
    member.boot = state_.info(origin)->version.boot;
  }
}

// Of those asked at that moment one has said nothing since, and is not given up yet.
bool Members::answer_is_open(Instant asked, Instant now) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
    const Member& other = entry.second;
    return other.state == State::alive && other.ever_direct && other.direct < asked &&
           ms_between(other.direct, now) <= settings_.suspect_after_ms;
  });
}

void Members::judge(const std::string& node, Member& member, Instant now,
                    std::vector<std::string>& probes) {
  const int64_t ago = ms_between(member.heard, now);
  if (now < member.grace_until) {
    member.state = State::left;
    return;
  }
  if (ago <= settings_.suspect_after_ms) {
    member.state = State::alive;
    member.settled = false;
    member.probed = {};
    return;
  }
  if (ago > settings_.forget_after_ms) return;
  if (member.probed.ns == 0) {
    member.probed = now;
    if (member.state != State::silent) member.state = State::suspect;
    probes.push_back(node);
    return;
  }
  const int64_t waited = ms_between(member.probed, now);
  if (member.state == State::silent) {
    if (waited >= settings_.suspect_after_ms) member.probed = {};  // asks again
    return;
  }
  if (waited < settings_.probe_wait_ms || answer_is_open(member.probed, now)) return;
  member.state = State::silent;
  member.silent_since = now;
}

// Own place among the living, and those who may be.
int64_t Members::rank() const {
  return std::count_if(members_.begin(), members_.end(), [this](const auto& entry) {
    const bool lives = entry.second.state == State::alive || entry.second.state == State::suspect;
    return lives && entry.second.role == Role::node && entry.first < state_.self();
  });
}

void Members::publish(FleetEvent::Kind kind, const std::string& node, const std::string& key,
                      Now now, WallTime since, const std::string& text) {
  FleetEvent event;
  event.stream = FleetEvent::Stream::membership;
  event.kind = kind;
  event.subject = node;
  event.rule = key;
  event.at = now.wall;
  event.since = since;
  event.priority = 1;
  event.sent_isolated = isolated();
  event.summary = text;
  state_.publish(std::move(event));
}

void Members::judge_isolation(Now now, std::vector<Decision>& decisions) {
  int64_t alive = 1, sure = 1, all = 1;
  for (const auto& [node, member] : members_) {
    const bool lives = member.state == State::alive || member.state == State::suspect;
    const bool counts = member.evident && member.state != State::left &&
                        ms_between(member.heard, now.mono) < settings_.forget_after_ms;
    alive += lives && counts;
    sure += member.state == State::alive && counts;
    all += counts;
  }
  // Who comes back from being cut off first hears who else does, and what was paged meanwhile.
  may_page_ = 2 * sure >= all;
  if (!may_page_ || isolated()) hold_until_ = plus_ms(now.mono, settings_.suspect_after_ms);
  const bool cut_off =
      2 * alive < all ||
      (unreached_ && all == 1 && ms_between(start_, now.mono) > settings_.suspect_after_ms * 2);
  if (cut_off == isolated()) {
    doubtful_ = false;
    return;
  }
  if (!doubtful_) {
    doubtful_ = true;
    doubtful_since_ = now.mono;
  }
  if (ms_between(doubtful_since_, now.mono) < kSettleMs) return;
  doubtful_ = false;
  const WallTime since = cut_off ? now.wall : isolated_since_;
  const std::string text = cut_off ? state_.self() + " hears " + std::to_string(alive - 1) +
                                         " of its " + std::to_string(all - 1) +
                                         " peers: it is cut off, and goes on by itself"
                                   : state_.self() + " hears its peers again";
  isolated_since_ = cut_off ? now.wall : WallTime{};
  const std::string key = "isolated/" + state_.self() + "/" + format_rfc3339(to_ms(since));
  publish(cut_off ? FleetEvent::Kind::isolated : FleetEvent::Kind::rejoined, state_.self(), key,
          now, since, text);
  state_.describe(now.wall, settings_.capabilities, isolated_since_);
  decisions.push_back({cut_off ? Decision::Kind::isolated : Decision::Kind::rejoined, state_.self(),
                       key, now.wall, since, text});
}

void Members::page(const std::string& node, Member& member, const Ledger& ledger, Now now,
                   std::vector<Decision>& decisions) {
  if (ledger.open.contains(node)) {
    member.settled = true;
    return;
  }
  const Instant from = std::max(member.silent_since, hold_until_);
  if (ms_between(from, now.mono) < rank() * settings_.rank_wait_ms) return;
  member.settled = true;
  const auto before = ledger.paged.find(node);
  const std::string key = "silent/" + node + "/" + std::to_string(member.boot) + "/" +
                          std::to_string(before == ledger.paged.end() ? 1 : before->second + 1);
  const WallTime heard{now.wall.ns - (now.mono.ns - member.heard.ns)};
  const std::string text = "node " + node + " is silent: no peer has heard it for " +
                           age_text(ms_between(member.heard, now.mono));
  publish(FleetEvent::Kind::node_silent, node, key, now, heard, text);
  decisions.push_back({Decision::Kind::node_silent, node, key, now.wall, heard, text});
}

void Members::end_pages(const std::string& node, const Member& member, const Ledger& ledger,
                        Now now, std::vector<Decision>& decisions) {
  const auto open = ledger.open.find(node);
  if (open == ledger.open.end()) return;
  for (const auto& [key, own] : open->second) {
    Noticed& noticed = noticed_.at(key);
    if (ms_between(noticed.open, member.heard) <= settings_.suspect_after_ms) continue;
    if (noticed.back.ns == 0) noticed.back = now.mono;
    // Who has paged it goes first.
    const int64_t wait = own ? 0 : (rank() + 1) * settings_.rank_wait_ms;
    if (ms_between(noticed.back, now.mono) < wait) continue;
    const std::string text = "node " + node + " is heard again";
    publish(FleetEvent::Kind::node_back, node, key, now, now.wall, text);
    decisions.push_back({Decision::Kind::node_back, node, key, now.wall, now.wall, text});
  }
}

void Members::review_pages(Now now, std::vector<Decision>& decisions) {
  const bool unsettled = std::any_of(members_.begin(), members_.end(), [](const auto& entry) {
    return entry.second.state == State::silent && !entry.second.settled;
  });
  if (!pages_ || isolated() || !may_page_ || (now.mono < next_review_ && !unsettled)) return;
  next_review_ = plus_ms(now.mono, kReviewMs);
  const Ledger ledger(state_);
  std::map<std::string, Noticed> noticed;
  for (const auto& [node, keys] : ledger.open) {
    for (const auto& [key, own] : keys) {
      const auto known = noticed_.find(key);
      noticed[key] = known == noticed_.end() ? Noticed{now.mono, {}} : known->second;
    }
  }
  noticed_ = std::move(noticed);
  for (auto& [node, member] : members_) {
    if (member.state == State::silent && !member.settled) {
      page(node, member, ledger, now, decisions);
    } else if (member.state == State::alive) {
      end_pages(node, member, ledger, now, decisions);
    }
  }
}

void Members::tick(Now now, std::vector<std::string>& probes, std::vector<Decision>& decisions) {
  discover(now.mono);
  for (auto& [node, member] : members_) judge(node, member, now.mono, probes);
  judge_isolation(now, decisions);
  review_pages(now, decisions);
}

std::map<std::string, Members::View> Members::views(Instant now) const {
  std::map<std::string, View> all;
  for (const auto& [node, member] : members_) {
    all[node] = {member.state, ms_between(member.heard, now), member.boot, member.role};
  }
  return all;
}

}  // namespace nines::peer
