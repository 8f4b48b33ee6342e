#include "nines/remedy/learner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nines/remedy/signature.hpp"

namespace nines::remedy {

std::string_view standing_name(Standing standing) noexcept {
  return standing == Standing::proven ? "proven" : "suggested";
}

uint64_t Learner::Counts::goods() const noexcept {
  return std::accumulate(good.begin(), good.end(), uint64_t{0});
}

uint64_t Learner::Counts::n() const noexcept {
  return std::accumulate(bad.begin(), bad.end(), goods());
}

void Learner::Counts::count(const Record& r, bool in) noexcept {
  auto& of = r.outcome == Outcome::resolved ? good : bad;
  uint64_t& cell = of[static_cast<size_t>(std::clamp(r.severity, 0, 3))];
  cell = in ? cell + 1 : cell - 1;
}

void Learner::add(const Record& r) {
  if (r.outcome == Outcome::unknown) return;
  const Pair key{r.signature, r.action};
  if (pairs_.size() >= kMaxPairs && !pairs_.contains(key)) {
    ++refused_;
    return;
  }
  pairs_[key].count(r, true);
  for (std::string_view at = r.signature; !at.empty(); at = coarser(at)) {
    signatures_[std::string(at)].count(r, true);
  }
  all_.count(r, true);
}

void Learner::remove(const Record& r) {
  const auto found = pairs_.find(Pair{r.signature, r.action});
  if (r.outcome == Outcome::unknown || found == pairs_.end()) return;
  const auto& of = r.outcome == Outcome::resolved ? found->second.good : found->second.bad;
  // One that was refused was never counted.
  if (of[static_cast<size_t>(std::clamp(r.severity, 0, 3))] == 0) return;
  found->second.count(r, false);
  all_.count(r, false);
  if (found->second.n() == 0) pairs_.erase(found);
  for (std::string_view at = r.signature; !at.empty(); at = coarser(at)) {
    const auto signature = signatures_.find(at);
    signature->second.count(r, false);
    if (signature->second.n() == 0) signatures_.erase(signature);
  }
}

void Learner::Counts::merge(const Counts& other) noexcept {
  for (size_t s = 0; s < kSeverities; ++s) {
    good[s] += other.good[s];
    bad[s] += other.bad[s];
  }
}

// With all finer signatures.
Learner::Counts Learner::all_of(const Pair& pair) const {
  Counts out;
  for (auto it = pairs_.lower_bound(Pair{pair.first, {}});
       it != pairs_.end() && it->first.first.starts_with(pair.first); ++it) {
    const auto& [signature, action] = it->first;
    if (action == pair.second && covers(pair.first, signature)) out.merge(it->second);
  }
  return out;
}

// To be judged where it was done: often enough, and beside enough of something else.
bool Learner::has_enough(const Pair& pair, const Counts& counts) const {
  const uint64_t there = signatures_.find(pair.first)->second.n();
  return counts.n() >= rules_.proven_n && there - all_of(pair).n() >= rules_.others_n;
}

// Of a pair with too little the records count one level up, and so on. A coarser signature sorts
// before its finer ones, so going backwards every pair is whole before it is looked at.
Learner::Pairs Learner::backed_off() const {
  Pairs out = pairs_;
  for (auto it = out.end(); it != out.begin();) {
    --it;
    const std::string_view up = coarser(it->first.first);
    if (up.empty() || has_enough(it->first, it->second)) continue;
    out[Pair{std::string(up), it->first.second}].merge(it->second);
    it = out.erase(it);
  }
  return out;
}

void Learner::Counts::subtract(const Counts& other) noexcept {
  for (size_t s = 0; s < kSeverities; ++s) {
    good[s] -= other.good[s];
    bad[s] -= other.bad[s];
  }
}

MantelHaenszel Learner::compared(const Counts& ours, const Counts& pool, bool part) {
  Counts others = pool;
  if (part) others.subtract(ours);
  std::array<Table, kSeverities> strata;
  for (size_t s = 0; s < kSeverities; ++s) {
    strata[s] = {ours.good[s], ours.bad[s], others.good[s], others.bad[s]};
  }
  return mantel_haenszel(strata);
}

// What stands against it but for chance, which takes all pairs to know.
void Learner::judge(Lesson& lesson, const Counts& ours) const {
  Counts beside = signatures_.find(lesson.signature)->second;
  beside.subtract(all_of({lesson.signature, lesson.action}));
  const uint64_t others = beside.n();
  const MantelHaenszel test = compared(ours, beside, false);
  lesson.gain = test.risk_difference;
  if (lesson.n < rules_.proven_n) {
    lesson.against = "done " + std::to_string(lesson.n) + " times, " +
                     std::to_string(rules_.proven_n) + " are needed";
  } else if (lesson.success.low < rules_.proven_low) {
    lesson.against = "its success may be too low";
  } else if (others < rules_.others_n || std::isnan(lesson.gain)) {
    lesson.against = "hardly anything else was done there, so it may have gone away by itself";
  } else if (lesson.gain < rules_.least_gain || test.p_more_mid > rules_.others_p) {
    lesson.against = "whatever else was done there went about as well";
  }
}

Lesson Learner::described(const Pair& pair, const Counts& counts) const {
  Lesson one;
  one.signature = pair.first;
  one.action = pair.second;
  one.n = counts.n();
  one.good = counts.goods();
  one.success = wilson(one.good, one.n);
  judge(one, counts);
  return one;
}

std::vector<Lesson> Learner::described(const Pairs& pairs) const {
  std::vector<Lesson> lessons;
  for (const auto& [key, counts] : pairs) {
    // Which pairs are tested depends on how often, never on how well it went.
    const bool enough = counts.n() >= std::min(rules_.proven_n, rules_.suggested_n);
    if (key.second.verb != Verb::nothing && enough) lessons.push_back(described(key, counts));
  }
  return lessons;
}

std::optional<Lesson> Learner::about(const std::string& signature, const Action& action) const {
  const Counts counts = all_of({signature, action});
  if (counts.n() == 0) return std::nullopt;
  return described(Pair{signature, action}, counts);
}

// One round; true: there are more proven ones than before.
bool Learner::prove(const Pairs& pairs, std::vector<Lesson>& lessons) const {
  Counts pool = all_;
  std::vector<Lesson*> tested;
  const auto counts_of = [&](const Lesson& one) -> const Counts& {
    return pairs.find(Pair{one.signature, one.action})->second;
  };
  for (Lesson& one : lessons) {
    if (one.standing == Standing::proven) pool.subtract(counts_of(one));
    if (one.n >= rules_.proven_n) tested.push_back(&one);
  }
  std::vector<double> p;
  for (Lesson* one : tested) {
    const bool part = one->standing != Standing::proven;
    one->p = compared(counts_of(*one), pool, part).p_more_mid;
    p.push_back(one->p);
  }
  const std::vector<double> adjusted = benjamini_hochberg(p);
  bool more = false;
  for (size_t i = 0; i < tested.size(); ++i) {
    Lesson& one = *tested[i];
    one.adjusted = adjusted[i];
    const bool proven = one.against.empty() && one.adjusted <= rules_.false_discovery;
    more = more || (proven && one.standing != Standing::proven);
    if (proven) one.standing = Standing::proven;
  }
  return more;
}

std::vector<Lesson> Learner::learn() const {
  const Pairs pairs = backed_off();
  std::vector<Lesson> lessons = described(pairs);
  // What is proven is no measure of how such incidents go otherwise: the others are compared again
  // without it. Ends, since a round without a new one is the last.
  while (prove(pairs, lessons)) {
  }
  for (Lesson& one : lessons) {
    if (one.standing != Standing::proven && one.against.empty()) {
      one.against = "it may be chance: so many pairs were looked at";
    }
  }
  std::erase_if(lessons, [&](const Lesson& one) {
    return one.standing != Standing::proven &&
           (one.n < rules_.suggested_n || one.good * 2 <= one.n);
  });
  std::stable_sort(lessons.begin(), lessons.end(), [](const Lesson& a, const Lesson& b) {
    if (a.standing != b.standing) return a.standing < b.standing;
    return a.success.low > b.success.low;
  });
  return lessons;
}

}  // namespace nines::remedy
