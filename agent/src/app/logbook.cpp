#include "app/logbook.hpp"

#include <algorithm>

namespace nines::agent {
namespace {

using slo::Change;
using slo::ChangeKind;
using slo::ReleaseWatch;
using slo::WatchVerdict;

constexpr int64_t kForgottenS = 7 * 86400;  // a watch that could not be ended by then never is

// A document's body cannot be empty (that means: forget it).
store::Document document(const char* kind, const std::string& key, std::string body) {
  return {kind, key, std::move(body)};
}

int badness(WatchVerdict verdict) {
  switch (verdict) {
    case WatchVerdict::ok: return 0;
    case WatchVerdict::watching: return 1;
    case WatchVerdict::too_little_traffic: return 2;
    case WatchVerdict::worse: return 3;
  }
  return 3;
}

bool is_of(const Change& change, const slo::SloSpec& spec) {
  return change.slo.empty() ? spec.service == change.service : spec.name == change.slo;
}

}  // namespace

void Logbook::remember(Change change) {
  if (change.kind == ChangeKind::release_watch) {
    const std::string* id = change.detail("change");
    const auto number = id == nullptr ? std::nullopt : Decimal::parse(*id);
    if (number && number->exponent == 0) {
      told_watches_.insert(static_cast<uint64_t>(number->mantissa));
    }
  }
  changes_.push_back(std::move(change));
  while (changes_.size() > kMaxChanges) {
    told_watches_.erase(changes_.front().id);
    changes_.pop_front();
  }
}

void Logbook::restore(std::vector<Change> changes, const std::vector<store::Document>& gates,
                      const std::vector<store::Document>& overrides) {
  for (Change& change : changes) remember(std::move(change));
  for (const store::Document& d : gates) {
    if (auto memory = slo::GateMemory::decode(d.body)) keeper_.restore(std::move(*memory));
  }
  for (const store::Document& d : overrides) {
    if (auto one = slo::Override::decode(d.body)) keeper_.restore(std::move(*one));
  }
}

Record Logbook::compare_specs(const std::vector<store::Document>& kept, WallTime now) const {
  Record out;
  for (uint32_t i = 0; i < engine_.size(); ++i) {
    if (!engine_.has(i)) continue;
    const slo::SloSpec& spec = engine_.spec(i);
    const std::string body = slo::encode_details(slo::describe_spec(spec));
    const auto before = std::find_if(kept.begin(), kept.end(),
                                     [&](const store::Document& d) { return d.key == spec.name; });
    if (before != kept.end() && before->body == body) continue;
    if (before != kept.end()) {
      for (Change& change : slo::changes_between(spec, slo::decode_details(before->body), now)) {
        out.changes.push_back(std::move(change));
      }
    }
    out.documents.push_back(document(kSpecKind, spec.name, body));
  }
  // SLOs come and go (drafts above all): what is kept of them must not pile up.
  for (const store::Document& d : kept) {
    bool known = false;
    for (uint32_t i = 0; i < engine_.size(); ++i) {
      known = known || (engine_.has(i) && engine_.spec(i).name == d.key);
    }
    if (known) continue;
    out.documents.push_back(document(kSpecKind, d.key, {}));
    out.documents.push_back(document(kGateKind, d.key, {}));
  }
  return out;
}

// A release ends the watch of the one before.
WallTime Logbook::watch_end(const Change& release) const {
  WallTime end = WallTime::from_s(release.at.seconds() + policy_.watch_s);
  for (const Change& other : changes_) {
    const bool next = other.kind == ChangeKind::deploy && other.service == release.service &&
                      other.slo == release.slo && other.at > release.at;
    if (next) end = std::min(end, other.at);
  }
  return end;
}

bool Logbook::newest_release(const Change& release) const {
  return std::none_of(changes_.begin(), changes_.end(), [&](const Change& other) {
    return other.kind == ChangeKind::deploy && other.service == release.service &&
           other.slo == release.slo && other.at > release.at;
  });
}

std::vector<ReleaseWatch> Logbook::watches_of(const Change& change, WallTime now) const {
  std::vector<ReleaseWatch> out;
  if (change.kind != ChangeKind::deploy) return out;
  std::optional<WallTime> ends;
  for (uint32_t i = 0; i < engine_.size(); ++i) {
    if (!engine_.has(i) || !is_of(change, engine_.spec(i))) continue;
    if (!ends) ends = watch_end(change);
    out.push_back(slo::watch_release(engine_, i, change, *ends, now, policy_));
  }
  return out;
}

Change Logbook::watch_entry(const Change& release, const std::vector<ReleaseWatch>& watches,
                            WallTime ends) const {
  const auto worst = std::max_element(watches.begin(), watches.end(),
                                      [](const ReleaseWatch& a, const ReleaseWatch& b) {
                                        return badness(a.verdict) < badness(b.verdict);
                                      });
  Change out;
  out.kind = ChangeKind::release_watch;
  out.at = ends;
  out.service = release.service;
  out.slo = release.slo;
  out.who = "nines";
  out.text = worst->text;
  out.details = {{"change", std::to_string(release.id)},
                 {"verdict", std::string(slo::watch_verdict_name(worst->verdict))}};
  const slo::ChangeLimits limits;
  for (const ReleaseWatch& w : watches) {
    if (out.details.size() == limits.max_details) break;
    out.details.emplace_back("slo", w.slo + ": " + std::string(slo::watch_verdict_name(w.verdict)));
  }
  return out;
}

std::vector<slo::WatchNote> Logbook::look_at_releases(WallTime now, bool ready, Record& out) {
  std::vector<slo::WatchNote> notes;
  size_t looked = 0;
  for (auto it = changes_.rbegin(); it != changes_.rend() && looked < kMaxWatches; ++it) {
    const Change& release = *it;
    if (release.kind == ChangeKind::release_watch) {
      if (now.seconds() - release.at.seconds() >= kWorseHoldsS) continue;
      const std::string* verdict = release.detail("verdict");
      const std::string* id = release.detail("change");
      const Change* of = id == nullptr ? nullptr : find(std::strtoull(id->c_str(), nullptr, 10));
      const bool holds = verdict != nullptr && *verdict == "WORSE" && of != nullptr &&
                         newest_release(*of) && now.seconds() - of->at.seconds() < kWorseHoldsS;
      if (holds) notes.push_back({release.service, release.slo, release.text});
      continue;
    }
    const bool open = release.kind == ChangeKind::deploy && !told_watches_.contains(release.id) &&
                      now.seconds() - release.at.seconds() < kForgottenS;
    if (!open) continue;
    const auto watches = watches_of(release, now);
    if (watches.empty()) continue;  // nothing here belongs to that service
    ++looked;
    if (watches.front().done) {
      if (!ready) continue;
      told_watches_.insert(release.id);
      out.changes.push_back(watch_entry(release, watches, watches.front().ends));
    }
    for (const ReleaseWatch& w : watches) {
      const bool holds = w.verdict == WatchVerdict::worse && newest_release(release) &&
                         now.seconds() - release.at.seconds() < kWorseHoldsS;
      if (holds) notes.push_back({w.service, w.slo, w.text});
    }
  }
  return notes;
}

// Groups come and go: what is kept of them must not pile up.
void Logbook::forget_removed(Record& out) {
  std::set<std::string> here;
  for (uint32_t i = 0; i < engine_.size(); ++i) {
    if (engine_.has(i)) here.insert(engine_.spec(i).name);
  }
  std::erase_if(verdicts_, [&](const auto& verdict) {
    if (here.contains(verdict.first)) return false;
    keeper_.drop(verdict.first);
    out.documents.push_back(document(kGateKind, verdict.first, {}));
    return true;
  });
}

Record Logbook::evaluate(WallTime now, bool ready) {
  Record out;
  slo::GateKeeper::Outcome outcome;
  keeper_.expire(now, outcome);
  const auto notes = look_at_releases(now, ready, out);
  forget_removed(out);
  for (uint32_t i = 0; i < engine_.size(); ++i) {
    if (!engine_.has(i)) continue;
    slo::SloStatus status = engine_.status(i);
    keeper_.judge(engine_.spec(i), status, now, notes, outcome);
    verdicts_[status.slo] = std::move(status.gate);
  }
  for (const slo::GateMemory& memory : outcome.changed) {
    out.documents.push_back(document(kGateKind, memory.slo, memory.encode()));
  }
  for (const std::string& name : outcome.ended) {
    out.documents.push_back(document(kOverrideKind, name, {}));
  }
  for (Change& change : outcome.changes) out.changes.push_back(std::move(change));
  out.events = std::move(outcome.alerts);
  return out;
}

void Logbook::recorded(const Record& record) {
  for (const Change& change : record.changes) remember(change);
  for (const store::Document& d : record.documents) {
    if (d.kind != kOverrideKind) continue;
    if (auto one = slo::Override::decode(d.body)) {
      keeper_.put(std::move(*one));
    } else {
      keeper_.forget(d.key);
    }
  }
}

Result<Change> Logbook::annotation(Change change, WallTime now) const {
  if (!slo::is_annotation(change.kind)) {
    return Error{Errc::invalid_argument,
                 "'" + std::string(slo::change_kind_name(change.kind)) +
                     "' entries are the agent's own; write deploy, migration, manual_action or "
                     "note"};
  }
  if (change.at == WallTime{}) change.at = change.from == WallTime{} ? now : change.from;
  change.at = to_ms(change.at);
  if (!change.slo.empty()) {
    bool known = false;
    for (uint32_t i = 0; i < engine_.size(); ++i) {
      if (!engine_.has(i) || engine_.spec(i).name != change.slo) continue;
      const slo::SloSpec& spec = engine_.spec(i);
      known = true;
      if (!change.service.empty() && change.service != spec.service) {
        return Error{Errc::invalid_argument, "SLO '" + change.slo + "' belongs to service '" +
                                                 spec.service + "', not to '" + change.service +
                                                 "'"};
      }
      change.service = spec.service;
    }
    if (!known) return Error{Errc::not_found, "no SLO is called '" + change.slo + "'"};
  }
  NINES_CHECK(slo::check_change(change, now));
  return change;
}

Result<Record> Logbook::override_gate(const OverrideWish& wish, WallTime now) const {
  Record out;
  if (wish.revoke) {
    NINES_TRY(Change change, keeper_.revoke(wish.name, wish.by, wish.reason, now));
    out.changes.push_back(std::move(change));
    out.documents.push_back(document(kOverrideKind, wish.name, {}));
    return out;
  }
  std::vector<const slo::SloSpec*> specs;
  int64_t most_s = INT64_MAX;
  for (uint32_t i = 0; i < engine_.size(); ++i) {
    if (!engine_.has(i)) continue;
    const slo::SloSpec& spec = engine_.spec(i);
    if (spec.name != wish.name && spec.service != wish.name) continue;
    specs.push_back(&spec);
    most_s = std::min(most_s, spec.gate.override_ttl_s);
  }
  if (specs.empty()) {
    return Error{Errc::not_found, "no SLO or service is called '" + wish.name + "'"};
  }
  const int64_t ttl_s = wish.ttl_s == 0 ? most_s : wish.ttl_s;
  NINES_TRY(auto opened, slo::GateKeeper::open(wish.name, wish.by, wish.reason, ttl_s, specs, now));
  out.changes.push_back(std::move(opened.change));
  out.documents.push_back(document(kOverrideKind, wish.name, opened.override_.encode()));
  return out;
}

const Change* Logbook::find(uint64_t id) const noexcept {
  const auto found = std::find_if(changes_.begin(), changes_.end(),
                                  [id](const Change& change) { return change.id == id; });
  return found == changes_.end() ? nullptr : &*found;
}

std::vector<slo::Impact> Logbook::impact(const Change& change, WallTime now,
                                         int64_t window_s) const {
  return slo::impact_of(engine_, change, all(), now, window_s);
}

void Logbook::decorate(Snapshot& snapshot) const {
  for (slo::SloStatus& status : snapshot.slos) {
    const auto verdict = verdicts_.find(status.slo);
    if (verdict != verdicts_.end()) status.gate = verdict->second;
  }
}

}  // namespace nines::agent
