// Times that an SLO is not judged by, or pays for from a share of the budget set aside: planned
// maintenance, migrations. They are overlays read at evaluation time: the counts stay, taking an
// exclusion away brings them back, and the status shows both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/slo/calendar.hpp"

namespace nines::slo {

enum class ExclusionEffect : uint8_t {
  drop,     // good and bad events do not count
  reserve,  // bad events are paid from the reserved share of the budget first
};
std::string_view effect_name(ExclusionEffect) noexcept;  // drop, reserve

struct ExclusionSpec {
  std::string name, reason;
  ExclusionEffect effect = ExclusionEffect::drop;
  Interval once;                           // when there is no rule
  std::shared_ptr<const Recurrence> rule;  // immutable, shared by the SLOs of a policy
  std::string text;                        // as configured: "2026-03-01T22:00:00Z/..."
};

// The exclusions of one SLO, expanded as far as they are asked for. Edges are rounded outwards to
// whole minutes, which is how finely history is kept. Not thread-safe.
class Exclusions {
 public:
  explicit Exclusions(std::vector<ExclusionSpec> specs);

  bool any(ExclusionEffect effect) const noexcept;
  // Of the slot that begins at `at_s`; where both apply, drop.
  std::optional<ExclusionEffect> effect_at(int64_t at_s);
  // Seconds of [from_s, to_s) with that effect.
  int64_t seconds_within(ExclusionEffect effect, int64_t from_s, int64_t to_s);
  // Name of one that holds at `at_s`; empty: none.
  std::string_view name_at(int64_t at_s);

 private:
  struct Span {
    Interval at;
    size_t spec;
  };
  void prepare(int64_t from_s, int64_t to_s);
  void expand();

  std::vector<ExclusionSpec> specs_;
  int64_t low_s_ = 0, high_s_ = 0;   // expanded so far
  std::vector<Span> spans_;          // by start
  std::vector<Interval> merged_[2];  // per effect, disjoint, ascending; reserve without drop
};

}  // namespace nines::slo
