#include "nines/incident/request_flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <unordered_map>
#include <utility>

#include "incident/excess.hpp"
#include "incident/hash.hpp"
#include "nines/base/contract.hpp"

namespace nines::incident {
namespace {

constexpr int64_t kMinuteNs = 60 * kNsPerSecond;
constexpr size_t kRing = 8;  // minutes: those of the guard, the one that runs, and late lines
constexpr size_t kMostOfRequest = 512;  // lines; more are a batch, not a request
constexpr double kLeastSlower = 0.4;    // of logarithms: half as long again
constexpr double kExplained = 0.6;      // of a changed path where a service fell silent

uint64_t hash_text(std::string_view text) noexcept {
  uint64_t hash = 0x9e3779b97f4a7c15ULL;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return mix(hash, text.size());
}

// What shares are of.
enum class Of : uint8_t {
  lines,      // a line of a service: what comes next
  continued,  // the same, where its service goes on without an error: who speaks in between
  visits,     // requests that come by a service: which of them see an error
  hops,       // a line of a service: the next line of the request, and how long until then
};

struct Trial {
  Of of = Of::lines;
  ServiceId service = 0;
  TemplateId line = 0;
  std::array<uint32_t, kRing> now{};
  double count = 0, minutes = 0;  // baseline
};

struct Outcome {
  uint32_t trial = 0;
  uint64_t value = 0;   // lines: the next, continued: a service, visits: the error, hops: a hash
  TemplateId next = 0;  // hops, with its service
  ServiceId next_service = 0;
  std::array<uint32_t, kRing> now{};
  std::array<float, kRing> logs{};  // hops: sums of the logarithms of seconds
  double hits = 0, squares = 0;     // baseline
  double log_sum = 0, log_squares = 0, log_minutes = 0;
};

uint64_t key_of(Of of, ServiceId service, TemplateId line) noexcept {
  return mix(mix(static_cast<uint64_t>(of) + 1, service), line);
}

struct Line {
  int64_t at = 0;
  uint64_t span = 0;
  ServiceId service = 0;
  TemplateId line = 0;
  bool error = false;
};

struct Request {
  uint64_t id = 0;
  int64_t last = 0;
  std::vector<Line> lines;
};

template <class Ring>
double sum_of(const Ring& ring, int64_t last, int64_t minutes) noexcept {
  double sum = 0;
  for (int64_t i = 0; i <= minutes && i <= last; ++i) {
    sum += ring[static_cast<size_t>(last - i) % kRing];
  }
  return sum;
}

}  // namespace

struct RequestFlow::Impl {
  explicit Impl(FlowLimits given)
      : limits(given), decay(std::exp2(-1.0 / std::max(1.0, given.half_life_minutes))) {
    NINES_ASSERT(limits.guard_minutes + 2 <= static_cast<int64_t>(kRing));
  }

  void add(const FlowLine& line);
  void digest(Request& request);
  void step(const std::vector<Line>& lines, size_t from, size_t to);
  void calls(const std::vector<Line>& lines, const std::vector<size_t>& next);
  void end_minute(bool learn);
  void fold(size_t slot);
  uint32_t trial(Of of, ServiceId service, TemplateId line, int64_t at);
  Outcome* outcome(uint32_t trial, uint64_t value, int64_t at);
  size_t slot_of(int64_t at) const noexcept;
  void close_before(int64_t until);

  FlowLimits limits;
  double decay;
  int64_t minute = -1;  // that runs
  std::array<bool, kRing> learnt{};
  std::vector<Trial> trials;
  std::vector<Outcome> outcomes;
  std::unordered_map<uint64_t, uint32_t> trial_at, outcome_at;
  std::unordered_map<uint64_t, Request> open;
  std::map<std::pair<int64_t, uint64_t>, uint64_t> by_last;  // (last, id) -> id
  size_t waiting = 0;                                        // lines of open requests
  Stats stats;
};

constexpr uint32_t kNone = UINT32_MAX;

// Lines that are too old for the ring are not counted.
size_t RequestFlow::Impl::slot_of(int64_t at) const noexcept {
  const int64_t of = std::min(at / kMinuteNs, minute);
  if (of < 0 || minute - of > limits.guard_minutes) return kRing;
  return static_cast<size_t>(of) % kRing;
}

uint32_t RequestFlow::Impl::trial(Of of, ServiceId service, TemplateId line, int64_t at) {
  const size_t slot = slot_of(at);
  if (slot == kRing) return kNone;
  const uint64_t key = key_of(of, service, line);
  auto it = trial_at.find(key);
  if (it == trial_at.end()) {
    if (trials.size() >= limits.max_trials) {
      ++stats.left_out;
      return kNone;
    }
    it = trial_at.emplace(key, static_cast<uint32_t>(trials.size())).first;
    Trial fresh;
    fresh.of = of;
    fresh.service = service;
    fresh.line = line;
    trials.push_back(fresh);
  }
  ++trials[it->second].now[slot];
  return it->second;
}

Outcome* RequestFlow::Impl::outcome(uint32_t trial, uint64_t value, int64_t at) {
  if (trial == kNone) return nullptr;
  const uint64_t key = mix(mix(0x5851f42d4c957f2dULL, trial), value);
  auto it = outcome_at.find(key);
  if (it == outcome_at.end()) {
    if (outcomes.size() >= limits.max_outcomes) {
      ++stats.left_out;
      return nullptr;
    }
    it = outcome_at.emplace(key, static_cast<uint32_t>(outcomes.size())).first;
    Outcome fresh;
    fresh.trial = trial;
    fresh.value = value;
    outcomes.push_back(fresh);
  }
  Outcome& out = outcomes[it->second];
  ++out.now[slot_of(at)];
  return &out;
}

void RequestFlow::Impl::add(const FlowLine& line) {
  if (line.request.empty()) return;
  ++stats.lines;
  const uint64_t id = hash_text(line.request);
  Request& request = open[id];
  if (request.lines.empty()) {
    request.id = id;
    request.last = line.at.ns;
  } else {
    by_last.erase({request.last, id});
    request.last = std::max(request.last, line.at.ns);
  }
  by_last.emplace(std::pair{request.last, id}, id);
  if (request.lines.size() < kMostOfRequest) {
    request.lines.push_back({line.at.ns, line.span, line.service, line.line, line.error});
    ++waiting;
  } else {
    ++stats.cut_short;
  }
  while (waiting > limits.max_lines) {
    ++stats.cut_short;
    close_before(by_last.begin()->first.first + 1);
  }
}

// Requests of which nothing was heard since.
void RequestFlow::Impl::close_before(int64_t until) {
  while (!by_last.empty() && by_last.begin()->first.first < until) {
    const auto it = open.find(by_last.begin()->second);
    by_last.erase(by_last.begin());
    digest(it->second);
    waiting -= it->second.lines.size();
    open.erase(it);
  }
}

// Lines of several services come in any order; within one they keep theirs.
void RequestFlow::Impl::digest(Request& request) {
  std::vector<Line>& lines = request.lines;
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.at < b.at; });
  ++stats.requests;
  std::vector<ServiceId> seen;
  std::vector<size_t> following(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    size_t next = i + 1;
    while (next < lines.size() &&
           (lines[next].service != line.service || lines[next].span != line.span)) {
      ++next;
    }
    step(lines, i, next);
    following[i] = next;
    if (std::find(seen.begin(), seen.end(), line.service) == seen.end()) {
      seen.push_back(line.service);
      const uint32_t visits = trial(Of::visits, line.service, 0, line.at);
      std::vector<TemplateId> errors;
      for (const Line& other : lines) {
        if (!other.error || other.service != line.service) continue;
        if (std::find(errors.begin(), errors.end(), other.line) != errors.end()) continue;
        errors.push_back(other.line);
        outcome(visits, other.line, line.at);
      }
    }
  }
  calls(lines, following);
}

// From a line to the next of its service, or to none.
void RequestFlow::Impl::step(const std::vector<Line>& lines, size_t from, size_t to) {
  const Line& line = lines[from];
  const bool ended = to == lines.size();
  outcome(trial(Of::lines, line.service, line.line, line.at), ended ? 0 : lines[to].line, line.at);
  if (!ended && !lines[to].error) trial(Of::continued, line.service, line.line, line.at);
  if (from + 1 == lines.size()) return;
  const Line& next = lines[from + 1];
  Outcome* const hop = outcome(trial(Of::hops, line.service, line.line, line.at),
                               mix(next.service, next.line), line.at);
  if (hop == nullptr) return;
  hop->next = next.line;
  hop->next_service = next.service;
  const double seconds = static_cast<double>(next.at - line.at) / 1e9;
  hop->logs[slot_of(line.at)] += static_cast<float>(std::log(std::max(seconds, 1e-4)));
}

// Who called whom: a line belongs to the innermost pair of lines of another service that it stands
// between, as calls are nested. `next`: of each line the next of its service.
void RequestFlow::Impl::calls(const std::vector<Line>& lines, const std::vector<size_t>& next) {
  std::vector<std::pair<size_t, ServiceId>> told;
  for (size_t i = 1; i < lines.size(); ++i) {
    size_t from = i;
    while (from-- > 0) {
      if (next[from] > i && next[from] < lines.size() && lines[from].service != lines[i].service) {
        break;
      }
    }
    if (from == SIZE_MAX || lines[next[from]].error) continue;
    const std::pair call{from, lines[i].service};
    if (std::find(told.begin(), told.end(), call) != told.end()) continue;
    told.push_back(call);
    const Line& line = lines[from];
    const auto it = trial_at.find(key_of(Of::continued, line.service, line.line));
    if (it != trial_at.end() && slot_of(line.at) != kRing) {
      outcome(it->second, lines[i].service, line.at);
    }
  }
}

// The minute that leaves the guard becomes part of the baseline.
void RequestFlow::Impl::fold(size_t slot) {
  for (Outcome& outcome : outcomes) {
    const double of = trials[outcome.trial].now[slot];
    const double hits = outcome.now[slot];
    if (of <= 0) continue;
    outcome.hits = outcome.hits * decay + hits;
    outcome.squares = outcome.squares * decay + hits * hits / of;
    if (trials[outcome.trial].of != Of::hops) continue;
    // Forgotten along with the hits that they are of, also in minutes without any.
    const double logs = outcome.logs[slot];
    outcome.log_sum = outcome.log_sum * decay + logs;
    outcome.log_squares = outcome.log_squares * decay + (hits > 0 ? logs * logs / hits : 0);
    outcome.log_minutes = outcome.log_minutes * decay + (hits > 0 ? 1 : 0);
  }
  for (Trial& trial : trials) {
    if (trial.now[slot] == 0) continue;
    trial.count = trial.count * decay + trial.now[slot];
    trial.minutes = trial.minutes * decay + 1;
  }
}

void RequestFlow::Impl::end_minute(bool learn) {
  learnt[static_cast<size_t>(minute) % kRing] = learn;
  ++minute;
  const int64_t leaves = minute - limits.guard_minutes - 1;
  if (leaves >= 0) {
    const size_t slot = static_cast<size_t>(leaves) % kRing;
    if (learnt[slot]) fold(slot);
    for (Trial& trial : trials) trial.now[slot] = 0;
    for (Outcome& outcome : outcomes) {
      outcome.now[slot] = 0;
      outcome.logs[slot] = 0;
    }
    learnt[slot] = false;
  }
}

RequestFlow::RequestFlow(FlowLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestFlow::~RequestFlow() = default;

void RequestFlow::add(const FlowLine& line) { impl_->add(line); }

void RequestFlow::advance(WallTime now, bool learn) {
  const int64_t minute = now.ns / kMinuteNs;
  if (impl_->minute < 0) impl_->minute = minute;
  // A jump leaves nothing of what the ring holds.
  if (minute - impl_->minute > static_cast<int64_t>(2 * kRing)) {
    impl_->close_before(INT64_MAX);
    for (size_t i = 0; i < kRing; ++i) impl_->end_minute(learn);
    impl_->minute = minute;
  }
  while (impl_->minute < minute) {
    impl_->close_before((impl_->minute + 1) * kMinuteNs - impl_->limits.idle_ns);
    impl_->end_minute(learn);
  }
  impl_->close_before(now.ns - impl_->limits.idle_ns);
}

namespace {

// Whether it takes longer until the next line comes: the mean of logarithms against those of the
// baseline's minutes, whose spread around their mean is the measure.
double slower(const Outcome& outcome, double hits, double logs) noexcept {
  constexpr double kPriorSpread = 1, kPriorMinutes = 4;
  if (hits < 3 || outcome.hits < 5) return 0;
  const double mean = logs / hits, before = outcome.log_sum / outcome.hits;
  if (mean - before < kLeastSlower) return 0;
  const double between =
      std::max(0.0, outcome.log_squares - outcome.log_sum * outcome.log_sum / outcome.hits);
  const double spread = (between + kPriorSpread * kPriorSpread * kPriorMinutes) /
                        (std::max(0.0, outcome.log_minutes - 1) + kPriorMinutes);
  return hits * (mean - before) * (mean - before) / (spread * (1 + hits / outcome.hits));
}

using Best = std::map<std::pair<FlowFinding::Kind, ServiceId>, FlowFinding>;

std::vector<FlowFinding> strongest_first(const Best& best) {
  std::vector<FlowFinding> found;
  for (const auto& [key, finding] : best) found.push_back(finding);
  std::stable_sort(found.begin(), found.end(),
                   [](const FlowFinding& a, const FlowFinding& b) { return a.score > b.score; });
  return found;
}

}  // namespace

std::vector<FlowFinding> RequestFlow::findings(int64_t minutes) const {
  NINES_ASSERT(minutes <= impl_->limits.guard_minutes);
  using Kind = FlowFinding::Kind;
  const std::vector<Trial>& trials = impl_->trials;
  std::vector<double> of(trials.size());
  for (size_t i = 0; i < of.size(); ++i) of[i] = sum_of(trials[i].now, impl_->minute, minutes);

  Best best;
  const auto put = [&](const FlowFinding& finding) {
    if (!(finding.score > 0)) return;
    FlowFinding& known = best[{finding.kind, finding.service}];
    if (finding.score > known.score) known = finding;
  };
  std::map<std::pair<ServiceId, TemplateId>, double> fell_silent;  // by the line before
  const auto consider = [&](const Outcome& outcome) {
    const Trial& trial = trials[outcome.trial];
    const double n = of[outcome.trial];
    if (n == 0 || trial.count == 0) return;
    const double hits = sum_of(outcome.now, impl_->minute, minutes);
    const ShareBaseline base{outcome.hits, trial.count, outcome.squares, trial.minutes};
    FlowFinding finding;
    finding.service = trial.service;
    finding.line = trial.line;
    finding.hits = static_cast<uint64_t>(hits);
    finding.of = static_cast<uint64_t>(n);
    finding.hits_before = base.hits;
    finding.of_before = base.of;
    finding.score = excess(hits, n, base);
    const bool more = hits / n > base.hits / base.of;
    if (trial.of == Of::visits) {
      finding.kind = Kind::error;
      finding.line = outcome.value;
      if (more) put(finding);
    } else if (trial.of == Of::continued) {
      if (more) return;
      finding.kind = Kind::silent;
      finding.caller = trial.service;
      finding.service = static_cast<ServiceId>(outcome.value);
      put(finding);
      double& silent = fell_silent[{trial.service, trial.line}];
      silent = std::max(silent, finding.score);
    } else if (trial.of == Of::hops) {
      const double logs = sum_of(outcome.logs, impl_->minute, minutes);
      finding.kind = Kind::slow;
      finding.next = outcome.next;
      finding.caller = outcome.next_service;
      finding.score = slower(outcome, hits, logs);
      if (finding.score == 0) return;
      finding.seconds = std::exp(logs / hits);
      finding.seconds_before = std::exp(outcome.log_sum / outcome.hits);
      put(finding);
    } else {
      finding.next = outcome.value;
      const auto explained = fell_silent.find({trial.service, trial.line});
      if (explained != fell_silent.end() && explained->second > finding.score / 2) {
        finding.score *= kExplained;
      }
      put(finding);
    }
  };
  // Who fell silent is known before paths are weighed.
  for (const Outcome& outcome : impl_->outcomes) {
    if (trials[outcome.trial].of == Of::continued) consider(outcome);
  }
  for (const Outcome& outcome : impl_->outcomes) {
    if (trials[outcome.trial].of != Of::continued) consider(outcome);
  }
  return strongest_first(best);
}

// Sums of both are those of one; squares are too small then, which makes it waver less than it may.
void RequestFlow::merge(TemplateId from, TemplateId to) {
  Impl& impl = *impl_;
  std::vector<Trial> trials = std::exchange(impl.trials, {});
  std::vector<Outcome> outcomes = std::exchange(impl.outcomes, {});
  impl.trial_at.clear();
  impl.outcome_at.clear();
  const auto renamed = [&](TemplateId id) { return id == from ? to : id; };
  std::vector<uint32_t> moved(trials.size());
  for (size_t i = 0; i < trials.size(); ++i) {
    Trial& trial = trials[i];
    trial.line = renamed(trial.line);
    const uint64_t key = mix(mix(static_cast<uint64_t>(trial.of) + 1, trial.service), trial.line);
    const auto [it, fresh] = impl.trial_at.emplace(key, static_cast<uint32_t>(impl.trials.size()));
    moved[i] = it->second;
    if (fresh) {
      impl.trials.push_back(trial);
      continue;
    }
    Trial& known = impl.trials[it->second];
    for (size_t m = 0; m < kRing; ++m) known.now[m] += trial.now[m];
    known.count += trial.count;
    known.minutes = std::max(known.minutes, trial.minutes);
  }
  for (Outcome& outcome : outcomes) {
    const Of of = trials[outcome.trial].of;
    outcome.trial = moved[outcome.trial];
    if (of == Of::lines || of == Of::visits) outcome.value = renamed(outcome.value);
    outcome.next = renamed(outcome.next);
    const uint64_t key = mix(mix(0x5851f42d4c957f2dULL, outcome.trial), outcome.value);
    const auto [it, fresh] =
        impl.outcome_at.emplace(key, static_cast<uint32_t>(impl.outcomes.size()));
    if (fresh) {
      impl.outcomes.push_back(outcome);
      continue;
    }
    Outcome& known = impl.outcomes[it->second];
    for (size_t m = 0; m < kRing; ++m) {
      known.now[m] += outcome.now[m];
      known.logs[m] += outcome.logs[m];
    }
    known.hits += outcome.hits;
    known.squares += outcome.squares;
    known.log_sum += outcome.log_sum;
    known.log_squares += outcome.log_squares;
    known.log_minutes = std::max(known.log_minutes, outcome.log_minutes);
  }
  for (auto& [id, request] : impl.open) {
    for (Line& line : request.lines) line.line = renamed(line.line);
  }
}

RequestFlow::Stats RequestFlow::stats() const noexcept {
  Stats stats = impl_->stats;
  stats.trials = impl_->trials.size();
  stats.outcomes = impl_->outcomes.size();
  stats.memory_bytes = impl_->trials.capacity() * sizeof(Trial) +
                       impl_->outcomes.capacity() * sizeof(Outcome) +
                       (impl_->trial_at.size() + impl_->outcome_at.size()) * 40 +
                       impl_->waiting * sizeof(Line) + impl_->open.size() * 160;
  return stats;
}

}  // namespace nines::incident
