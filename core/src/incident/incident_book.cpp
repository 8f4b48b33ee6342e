#include "nines/incident/incident_book.hpp"

#include <algorithm>

#include "incident/incident_book_impl.hpp"
#include "incident/text.hpp"

namespace nines::incident {
namespace {

constexpr int64_t kDayNs = 86400 * kNsPerSecond;
constexpr int64_t kPruneEveryNs = 3600 * kNsPerSecond;

bool asked_for(const BookQuery& q, const Incident& i, const IncidentFold::Brief& b) {
  if (q.state && b.state != *q.state) return false;
  if (q.only_open && b.state == State::resolved) return false;
  if (!q.service.empty() && !i.concerns(q.service)) return false;
  if (q.to != WallTime{} && i.opened >= q.to) return false;
  return q.from == WallTime{} || b.state != State::resolved || b.resolved >= q.from;
}

}  // namespace

IncidentBook::Merge IncidentBook::Impl::take(const IncidentEvent& given, WallTime now) {
  std::string bytes_now = encode_event(given);
  if (!decode_event(bytes_now)) {
    ++counters.invalid;
    return Merge::refused;
  }
  if (given.order().ns > now.ns + limits.max_ahead_s * kNsPerSecond) {
    ++counters.refused_future;
    return Merge::refused;
  }
  if (given.order().ns < now.ns - limits.keep_s * kNsPerSecond) {
    ++counters.refused_old;
    return Merge::refused;
  }
  Name name{given.node, given.boot, given.sequence};
  const auto known = events.find(name);
  if (known != events.end()) {
    if (known->second.bytes <= bytes_now) {
      ++(known->second.bytes == bytes_now ? counters.known : counters.conflicts);
      return Merge::known;
    }
    // Two contents under one name (a node that was cloned): all keep the same one of them.
    ++counters.conflicts;
    bytes += bytes_now.size();
    bytes -= known->second.bytes.size();
    known->second = {given, std::move(bytes_now)};
    dirty = true;
    return Merge::news;
  }
  const bool full =
      events.size() >= limits.max_events || bytes + bytes_now.size() > limits.max_bytes;
  if (full && !make_room(now)) {
    ++counters.refused_full;
    return Merge::refused;
  }
  if (given.node == identity.node && given.boot == identity.boot) {
    sequence = std::max(sequence, given.sequence);
  }
  bytes += bytes_now.size();
  const auto at = events.emplace(std::move(name), Kept{given, std::move(bytes_now)}).first;
  const IncidentEvent& event = at->second.event;
  ++counters.news;
  if (dirty || (!order.empty() && comes_before(event, *order.back()))) {
    dirty = true;
    return Merge::news;
  }
  order.push_back(&event);
  placed.push_back(fold.apply(event));
  return Merge::news;
}

void IncidentBook::Impl::refold() const {
  if (!dirty) return;
  dirty = false;
  ++refolds;
  order.clear();
  placed.clear();
  fold.clear();
  order.reserve(events.size());
  for (const auto& [name, kept] : events) order.push_back(&kept.event);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return comes_before(*a, *b); });
  for (const IncidentEvent* event : order) placed.push_back(fold.apply(*event));
}

std::vector<size_t> IncidentBook::Impl::roots() const {
  refold();
  std::vector<size_t> out;
  for (size_t at = 0; at < fold.tracks().size(); ++at) {
    if (fold.is_root(at)) out.push_back(at);
  }
  std::sort(out.begin(), out.end(), [&](size_t a, size_t b) {
    const Incident &x = fold.tracks()[a].incident, &y = fold.tracks()[b].incident;
    return std::tie(x.opened, x.key) < std::tie(y.opened, y.key);
  });
  return out;
}

// Forgets the events of the incidents marked.
void IncidentBook::Impl::drop(const std::vector<bool>& gone) {
  for (size_t i = 0; i < order.size(); ++i) {
    if (placed[i] == kNone || !gone[fold.root(placed[i])]) continue;
    const IncidentEvent& e = *order[i];
    const auto at = events.find(Name{e.node, e.boot, e.sequence});
    bytes -= at->second.bytes.size();
    events.erase(at);
    ++counters.pruned;
  }
  dirty = true;
  refold();
}

// Marks the incidents of the oldest day on which one can go, and says how many: whole days, since
// the numbers of a day depend on one another.
size_t IncidentBook::Impl::oldest_day(WallTime now, std::vector<bool>& gone) const {
  const auto all = roots();
  const auto day_of = [&](size_t at) { return fold.tracks()[at].incident.opened.ns / kDayNs; };
  for (size_t first = 0; first < all.size();) {
    size_t last = first;
    bool over = true;
    for (; last < all.size() && day_of(all[last]) == day_of(all[first]); ++last) {
      over = over && fold.brief(all[last], now).state == State::resolved;
    }
    if (over) {
      gone.assign(fold.tracks().size(), false);
      for (size_t i = first; i < last; ++i) gone[all[i]] = true;
      return last - first;
    }
    first = last;
  }
  return 0;
}

bool IncidentBook::Impl::make_room(WallTime now) {
  refold();
  std::vector<bool> gone;
  const size_t before = events.size();
  if (oldest_day(now, gone) == 0) return false;
  // Not the day that runs: what is told now would be forgotten while it is told.
  for (size_t at = 0; at < gone.size(); ++at) {
    if (gone[at] && now.ns - fold.tracks()[at].incident.last_event.ns < kDayNs) return false;
  }
  drop(gone);
  return events.size() < before;
}

void IncidentBook::Impl::prune(WallTime now) {
  if (now.ns - pruned.ns < kPruneEveryNs) return;
  pruned = now;
  refold();
  for (;;) {
    std::vector<bool> gone;
    const size_t count = oldest_day(now, gone);
    if (count == 0) break;
    size_t resolved = 0;
    for (const size_t at : roots()) {
      resolved += fold.brief(at, now).state == State::resolved ? 1U : 0U;
    }
    WallTime newest;
    for (size_t at = 0; at < gone.size(); ++at) {
      if (gone[at]) newest = std::max(newest, fold.tracks()[at].incident.last_event);
    }
    const bool old = now.ns - newest.ns > limits.keep_s * kNsPerSecond;
    if (!old && resolved <= limits.max_resolved) break;
    drop(gone);
  }
  // What belongs to nothing will not any more.
  refold();
  for (size_t i = 0; i < order.size(); ++i) {
    const IncidentEvent& e = *order[i];
    if (placed[i] != kNone || now.ns - e.order().ns <= kDayNs) continue;
    const auto at = events.find(Name{e.node, e.boot, e.sequence});
    bytes -= at->second.bytes.size();
    events.erase(at);
    ++counters.pruned;
    dirty = true;
  }
}

std::optional<IncidentEvent> IncidentBook::Impl::write(IncidentEvent event, size_t at, WallTime now,
                                                       size_t other) {
  refold();
  event.node = identity.node;
  event.boot = identity.boot;
  event.sequence = ++sequence;
  event.at = now;
  if (other != kNone) event.after = fold.tracks()[other].incident.last_event;
  if (at != kNone) {
    const Incident& i = fold.tracks()[at].incident;
    event.key = i.key;
    event.opened = i.opened;
    event.after = std::max(event.after, i.last_event);
    event.id = fold.id(at);
  }
  fit(event);
  if (take(event, now) != Merge::news) return std::nullopt;
  if (at != kNone) return event;
  // An opening carries the id that it was given here, so that it is always found by it.
  refold();
  const auto self = std::find(order.rbegin(), order.rend(),
                              &events.at(Name{event.node, event.boot, event.sequence}).event);
  const size_t track = placed[static_cast<size_t>(order.rend() - self) - 1];
  if (track == kNone) return event;
  Kept& kept = events.at(Name{event.node, event.boot, event.sequence});
  bytes -= kept.bytes.size();
  kept.event.id = fold.id(fold.root(track));
  fit(kept.event);
  kept.bytes = encode_event(kept.event);
  bytes += kept.bytes.size();
  fold.tell(fold.root(track), kept.event.id);
  return kept.event;
}

IncidentBook::IncidentBook(BookIdentity identity, BookRules rules, BookLimits limits)
    : impl_(std::make_unique<Impl>(std::move(identity), rules, limits)) {}
IncidentBook::~IncidentBook() = default;
IncidentBook::IncidentBook(IncidentBook&&) noexcept = default;
IncidentBook& IncidentBook::operator=(IncidentBook&&) noexcept = default;

IncidentBook::Merge IncidentBook::merge(const IncidentEvent& event, WallTime now) {
  return impl_->take(event, now);
}

Topology& IncidentBook::topology() noexcept { return impl_->topology; }
const Topology& IncidentBook::topology() const noexcept { return impl_->topology; }

std::optional<Incident> IncidentBook::find(std::string_view ref, WallTime now) const {
  impl_->refold();
  const auto found = impl_->fold.by_id(ref);
  if (found.empty()) return std::nullopt;
  return impl_->fold.view(found.front(), now);
}

std::vector<Incident> IncidentBook::list(const BookQuery& query, WallTime now) const {
  std::vector<Incident> out;
  const auto all = impl_->roots();
  for (auto at = all.rbegin(); at != all.rend() && out.size() < query.limit; ++at) {
    const auto brief = impl_->fold.brief(*at, now);
    if (asked_for(query, impl_->fold.tracks()[*at].incident, brief)) {
      out.push_back(impl_->fold.view(*at, now));
    }
  }
  return out;
}

std::vector<Escalation> IncidentBook::due(WallTime now) const {
  std::vector<Escalation> out;
  for (const size_t at : impl_->roots()) {
    const Incident& i = impl_->fold.tracks()[at].incident;
    const State state = impl_->fold.brief(at, now).state;
    const int64_t timer = impl_->rules.ack_s[std::clamp(i.severity, 0, 3)] * kNsPerSecond;
    if (timer == 0 || (state != State::open && state != State::reopened)) continue;
    Escalation e{impl_->fold.id(at), i.key, i.severity, i.unanswered_since, {}, 0};
    const int64_t level = std::max<int64_t>(0, (now.ns - e.since.ns) / timer);
    e.level = static_cast<int>(std::min<int64_t>(level, 1'000'000));
    e.next = {e.since.ns + (level + 1) * timer};
    out.push_back(std::move(e));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.severity < b.severity; });
  return out;
}

std::vector<Transition> IncidentBook::take_transitions(WallTime now) {
  std::vector<Transition> out;
  Impl& m = *impl_;
  decltype(m.told) told;
  std::map<size_t, std::vector<std::string>> keys;
  const auto all = m.roots();
  for (size_t at = 0; at < m.fold.tracks().size(); ++at) {
    keys[m.fold.root(at)].push_back(m.fold.tracks()[at].incident.key);
  }
  for (const size_t at : all) {
    const Incident& i = m.fold.tracks()[at].incident;
    const auto brief = m.fold.brief(at, now);
    // What was told of it, under whatever opening it was known then.
    std::optional<Impl::Told> before;
    for (const std::string& key : keys[at]) {
      const auto known = m.told.find(key);
      if (known == m.told.end()) continue;
      const auto first = known->second.lower_bound(i.opened.ns);
      if (first == known->second.end() || first->first > i.last_event.ns) continue;
      if (!before || first->second.severity < before->severity) before = first->second;
    }
    const auto tell = [&](Transition::Kind kind, WallTime when) {
      out.push_back({kind, m.fold.id(at), i.severity, when});
    };
    const Impl::Told present{brief.state, i.severity, i.reopens};
    using Kind = Transition::Kind;
    if (!before) {
      tell(Kind::opened, i.opened);
      before = Impl::Told{State::open, i.severity, i.reopens};
    }
    if (i.reopens > before->reopens && brief.state != State::resolved) {
      tell(Kind::reopened, i.reopened);
      before->state = State::open;
    }
    if (i.severity < before->severity) tell(Kind::worse, i.last_event);
    if (brief.state != before->state) {
      if (brief.state == State::acknowledged) tell(Kind::acknowledged, i.acknowledged);
      if (brief.state == State::mitigated) tell(Kind::mitigated, i.mitigated);
      if (brief.state == State::resolved) tell(Kind::resolved, brief.resolved);
    }
    told[i.key][i.opened.ns] = present;
  }
  m.told = std::move(told);
  return out;
}

IncidentBook::Events IncidentBook::events() const {
  impl_->refold();
  Events out;
  for (const IncidentEvent* event : impl_->order) out.push_back(*event);
  return out;
}

const IncidentBook::Counters& IncidentBook::counters() const noexcept {
  impl_->counters.refolds = impl_->refolds;
  return impl_->counters;
}

IncidentBook::Stats IncidentBook::stats(WallTime now) const {
  Stats out;
  const auto all = impl_->roots();
  out.events = impl_->events.size();
  out.bytes = impl_->bytes;
  out.incidents = all.size();
  for (const size_t at : all) {
    out.open += impl_->fold.brief(at, now).state != State::resolved ? 1U : 0U;
  }
  out.observed = impl_->locals.size();
  for (const auto& [key, local] : impl_->locals) out.waiting += local.waiting ? 1U : 0U;
  out.orphans =
      static_cast<size_t>(std::count(impl_->placed.begin(), impl_->placed.end(), Impl::kNone));
  return out;
}

}  // namespace nines::incident
