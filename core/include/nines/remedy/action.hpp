// Action: what may be done against an incident: a verb with typed arguments, never a shell string.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nines::remedy {

// Numbers are stored and sent: never reuse one.
enum class Verb : uint8_t {
  nothing = 0,  // it was left alone: what everything else is compared with
  other = 1,    // something that a person did and no executor knows
  evict_pod = 2,
  delete_pod = 3,
  rollout_restart = 4,
  rollout_undo = 5,
  scale_up = 6,
  scale_down = 7,
  cordon = 8,
  uncordon = 9,
  unit_restart = 10,  // systemd
  unit_start = 11,
  unit_stop = 12,
  program = 13,  // of an allow-list, by execve
  webhook = 14,
  lambda = 15,
};
inline constexpr size_t kVerbs = 16;
std::string_view verb_name(Verb verb) noexcept;  // "rollout-restart"
std::optional<Verb> verb_of(std::string_view name) noexcept;

// What undoes it; nullopt: nothing does.
std::optional<Verb> inverse_of(Verb verb) noexcept;
// Whether doing the one after the other on one target is a to and fro: inverses, and a restart or
// an undone rollout after one another.
bool opposes(Verb a, Verb b) noexcept;

enum class Reach : uint8_t {
  reversible,    // has an inverse
  restorative,   // what it takes away is made anew by whoever keeps it running
  irreversible,  // never without a person
};
Reach reach_of(Verb verb) noexcept;

// How much is hit at once; narrower ones go first.
enum class Scope : uint8_t { pod, unit, workload, node, outside };
Scope scope_of(Verb verb) noexcept;

// What was or would be done, without the object: what is learned.
struct Action {
  Verb verb = Verb::nothing;
  std::string parameter;  // name of a program, hook or function; of `other` its words
  std::string key() const;
  static std::optional<Action> of_key(std::string_view key);
  friend auto operator<=>(const Action&, const Action&) = default;
};
inline constexpr size_t kMaxParameter = 96;

// What a note of a person means ("kubectl rollout undo deployment/api", "restarted the worker"). A
// text that says nothing known is `other` with its words, digits and signs left out, so that the
// same sentence about another pod is the same action.
Action action_of_text(std::string_view text);

}  // namespace nines::remedy
