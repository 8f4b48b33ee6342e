// The Steward among those of other nodes: what it tells, what it hears, and what it makes of what
// it cannot read. What forbids is believed of whoever says it; the rest as it is told by its
// origin.
#include <algorithm>
#include <iterator>
#include <tuple>

#include "nines/base/utf.hpp"
#include "remedy/steward.hpp"

namespace nines::agent::remedy {
namespace {

using core::GuardEvent;
using core::GuardKind;

std::string name_of(std::string_view origin) {
  return std::string(cut_utf8(origin, core::kMaxGuardName));
}

std::string uid_of(const std::string& origin, const fleet::FleetEvent& told) {
  return name_of(origin) + '/' + std::to_string(told.boot) + '/' + std::to_string(told.sequence);
}

// What people say; not the past that this node learns.
bool is_worth_saying(const GuardEvent& event, WallTime now) {
  constexpr int64_t kNewsNs = 3600 * kNsPerSecond;
  const bool of_act = Steward::stream_of(event.kind) == Steward::Stream::acts;
  return !of_act && now.ns - event.at.ns < kNewsNs;
}

std::string sentence_of(const GuardEvent& event) {
  std::string out(core::guard_kind_name(event.kind));
  std::replace(out.begin(), out.end(), '_', ' ');
  if (!event.rule.empty()) out += ' ' + event.rule;
  out += " by " + (event.who.empty() ? "nines" : event.who) + " on " + event.node;
  if (!event.text.empty()) out += ": " + event.text;
  return out;
}

}  // namespace

Steward::Stream Steward::stream_of(GuardKind kind) noexcept {
  switch (kind) {
    case GuardKind::stop:
    case GuardKind::rule_demoted:
    case GuardKind::rule_removed: return Stream::switches;
    case GuardKind::shadow_hit:
    case GuardKind::intent:
    case GuardKind::result:
    case GuardKind::verified:
    case GuardKind::doubt: return Stream::acts;
    default: return Stream::rules;
  }
}

std::vector<GuardEvent> Steward::events_of(std::string_view origin) const {
  const std::string name = name_of(origin);
  std::vector<GuardEvent> out = guard_.events();
  std::erase_if(out, [&](const GuardEvent& event) { return event.node != name; });
  std::sort(out.begin(), out.end(), [](const GuardEvent& a, const GuardEvent& b) {
    return std::tie(a.boot, a.sequence) < std::tie(b.boot, b.sequence);
  });
  return out;
}

size_t Steward::known_of(const std::string& origin) const {
  const std::string prefix = name_of(origin) + '/';
  auto one = kept_.lower_bound(prefix);
  size_t out = 0;
  for (; one != kept_.end() && one->starts_with(prefix); ++one) ++out;
  return out;
}

// Whether a node has said as much as it may that still forbids: a person has to promote a rule
// before it is demoted again, so nobody does who means it.
bool Steward::says_too_much(const std::string& origin) const {
  const std::string prefix = name_of(origin) + '/';
  const auto from = switches_.lower_bound(prefix);
  const auto to = std::find_if(from, switches_.end(),
                               [&](const std::string& key) { return !key.starts_with(prefix); });
  if (static_cast<size_t>(std::distance(from, to)) < kMostSwitchesOfNode) return false;
  const auto stands =
      std::count_if(from, to, [&](const std::string& key) { return !guard_.is_lifted(key); });
  return static_cast<size_t>(stands) >= kMostSwitchesOfNode;
}

// One hold for all that a life of a node says beyond its share, so that it fills neither the log
// nor the disk, and one person lifts it.
bool Steward::beyond(const std::string& origin, const fleet::FleetEvent& told) {
  ++counters_.switches_beyond;
  return not_read(name_of(origin) + '/' + std::to_string(told.boot) + "/beyond", told);
}

bool Steward::heard(const std::string& origin, const fleet::FleetEvent& told, WallTime now) {
  const std::string key = uid_of(origin, told);
  const auto event = core::decode_guard(told.body);
  if (!event || event->uid() != key || stream_of(event->kind) != told.stream) {
    return not_read(key, told);
  }
  const bool forbids = told.stream == Stream::switches;
  if (guard_.has(*event)) return true;
  // Of now, to those who believe it: for as long as that takes, and longer than anybody can wait.
  const bool ahead = event->order().ns - now.ns > kMostAheadS * kNsPerSecond;
  if (ahead || (!forbids && known_of(origin) >= kMostOfNode)) {
    ++counters_.heard_refused;
    return forbids && not_read(key, told);
  }
  if (forbids && says_too_much(origin) && !guard_.is_lifted(key)) return beyond(origin, told);
  const uint64_t old = guard_.counters().old;
  switch (guard_.merge(*event)) {
    case core::Guard::Merge::news: take(*event, told.body, now); return true;
    // Two under one name, and the other one was kept (Guard::merge): this one forbids all the same.
    case core::Guard::Merge::known: return forbids ? not_read(key + "/2", told) : false;
    case core::Guard::Merge::refused: break;
  }
  if (guard_.counters().old != old) return false;  // it was let go here
  ++counters_.heard_refused;
  return forbids && not_read(key, told);
}

// What cannot be read allows nothing and is counted by nobody; but it may forbid.
bool Steward::not_read(const std::string& key, const fleet::FleetEvent& told) {
  ++counters_.heard_invalid;
  if (told.stream != Stream::switches) return false;
  const bool looked_at = guard_.is_lifted(key) || broken_.contains(key);
  if (looked_at || broken_.size() >= kMostBroken) return true;
  broken_.insert(key);
  parts_.keep({{kDocuments, key, "not read: " + std::to_string(told.body.size()) + " bytes"}},
              [](const Status&) {});
  if (parts_.said) {
    parts_.said("what " + key +
                " says cannot be read, and may be a stop: nothing is begun until "
                "nines remedy resume");
  }
  return true;
}

void Steward::take(const GuardEvent& event, const std::string& body, WallTime now) {
  ++counters_.heard;
  const std::string key = event.uid();
  kept_.insert(key);
  if (stream_of(event.kind) == Stream::switches) switches_.insert(key);
  broken_.erase(key);
  heard_.push_back({kDocuments, key, body});
  if (parts_.said && is_worth_saying(event, now)) parts_.said(sentence_of(event));
  if (event.kind == GuardKind::resume) forget_lifted();
  // A stop is not to be forgotten by a power cut.
  if (stream_of(event.kind) == Stream::switches) keep_heard();
}

void Steward::keep_heard() {
  if (heard_.empty()) return;
  parts_.keep(std::exchange(heard_, {}), [](const Status&) {});
}

}  // namespace nines::agent::remedy
