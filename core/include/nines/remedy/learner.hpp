// Learner: which action resolves which signature, and how sure that is.
//
// An action is proven on a signature when all of this holds; anything less, but better than even,
// is a suggestion for people:
//   1. it was judged there `proven_n` times, and Wilson's lower bound of its success is at least
//      `proven_low`;
//   2. incidents of the same severity, whatever was done about them, went well less often: the
//      exact test over severities (mid-p) at a false-discovery rate of `false_discovery` among all
//      pairs of enough records. Severity decides both how hard an incident is and what people do.
//      What is proven leaves the pool, and the others are tested again;
//   3. so did those of the same signature where something else, or nothing, was done: there are
//      `others_n` of them, the weighted difference is `least_gain`, its p at most `others_p`.
//      Without this an incident that goes away by itself would prove whatever was tried.
//
// Signatures have levels (signature.hpp). An action that was judged often enough at a finer one,
// and beside enough of other actions, is a pair of that one; else its records count at the next
// coarser one. So every record is in one pair, and a signature is as fine as there is to learn
// from.
//
// Incremental: a record costs a few map look-ups; learn() reads the counts, not the records. The
// counts are sums, so that the same set of records gives the same rules on every node. Bounded by
// the history and kMaxPairs; not thread-safe; no clock.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nines/remedy/history.hpp"
#include "nines/remedy/statistics.hpp"

namespace nines::remedy {

struct LearnRules {
  uint64_t proven_n = 7;
  double proven_low = 0.4;
  double false_discovery = 0.05;
  uint64_t others_n = 4;
  double least_gain = 0.2;
  double others_p = 0.1;
  uint64_t suggested_n = 5;  // and more than half of them went well
};

enum class Standing : uint8_t { proven, suggested };
std::string_view standing_name(Standing standing) noexcept;

struct Lesson {
  std::string signature;
  Action action;
  Standing standing = Standing::suggested;
  uint64_t good = 0, n = 0;
  Interval success{};          // Wilson, 95 %
  double gain = 0;             // over other things done there; NaN: nothing to compare with
  double p = 1, adjusted = 1;  // of 2.
  std::string against;         // why it is not proven; empty: it is
};

class Learner {
 public:
  static constexpr size_t kMaxPairs = 4096;
  explicit Learner(LearnRules rules = {}) : rules_(rules) {}

  // Of a history that grows: what comes in, and what History::merge() says is gone.
  void add(const Record& record);
  void remove(const Record& record);
  // Proven ones first, by their lower bound, then by signature and action.
  std::vector<Lesson> learn() const;
  // What is known of one pair, whether it is enough for a lesson or not; `adjusted` is not said.
  // nullopt: it was never done there.
  // With all that is finer.
  std::optional<Lesson> about(const std::string& signature, const Action& action) const;
  uint64_t refused() const noexcept { return refused_; }  // records of pairs beyond kMaxPairs

 private:
  static constexpr size_t kSeverities = 4;
  struct Counts {
    std::array<uint64_t, kSeverities> good{}, bad{};
    uint64_t goods() const noexcept;
    uint64_t n() const noexcept;
    void merge(const Counts& other) noexcept;
    void subtract(const Counts& other) noexcept;
    void count(const Record& record, bool in) noexcept;
  };
  using Pair = std::pair<std::string, Action>;
  // Against all of `pool`, of which `ours` may be a part.
  using Pairs = std::map<Pair, Counts>;
  static MantelHaenszel compared(const Counts& ours, const Counts& pool, bool part);
  Counts all_of(const Pair& pair) const;
  bool has_enough(const Pair& pair, const Counts& counts) const;
  Pairs backed_off() const;
  Lesson described(const Pair& pair, const Counts& counts) const;
  void judge(Lesson& lesson, const Counts& ours) const;
  std::vector<Lesson> described(const Pairs& pairs) const;
  bool prove(const Pairs& pairs, std::vector<Lesson>& lessons) const;

  LearnRules rules_;
  Pairs pairs_;                                            // of the finest signatures
  std::map<std::string, Counts, std::less<>> signatures_;  // with all that is finer
  Counts all_;
  uint64_t refused_ = 0;
};

}  // namespace nines::remedy
