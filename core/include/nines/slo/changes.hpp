// Changes: what was done to a service, by whom and when. One entry of the log is written once and
// never altered; what came of it is another entry. Kept by the store, shown beside the numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/spec.hpp"

namespace nines::slo {

enum class ChangeKind : uint8_t {
  deploy,
  migration,
  exclusion,
  override,       // of a gate: opened, taken back, or run out
  target_change,  // the next three: told by the agent when the configuration changed
  sli_change,
  policy_change,
  manual_action,  // toil: what a person did by hand
  note,
  budget_step,    // told by the agent: an SLO entered another step of its error-budget policy
  release_watch,  // told by the agent: what the watch after a deploy has found
};
std::string_view change_kind_name(ChangeKind) noexcept;
std::optional<ChangeKind> change_kind_of(std::string_view name) noexcept;
// What people and pipelines may write; the others are the agent's own.
bool is_annotation(ChangeKind) noexcept;

using Details = std::vector<std::pair<std::string, std::string>>;

struct Change {
  uint64_t id = 0;        // given by the store: 1, 2, 3...
  WallTime at{};          // when it took effect
  WallTime from{}, to{};  // of what lasts (a migration); zero: a moment
  ChangeKind kind = ChangeKind::note;
  std::string service, slo;  // at most one may be empty for most kinds; both: the node
  std::string who, text;
  Details details;
  const std::string* detail(std::string_view key) const noexcept;
  friend bool operator==(const Change&, const Change&) = default;
};

struct ChangeLimits {
  size_t max_name = 253, max_text = 1000;  // bytes
  size_t max_details = 32, max_key = 64, max_value = 512;
  int64_t max_past_s = 92 * 86400;  // what counts are kept for
  int64_t max_future_s = 60;        // of `at`; from and to may lie a year ahead
};
// Sizes, no control characters, times that can be meant. The message says which.
Status check_change(const Change& change, WallTime now, const ChangeLimits& limits = {});

// Everything of a spec that changes a verdict, one text a key ("target", "window", "sli",
// "alert.fast", "gate.levels"...), in a fixed order. Two specs with equal descriptions judge alike.
Details describe_spec(const SloSpec& spec);
// The entries that tell how `spec` differs from `before`: one target_change, one sli_change, one
// policy_change, one exclusion at most, with "key" -> "old -> new" as details. Empty: nothing
// changed.
std::vector<Change> changes_between(const SloSpec& spec, const Details& before, WallTime at);
std::string encode_details(const Details& details);  // "key\tvalue\n"...
Details decode_details(std::string_view text);

// The same manual actions, however they differ in case, digits and spaces: "Restarted pod web-3"
// and "restarted pod web-17" are one.
struct ToilItem {
  std::string text;  // of the newest
  std::string service;
  int64_t times = 0, minutes = 0;  // minutes: the sum of their detail "minutes", where given
  WallTime first{}, last{};
};
std::vector<ToilItem> toil_inventory(const std::vector<Change>& changes);  // most often first

}  // namespace nines::slo
