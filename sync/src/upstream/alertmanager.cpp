#include "nines/upstream/alertmanager.hpp"

#include <algorithm>
#include <string_view>

#include "nines/base/contract.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::upstream {
namespace {

constexpr int64_t kMinClockOffsetNs = 60 * kNsPerSecond;  // below: a slow answer, not a clock
constexpr size_t kMaxText = 1000;
constexpr int64_t kSlowMs = 150'000;
constexpr std::string_view kReplayPrefix = "replay\n";

std::string key_of(const slo::AlertEvent& event) { return event.slo + "/" + event.rule; }

Instant after_ms(Instant now, int64_t ms) { return {now.ns + ms * kNsPerMs}; }
WallTime later(WallTime t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }

void label(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.member(name, value);
}

}  // namespace

Alertmanager::Alertmanager(AlertmanagerOptions options, const std::vector<uint64_t>& cursors,
                           uint64_t seed)
    : options_(std::move(options)) {
  for (const uint64_t cursor : cursors) {
    Replica replica{Backoff(options_.retry, seed++),
                    cursor,
                    options_.batch,
                    Instant{INT64_MIN},
                    {},
                    {},
                    {},
                    0,
                    {}};
    replicas_.push_back(std::move(replica));
  }
}

void Alertmanager::take(const slo::AlertEvent& event) {
  if (event.sequence <= last_known_) return;
  last_known_ = event.sequence;
  if (event.kind == slo::AlertEvent::Kind::fired) {
    fire(event);
  } else if (event.kind == slo::AlertEvent::Kind::resolved) {
    resolve(event);
  }
}

// The entry of that key; nullptr: there is no room for another.
Alertmanager::Alert* Alertmanager::place_for(const std::string& key) {
  const auto found = alerts_.find(key);
  if (found != alerts_.end()) return &found->second;
  if (!make_room()) {
    ++dropped_;
    return nullptr;
  }
  Alert& alert = alerts_[key];
  alert.told.resize(replicas_.size());
  return &alert;
}

void Alertmanager::fire(const slo::AlertEvent& event) {
  Alert* alert = place_for(key_of(event));
  if (alert == nullptr) return;
  alert->fired = event;
  alert->summary = event.summary;
  alert->fired_sequence = alert->sequence = event.sequence;
  // Of an earlier life: whoever's cursor is behind it has been told.
  alert->fire_told = std::any_of(replicas_.begin(), replicas_.end(), [&](const Replica& replica) {
    return replica.cursor >= event.sequence;
  });
}

void Alertmanager::resolve(const slo::AlertEvent& event) {
  const auto found = alerts_.find(key_of(event));
  if (found == alerts_.end()) return;  // its fire is not known any more: it is long over there too
  Alert& alert = found->second;
  if (!alert.active()) return;
  alert.resolved = event.at;
  alert.summary = event.summary;
  alert.sequence = event.sequence;
  const bool known_everywhere =
      std::all_of(replicas_.begin(), replicas_.end(),
                  [&](const Replica& replica) { return replica.cursor >= event.sequence; });
  if (known_everywhere) {
    alerts_.erase(found);
  } else if (!alert.fire_told && !is_under_way(found->first)) {
    miss(found);
  }
}

bool Alertmanager::is_under_way(const std::string& key) const {
  return std::any_of(replicas_.begin(), replicas_.end(), [&](const Replica& replica) {
    return std::any_of(replica.flight.begin(), replica.flight.end(),
                       [&](const Sent& sent) { return sent.key == key; });
  });
}

// It began and ended, and nobody knows.
void Alertmanager::miss(Alerts::iterator found) {
  const Alert alert = std::move(found->second);
  const std::string key = std::string(kReplayPrefix) + found->first;
  alerts_.erase(found);
  Alert* replay = place_for(key);
  if (replay == nullptr) return;
  if (replay->missed++ == 0) {
    replay->fired = alert.fired;
    replay->fired_sequence = alert.fired_sequence;
    replay->replay = true;
  }
  replay->resolved = alert.resolved;
  replay->sequence = alert.sequence;
  replay->summary = alert.fired.summary;
}

// The oldest that is over gives way.
bool Alertmanager::make_room() {
  if (alerts_.size() < kMaxAlerts) return true;
  auto oldest = alerts_.end();
  for (auto it = alerts_.begin(); it != alerts_.end(); ++it) {
    if (it->second.active() || is_under_way(it->first)) continue;
    if (oldest == alerts_.end() || it->second.sequence < oldest->second.sequence) oldest = it;
  }
  if (oldest == alerts_.end()) return false;
  ++dropped_;
  alerts_.erase(oldest);
  return true;
}

bool Alertmanager::knows(const Alert& alert, size_t replica) const {
  const Told& told = alert.told[replica];
  return told.sequence >= alert.sequence || told.refused >= alert.sequence ||
         (!alert.active() && replicas_[replica].cursor >= alert.sequence);
}

// When it is to be told next; nullopt: never again, as it is.
std::optional<Instant> Alertmanager::next_time(const Alert& alert, size_t replica) const {
  const Told& told = alert.told[replica];
  if (told.refused >= alert.sequence) return std::nullopt;
  if (told.sequence < alert.sequence) {
    if (knows(alert, replica)) return std::nullopt;
    return Instant{INT64_MIN};
  }
  const Instant next = after_ms(told.at, options_.resend_ms);
  if (alert.active()) return next;
  const bool said_enough = next > after_ms(told.first_resolved, kKeepResolvedMs);
  return alert.replay || said_enough ? std::nullopt : std::optional(next);
}

bool Alertmanager::needs(const Alert& alert, size_t replica, Instant now) const {
  const auto next = next_time(alert, replica);
  return next && *next <= now;
}

// In the order of what happened, so that the cursor is where the telling got.
void Alertmanager::gather(size_t index, Instant now) {
  Replica& replica = replicas_[index];
  while (!replica.alone.empty() && replica.flight.empty()) {
    const std::string key = std::move(replica.alone.front().key);
    replica.alone.erase(replica.alone.begin());
    const auto found = alerts_.find(key);
    if (found != alerts_.end() && needs(found->second, index, now)) {
      replica.flight.push_back({key, found->second.sequence});
    }
  }
  if (!replica.flight.empty()) return;
  for (const auto& [key, alert] : alerts_) {
    if (needs(alert, index, now)) replica.flight.push_back({key, alert.sequence});
  }
  std::sort(replica.flight.begin(), replica.flight.end(),
            [](const Sent& a, const Sent& b) { return a.sequence < b.sequence; });
  if (replica.flight.size() > replica.batch) replica.flight.resize(replica.batch);
}

std::optional<AlertmanagerRequest> Alertmanager::begin(size_t index, Instant now, WallTime wall) {
  Replica& replica = replicas_[index];
  if (!replica.flight.empty() || now < replica.not_before) return std::nullopt;
  gather(index, now);
  if (replica.flight.empty()) return std::nullopt;
  ++replica.stats.requests;
  replica.body.clear();
  JsonWriter json(replica.body);
  json.begin_array();
  for (const Sent& sent : replica.flight) {
    write(json, alerts_.at(sent.key), {wall.ns + replica.clock_offset_ns});
  }
  json.end_array();
  return AlertmanagerRequest{replica.body, replica.flight.size()};
}

std::optional<Instant> Alertmanager::due(size_t index, Instant now) const {
  const Replica& replica = replicas_[index];
  if (!replica.flight.empty()) return std::nullopt;
  std::optional<Instant> first;
  for (const auto& [key, alert] : alerts_) {
    const auto next = next_time(alert, index);
    if (next && (!first || *next < *first)) first = next;
  }
  if (!first) return std::nullopt;
  return std::max({*first, replica.not_before, now});
}

std::vector<AlertmanagerDead> Alertmanager::answered(size_t index, int status,
                                                     const std::string& text,
                                                     std::optional<int64_t> retry_after_ms,
                                                     Instant now, WallTime wall,
                                                     std::optional<WallTime> server_time) {
  Replica& replica = replicas_[index];
  NINES_ASSERT(!replica.flight.empty());
  std::vector<AlertmanagerDead> dead;
  if (server_time) {
    const int64_t offset = server_time->ns - wall.ns;
    const bool wrong = offset > kMinClockOffsetNs || offset < -kMinClockOffsetNs;
    replica.clock_offset_ns = wrong ? offset : 0;
  }
  replica.stats.refused = false;
  replica.not_before = {INT64_MIN};
  const bool too_large = status == 413 && replica.flight.size() > 1;
  if (status >= 200 && status < 300) {
    note_taken(index, now);
  } else if (too_large) {
    replica.batch = replica.flight.size() / 2;
  } else if (status == 400 || status == 413) {
    dead = refused(index, status, text);
  } else {
    wait(replica, status, retry_after_ms, now);
  }
  find_missed(std::exchange(replica.flight, {}));
  replica.body.clear();
  move_cursor(index);
  forget_settled();
  return dead;
}

void Alertmanager::wait(Replica& replica, int status, std::optional<int64_t> retry_after_ms,
                        Instant now) {
  const bool login = status == 401 || status == 403;
  const bool address = status == 404 || status == 405 || status == 415;
  replica.stats.refused = login || address;
  ++replica.stats.failures;
  ++replica.stats.failures_in_row;
  // Somebody has to mend it: soon does not help.
  if (login || address) retry_after_ms = kSlowMs;
  replica.not_before = replica.backoff.next(now, retry_after_ms);
}

void Alertmanager::note_taken(size_t index, Instant now) {
  Replica& replica = replicas_[index];
  replica.backoff.succeeded();
  replica.stats.failures_in_row = 0;
  replica.stats.alerts += replica.flight.size();
  for (const Sent& sent : replica.flight) {
    const auto found = alerts_.find(sent.key);
    if (found == alerts_.end()) continue;
    Alert& alert = found->second;
    Told& told = alert.told[index];
    const bool news = told.sequence < sent.sequence;
    told.sequence = std::max(told.sequence, sent.sequence);
    told.at = now;
    if (alert.replay && news) ++replica.stats.replayed;
    // What it took may be older than what is true by now.
    if (sent.sequence == alert.fired_sequence) alert.fire_told = true;
    if (news && sent.sequence == alert.sequence && !alert.active()) told.first_resolved = now;
  }
}

// A batch is sent again one by one: the bad one must not keep the others, nor be taken for them.
std::vector<AlertmanagerDead> Alertmanager::refused(size_t index, int status,
                                                    const std::string& text) {
  Replica& replica = replicas_[index];
  ++replica.stats.failures;
  if (replica.flight.size() > 1) {
    replica.alone = replica.flight;
    return {};
  }
  ++replica.stats.dead;
  const Sent& sent = replica.flight.front();
  const auto found = alerts_.find(sent.key);
  if (found != alerts_.end()) {
    found->second.told[index].refused = sent.sequence;
    found->second.fire_told = true;  // said as far as it can be
  }
  return {{sent.sequence, sent.key, text.substr(0, kMaxText), replica.body, status}};
}

// What ended while its fire was under way, if that failed.
void Alertmanager::find_missed(const std::vector<Sent>& failed) {
  for (const Sent& sent : failed) {
    const auto found = alerts_.find(sent.key);
    if (found == alerts_.end()) continue;
    const Alert& alert = found->second;
    if (!alert.active() && !alert.replay && !alert.fire_told && !is_under_way(sent.key)) {
      miss(found);
    }
  }
}

void Alertmanager::forget_settled() {
  std::erase_if(alerts_, [&](const auto& item) {
    const Alert& alert = item.second;
    if (alert.active() || is_under_way(item.first)) return false;
    for (size_t i = 0; i < replicas_.size(); ++i) {
      if (!knows(alert, i) || next_time(alert, i)) return false;
    }
    return true;
  });
}

uint64_t Alertmanager::cursor(size_t replica) const { return replicas_[replica].cursor; }

// An incident whose end is not told begins with its fire: both are needed to tell it.
void Alertmanager::move_cursor(size_t index) {
  uint64_t first_untold = last_known_ + 1;
  for (const auto& [key, alert] : alerts_) {
    if (knows(alert, index)) continue;
    const bool fire_known = !alert.replay && alert.fire_told;
    first_untold = std::min(first_untold, fire_known ? alert.sequence : alert.fired_sequence);
  }
  Replica& replica = replicas_[index];
  replica.cursor = std::max(replica.cursor, first_untold - 1);
}

AlertmanagerStats Alertmanager::stats(size_t index) const {
  AlertmanagerStats stats = replicas_[index].stats;
  for (const auto& [key, alert] : alerts_) stats.pending += knows(alert, index) ? 0 : 1;
  return stats;
}

void Alertmanager::write(JsonWriter& json, const Alert& alert, WallTime now) const {
  static constexpr const char* kPriorities[] = {"P0", "P1", "P2", "P3"};
  const slo::AlertEvent& fired = alert.fired;
  json.begin_object().key("labels").begin_object();
  const bool of_incident = fired.detail("transition") != nullptr;
  json.member("alertname", alert.replay  ? "OfflineIncidentReplay"
                           : of_incident ? "Incident"
                                         : "SLOBurn");
  label(json, "service", fired.service);
  label(json, "slo", fired.slo);
  label(json, "severity", fired.severity);
  label(json, "rule", fired.rule);
  label(json, "priority", kPriorities[std::clamp(fired.priority, 0, 3)]);
  if (options_.node_label) label(json, "node", options_.node);
  for (const auto& [name, value] : options_.labels) label(json, name, value);
  json.end_object().key("annotations").begin_object();
  if (!options_.node_label) label(json, "node", options_.node);
  std::string summary = alert.summary;
  if (alert.replay) {
    summary = (alert.missed == 1 ? "An incident" : std::to_string(alert.missed) + " incidents") +
              std::string(" while Alertmanager could not be reached, from ") +
              format_rfc3339(to_ms(fired.since)) + " to " + format_rfc3339(to_ms(alert.resolved)) +
              "; over by now. " + summary;
  }
  label(json, "summary", summary.substr(0, kMaxText));
  for (const auto& [name, detail] :
       {std::pair{"incident", "incident"}, std::pair{"runbook_url", "runbook"}}) {
    if (const std::string* value = fired.detail(detail)) label(json, name, *value);
  }
  json.end_object();
  const WallTime began = alert.replay ? now : std::min(fired.since, now);
  WallTime ends = later(now, 4 * options_.resend_ms);
  if (alert.replay) {
    ends = later(now, kReplayMs);
  } else if (!alert.active()) {
    ends = std::max(std::min(alert.resolved, now), began);
  }
  json.member("startsAt", began).member("endsAt", ends);
  if (!options_.generator_url.empty()) json.member("generatorURL", options_.generator_url);
  json.end_object();
}

}  // namespace nines::upstream
