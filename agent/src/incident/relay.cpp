#include "incident/relay.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "incident/told.hpp"
#include "notify/message.hpp"

namespace nines::agent::incident {
namespace {

constexpr std::string_view kBefore = "nobody is reached from here: ";
constexpr size_t kMaxText = 200, kLeastText = 40, kMaxWhy = 60, kMaxNames = 120;
constexpr size_t kMaxName = 64;  // of a name that must be told whole
constexpr size_t kMostIncidents = 200;

std::string number_of(const slo::AlertEvent& event) {
  return std::to_string(event.boot) + "/" + std::to_string(event.sequence);
}

const std::string& text_of(const core::Entry& entry, const char* name) {
  static const std::string kNone;
  const std::string* const found = entry.detail(name);
  return found != nullptr ? *found : kNone;
}

int64_t integer(const std::string& text, int64_t otherwise) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

std::string joined(const Relay::Names& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out.size() <= kMaxNames ? out : std::string();
}

Relay::Names split(const std::string& text) {
  Relay::Names out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// Names too long to be told as they are would make another alert of it.
bool can_be_told(const slo::AlertEvent& event) {
  return event.slo.size() <= kMaxName && event.rule.size() <= kMaxName &&
         event.service.size() <= kMaxName && event.severity.size() <= kMaxName;
}

core::Details details_of(const slo::AlertEvent& event) {
  const bool fired = event.kind == slo::AlertEvent::Kind::fired;
  core::Details out = {{kUndelivered, number_of(event)},
                       {"kind", fired ? "fired" : "resolved"},
                       {"slo", event.slo},
                       {"rule", event.rule},
                       {"service", event.service},
                       {"severity", event.severity},
                       {"priority", std::to_string(event.priority)},
                       {"since", std::to_string(event.since.ns)}};
  const std::string names = joined(event.notify);
  if (!names.empty()) out.emplace_back("names", names);
  for (const auto& [name, most] : {std::pair{"transition", kMaxName}, std::pair{"person", kMaxName},
                                   std::pair{"why", kMaxWhy}}) {
    const std::string* const value = event.detail(name);
    if (value != nullptr) out.emplace_back(name, notify::cut(*value, most));
  }
  return out;
}

// What room an event of the book leaves beside its details.
std::string text_beside(const core::Details& details, const std::string& summary) {
  size_t used = kBefore.size();
  for (const auto& [name, value] : details) used += name.size() + value.size() + 2;
  const size_t room = kMostTold > used ? kMostTold - used : 0;
  return std::string(kBefore) + notify::cut(summary, std::clamp(room, kLeastText, kMaxText));
}

slo::AlertEvent event_of(const core::Incident& incident, const core::Entry& note,
                         const std::string& key, WallTime now) {
  slo::AlertEvent out;
  const bool fired = text_of(note, "kind") == "fired";
  out.kind = fired ? slo::AlertEvent::Kind::fired : slo::AlertEvent::Kind::resolved;
  out.slo = text_of(note, "slo");
  out.rule = text_of(note, "rule");
  out.service = text_of(note, "service");
  out.severity = text_of(note, "severity");
  out.priority = static_cast<int>(std::clamp<int64_t>(integer(text_of(note, "priority"), 3), 0, 3));
  out.since = {integer(text_of(note, "since"), note.at.ns)};
  out.at = now;
  out.summary = note.text;
  if (out.summary.starts_with(kBefore)) out.summary.erase(0, kBefore.size());
  out.details = {
      {"incident", incident.id}, {"opened_on", incident.opened_on}, {notify::kRelaysDetail, key}};
  for (const char* name : {"transition", "person", "why"}) {
    if (!text_of(note, name).empty()) out.details.emplace_back(name, text_of(note, name));
  }
  return out;
}

}  // namespace

struct Relay::Look {
  const core::IncidentBook& book;
  WallTime now;
  Instant mono;
  Names live;
  Decided out;
};

// Whom it must reach: the person who is on call; else whoever it is for.
Relay::Names Relay::names_of(const slo::AlertEvent& event) const {
  const std::string* const person = event.detail("person");
  if (person != nullptr && parts_.reach) return parts_.reach(*person);
  return event.notify;
}

void Relay::outgoing(const std::vector<slo::AlertEvent>& events, Instant now) {
  for (const slo::AlertEvent& event : events) {
    const bool of_incident = event.detail("incident") != nullptr;
    if (!of_incident || event.kind == slo::AlertEvent::Kind::rows) continue;
    if (const std::string* const key = event.detail(notify::kRelaysDetail)) {
      // By which it can be passed over; of an earlier life, perhaps.
      if (!others_.contains(*key) && others_.size() >= kMaxRelayed) continue;
      Other& other = others_[*key];
      if (!other.taken) other.heard = now;
      other.taken = true;
      other.event = event;
      continue;
    }
    if (own_.contains(number_of(event))) continue;
    if (own_.size() >= kMaxWaiting || !can_be_told(event)) {
      ++counters_.beyond;
      continue;
    }
    own_[number_of(event)] = {event, now, false};
  }
}

bool Relay::delivered(const slo::AlertEvent& event, const std::string& notifier) {
  if (const std::string* const key = event.detail(notify::kRelaysDetail)) {
    const auto other = others_.find(*key);
    if (other == others_.end()) return true;
    if (!std::exchange(other->second.told, true)) {
      ++(other->second.settled ? counters_.twice : counters_.told);
    }
    return true;
  }
  const auto own = own_.find(number_of(event));
  if (own == own_.end()) return false;
  const Names names = names_of(event);
  const bool reached = event.detail("person") == nullptr || names.empty() ||
                       std::find(names.begin(), names.end(), notifier) != names.end();
  const bool asked = own->second.asked;
  if (reached) own_.erase(own);
  return asked && reached;
}

Relay::Decided Relay::look(const core::IncidentBook& book, WallTime now, Instant mono) {
  Look look{book, now, mono, parts_.live(), {}};
  look_at_own(look);
  if (look.live.size() < 2 && others_.empty()) return std::move(look.out);
  while (!taken_at_.empty() && mono.ns - taken_at_.front().ns > kOldNs) taken_at_.pop_front();
  std::erase_if(others_, [&](const auto& one) { return mono.ns - one.second.heard.ns > kOldNs; });
  core::BookQuery recent;
  recent.from = {now.ns - kOldNs};
  recent.to = {now.ns + 1};
  recent.limit = kMostIncidents;
  for (const core::Incident& incident : book.list(recent, now)) {
    for (const core::Entry& note : incident.notes) {
      const bool asks = note.detail(kUndelivered) != nullptr && note.node != parts_.node;
      if (asks && now.ns - note.at.ns < kOldNs) look_at(incident, note, look);
    }
  }
  return std::move(look.out);
}

void Relay::look_at_own(Look& look) {
  for (auto it = own_.begin(); it != own_.end();) {
    Own& own = it->second;
    const std::string* const id = own.event.detail("incident");
    const auto incident = look.book.find(*id, look.now);
    const std::string key = parts_.node + "/" + it->first;
    bool done = look.mono.ns - own.since.ns > kOldNs;
    for (const core::Entry& page : incident ? incident->pages : std::vector<core::Entry>()) {
      const bool relayed = text_of(page, notify::kRelaysDetail) == key;
      const bool earlier = page.node == parts_.node && text_of(page, "event") == it->first;
      if (relayed) {
        ++counters_.relayed;
        parts_.told_elsewhere(own.event, names_of(own.event));
      }
      done = done || relayed || earlier;
      if (done) break;
    }
    if (done) {
      it = own_.erase(it);
      continue;
    }
    const bool due = !own.asked && incident && look.live.size() > 1 &&
                     look.mono.ns - own.since.ns >= kPatienceNs;
    if (due && parts_.hopeless(own.event, names_of(own.event))) {
      own.asked = true;
      // One of an earlier life stands.
      const bool stands =
          std::any_of(incident->notes.begin(), incident->notes.end(), [&](const core::Entry& note) {
            return note.node == parts_.node && text_of(note, kUndelivered) == it->first;
          });
      counters_.asked += stands ? 0 : 1;
      if (!stands) {
        core::Details details = details_of(own.event);
        std::string text = text_beside(details, own.event.summary);
        look.out.notes.push_back({incident->id, std::move(text), std::move(details)});
      }
    }
    ++it;
  }
}

void Relay::look_at(const core::Incident& incident, const core::Entry& note, Look& look) {
  const std::string number = text_of(note, kUndelivered);
  const std::string key = note.node + "/" + number;
  auto found = others_.find(key);
  if (found == others_.end()) {
    if (others_.size() >= kMaxRelayed) {
      ++counters_.beyond;
      return;
    }
    found = others_.try_emplace(key).first;
    found->second.heard = look.mono;
    found->second.taken =
        std::any_of(incident.notes.begin(), incident.notes.end(), [&](const core::Entry& one) {
          return one.node == parts_.node &&
                 text_of(one, notify::kRelaysDetail) == key;  // in an earlier life
        });
  }
  Other& other = found->second;
  if (other.settled) return;
  const bool by_another =
      std::any_of(incident.pages.begin(), incident.pages.end(), [&](const core::Entry& page) {
        return (text_of(page, notify::kRelaysDetail) == key && page.node != parts_.node) ||
               (page.node == note.node && text_of(page, "event") == number);
      });
  if (by_another) {
    other.settled = true;
    if (!other.taken) return;
    ++(other.told ? counters_.twice : counters_.overtaken);
    if (!other.told && other.event.sequence != 0) parts_.told_elsewhere(other.event, {});
    return;
  }
  if (!other.taken && my_turn(incident, note, key, other, look)) {
    take(incident, note, key, other, look);
  }
}

bool Relay::my_turn(const core::Incident& incident, const core::Entry& note, const std::string& key,
                    const Other& other, const Look& look) const {
  int64_t rank = 0;
  bool among = false;
  for (const std::string& node : look.live) {
    if (node == note.node) continue;
    if (node == parts_.node) {
      among = true;
      break;
    }
    const auto claim =
        std::find_if(incident.notes.begin(), incident.notes.end(), [&](const core::Entry& one) {
          return one.node == node && text_of(one, notify::kRelaysDetail) == key;
        });
    if (claim == incident.notes.end()) {
      ++rank;
    } else if (look.now.ns - claim->at.ns < kClaimNs) {
      return false;  // it is at it
    }
  }
  for (const core::Entry& one : incident.notes) {  // also who comes later by name
    const bool claims = one.node != parts_.node && text_of(one, notify::kRelaysDetail) == key;
    const bool there = std::find(look.live.begin(), look.live.end(), one.node) != look.live.end();
    if (claims && there && look.now.ns - one.at.ns < kClaimNs) return false;
  }
  return among && look.mono.ns - other.heard.ns >= rank * kRankNs;
}

void Relay::take(const core::Incident& incident, const core::Entry& note, const std::string& key,
                 Other& other, Look& look) {
  const std::string& person = text_of(note, "person");
  Names wanted = split(text_of(note, "names"));
  if (!person.empty() && parts_.reach) {
    wanted = parts_.reach(person);
    if (wanted.empty()) return;  // not from here
  }
  Names names = wanted.empty() ? Names() : parts_.working(wanted);
  // Without names, or where they are others here: whoever this node tells. Not whole people.
  if (names.empty() && (!parts_.reach || wanted.empty()) && parts_.working({}).empty()) return;
  if (names.empty() && parts_.reach && !wanted.empty()) return;
  if (taken_at_.size() >= kMostAnHour) {
    ++counters_.beyond;
    other.settled = true;
    return;
  }
  taken_at_.push_back(look.mono);
  ++counters_.taken;
  other.taken = true;
  other.event = event_of(incident, note, key, look.now);
  other.event.notify = std::move(names);
  look.out.notes.push_back({incident.id,
                            "tells it for " + note.node + ", which reaches nobody",
                            {{notify::kRelaysDetail, key}}});
  look.out.events.push_back(other.event);
}

}  // namespace nines::agent::incident
