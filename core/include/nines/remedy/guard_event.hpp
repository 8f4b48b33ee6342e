// GuardEvent: one fact about what rules may do and what was done, written once by one node and
// never altered. Events are a set that only grows, folded in a total order (guard.hpp), as those of
// incidents are: any order, repetition and partition ends in the same state.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/slo/changes.hpp"

namespace nines::remedy {

// Numbers are stored and sent: never reuse one.
enum class GuardKind : uint8_t {
  // details: action, signature, service. Begins anew, whatever it was; not what Nines drafts again
  // just as it is
  rule_drafted = 0,
  rule_shadowed = 1,  // life: details seen (demotions that the writer knew)
  rule_approved = 2,
  rule_armed = 3,    // it acts by itself
  rule_demoted = 4,  // to shadow; text: why
  rule_removed = 5,
  shadow_hit = 6,  // it would have acted
  approval = 7,    // a person allows one act; details: incident, target
  intent = 8,      // written before anything is done; details: see Act
  result = 9,      // details: act, outcome (ok, failed, not-done)
  verified = 10,   // details: act, verdict (good, bad)
  doubt = 11,      // looked at, and nobody can tell whether it was done (details: act), or, where
                   // that is known, whether it helped (details: act, of: verdict)
  settled = 12,    // a person has looked; details: act
  stop = 13,       // kill switch; details: source (file, config, person, trip)
  resume = 14,     // details: stops that are lifted, by uid: "1", "2"...
  unfreeze = 15,   // details: target
};
inline constexpr size_t kGuardKinds = 16;
std::string_view guard_kind_name(GuardKind kind) noexcept;
// Whether the ledger of a lease may carry it: what was done, and what forbids or lifts that. Never
// what lets a rule act: whoever may write to a Lease is no person and no node of the fleet.
bool is_of_ledger(GuardKind kind) noexcept;

struct GuardEvent {
  std::string node;
  uint64_t boot = 0, sequence = 0;
  WallTime at{};     // by the clock of `node`
  WallTime after{};  // what it follows: it comes behind that, whatever its clock says
  GuardKind kind = GuardKind::shadow_hit;
  std::string rule;
  std::string who;  // empty: Nines
  std::string text;
  slo::Details details;

  std::string uid() const;  // "pi-1/7/12"
  WallTime order() const noexcept { return at < after ? after : at; }
  const std::string& detail(std::string_view name) const noexcept;  // empty: there is none
  friend bool operator==(const GuardEvent&, const GuardEvent&) = default;
};
bool comes_before(const GuardEvent& a, const GuardEvent& b) noexcept;

inline constexpr size_t kMaxGuardBytes = 1000;      // travels as one fleet event
inline constexpr size_t kMaxGuardName = 128;        // of a node, rule, target, person
void fit(GuardEvent& event);                        // cuts the text, then what is too long
std::string encode_guard(const GuardEvent& event);  // REQUIRES fit()
std::optional<GuardEvent> decode_guard(std::string_view bytes);

}  // namespace nines::remedy
