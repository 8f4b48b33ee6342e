// NodeTime: how far the clock of another node is from this one's, where what both saw is laid
// together. Plain values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::agent::incident {

struct NodeTime {
  std::string node;
  int64_t ahead_ns = 0;              // its clock - this node's; 0 where it is not known
  std::optional<int64_t> unsure_ns;  // the truth is within ± of it; none: nothing is known
};

// Surer than this, lines of two nodes are put in order by their times. Where it is less sure, what
// a service of the one called on the other is not concluded from them.
inline constexpr int64_t kSureNs = 100 * kNsPerMs;
// Clocks that are further apart do not make a question wider.
inline constexpr int64_t kMostAheadNs = 300 * kNsPerSecond;

inline bool is_unsure(const NodeTime& time) noexcept {
  return time.unsure_ns && *time.unsure_ns > kSureNs;
}
// How much wider a question must be for all of them to tell what belongs to it.
int64_t widest_ahead(const std::vector<NodeTime>& times);

// "b is 7.0 s ahead, c is 4.0 s behind, d may be off by 1.2 s, e is not known": who is corrected,
// who is not sure, of whom nothing is known. Empty: all agree.
std::string tell_clocks(const std::vector<NodeTime>& times);

}  // namespace nines::agent::incident
