// Incidents of a made-up company in which it is known what helps: 1,000 of 40 signatures and 8
// actions; 12 pairs work. Mild incidents go away by themselves more often, and people do other
// things about them than about grave ones, so that severity confounds; `moods` makes some
// signatures easier than others, whatever is done.
#pragma once

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "nines/remedy/learner.hpp"

namespace nines::remedy::testing {

class Dice {  // SplitMix64
 public:
  explicit Dice(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  size_t below(size_t n) { return static_cast<size_t>(next() % n); }
  double bell() {  // about normal, variance 1
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += unit();
    return sum;
  }

 private:
  uint64_t state_;
};

struct World {
  int incidents = 1000;
  size_t signatures = 40, actions = 8, planted = 12;
  double habit = 0.45;  // share of incidents of a signature about which the usual thing is done
  double moods = 0;     // deviation between signatures, in logits
  double works = 0.9;   // success of what works
};

struct Planted {
  std::vector<Record> records;
  std::set<std::pair<std::string, Action>> truth;
};

inline Action nth_action(size_t i) { return {Verb::program, "p" + std::to_string(i)}; }

inline Planted plant(uint64_t seed, const World& world = {}) {
  Dice dice(seed);
  Planted out;
  std::vector<size_t> habit;
  std::vector<double> mood, gravity;
  for (size_t s = 0; s < world.signatures; ++s) {
    habit.push_back(dice.below(world.actions));
    mood.push_back(world.moods * dice.bell());
    gravity.push_back(dice.unit());
    if (s < world.planted) out.truth.emplace("s" + std::to_string(s), nth_action(habit[s]));
  }
  constexpr double kBase[] = {0.10, 0.20, 0.35, 0.50};  // P0..P3
  for (int i = 0; i < world.incidents; ++i) {
    const size_t s = dice.below(world.signatures);
    const bool mild = dice.unit() > gravity[s];
    const int severity = static_cast<int>(dice.below(2)) + (mild ? 2 : 0);
    const size_t half = world.actions / 2;
    size_t action = dice.below(half) + ((dice.unit() < 0.8) == mild ? 0 : half);
    if (dice.unit() < world.habit) action = habit[s];
    const double base = kBase[severity];
    const double shifted = 1 / (1 + std::exp(-std::log(base / (1 - base)) - mood[s]));
    Record r;
    r.signature = "s" + std::to_string(s);
    r.action = nth_action(action);
    const bool works = out.truth.contains({r.signature, r.action});
    r.id = std::to_string(i);
    r.at = WallTime::from_s(1'700'000'000 + i * 3600);
    r.judged = WallTime::from_s(1'700'003'600 + i * 3600);
    r.severity = severity;
    r.outcome = dice.unit() < (works ? world.works : shifted) ? Outcome::resolved : Outcome::failed;
    r.recover_s = 60 + static_cast<int64_t>(dice.below(3000));
    r.censored = r.outcome == Outcome::failed;
    out.records.push_back(std::move(r));
  }
  return out;
}

struct Score {
  int seeds = 0;
  double right = 0, wrong = 0, planted = 0;
  double precision() const { return right + wrong > 0 ? right / (right + wrong) : 1; }
  double recall() const { return planted > 0 ? right / planted : 0; }
  double wrong_a_seed() const { return wrong / seeds; }
};

// `naive`: more than half of five or more went well.
inline Score score(uint64_t first, int seeds, const World& world, const LearnRules& rules = {},
                   bool naive = false) {
  Score out;
  out.seeds = seeds;
  for (int i = 0; i < seeds; ++i) {
    const Planted planted = plant(first + static_cast<uint64_t>(i), world);
    Learner learner(rules);
    for (const Record& r : planted.records) learner.add(r);
    for (const Lesson& lesson : learner.learn()) {
      const bool taken =
          lesson.standing == Standing::proven || (naive && lesson.good * 2 > lesson.n);
      if (!taken) continue;
      (planted.truth.contains({lesson.signature, lesson.action}) ? out.right : out.wrong) += 1;
    }
    out.planted += static_cast<double>(planted.truth.size());
  }
  return out;
}

}  // namespace nines::remedy::testing
