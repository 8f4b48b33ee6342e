#include "nines/remedy/learner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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
  signatures_[r.signature].count(r, true);
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
  const auto signature = signatures_.find(r.signature);
  signature->second.count(r, false);
  if (found->second.n() == 0) pairs_.erase(found);
  if (signature->second.n() == 0) signatures_.erase(signature);
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
  const Counts& there = signatures_.find(lesson.signature)->second;
  const uint64_t others = there.n() - lesson.n;
  const MantelHaenszel test = compared(ours, there, true);
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

std::vector<Lesson> Learner::described() const {
  std::vector<Lesson> lessons;
  for (const auto& [key, counts] : pairs_) {
    Lesson one;
    one.signature = key.first;
    one.action = key.second;
    one.n = counts.n();
    one.good = counts.goods();
    // Which pairs are tested depends on how often, never on how well it went.
    const bool enough = one.n >= std::min(rules_.proven_n, rules_.suggested_n);
    if (key.second.verb == Verb::nothing || !enough) continue;
    one.success = wilson(one.good, one.n);
    judge(one, counts);
    lessons.push_back(std::move(one));
  }
  return lessons;
}

// One round; true: there are more proven ones than before.
bool Learner::prove(std::vector<Lesson>& lessons) const {
  Counts pool = all_;
  std::vector<Lesson*> tested;
  const auto counts_of = [&](const Lesson& one) -> const Counts& {
    return pairs_.find(Pair{one.signature, one.action})->second;
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
  std::vector<Lesson> lessons = described();
  // What is proven is no measure of how such incidents go otherwise: the others are compared again
  // without it. Ends, since a round without a new one is the last.
  while (prove(lessons)) {
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
