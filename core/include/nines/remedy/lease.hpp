// Lease: the right to act on what several nodes share. One record in a place that can compare and
// swap (a coordination.k8s.io Lease with its resourceVersion); where there is none, nodes act on
// nothing but themselves.
//
// The record also carries the ledger: the guard events that limits are counted from. Whoever is
// about to act writes his intent into it first, under the version that he has read: that write
// fails if anyone else has written, so limits hold across nodes and partitions, and a holder that
// was asleep cannot begin anything. The token grows with each change of holder (fencing: Kleppmann
// 2016); what was intended under a lower one is not begun (Guard::may_start()).
//
// Time: no clocks are compared. A holder counts `ttl` from before it asked; another one takes over
// when the record has not changed for `ttl` + `margin` of its own monotonic time since it first saw
// it so (as client-go's leader election). Safe while monotonic clocks drift less than margin in
// ttl.
//
// Pure values and steps; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::remedy {

struct Lease {
  std::string holder;  // empty: it was given back
  uint64_t token = 0;
  uint64_t renewals = 0;            // so that every write is a change
  std::vector<std::string> ledger;  // encoded guard events
  friend bool operator==(const Lease&, const Lease&) = default;
};
inline constexpr size_t kMaxLedger = 256;
inline constexpr size_t kMaxLeaseBytes = 240 * 1024;  // annotations may have 256 KiB
std::string encode_lease(const Lease& lease);         // REQUIRES ledger within its limits
std::optional<Lease> decode_lease(std::string_view bytes);

struct LeaseRules {
  int64_t ttl_ms = 600'000;
  int64_t margin_ms = 10'000;
};

// One node's hand on the lease. A process that starts anew has a new one, and so a new token.
class LeaseHand {
 public:
  explicit LeaseHand(std::string node, LeaseRules rules = {})
      : node_(std::move(node)), rules_(rules) {}

  // What was read, at the moment when the answer was there.
  void see(const Lease& lease, Instant answered);
  // What to write instead of `seen`: to take or to keep it; nullopt: it is another one's.
  std::optional<Lease> bid(const Lease& seen, Instant now) const;
  // `written` has replaced what was read; `asked`: before that write was sent.
  void won(const Lease& written, Instant asked);
  // A write failed or its outcome is unknown: nothing is held until one is known to have succeeded.
  void lost();
  // The token while it is held for certain.
  std::optional<uint64_t> holds(Instant now) const;
  // What gives it back.
  Lease given_back(const Lease& seen) const;

 private:
  bool expired(const Lease& seen, Instant now) const;
  std::string node_;
  LeaseRules rules_;
  std::string holder_;  // as first seen at since_
  uint64_t token_ = 0, renewals_ = 0;
  Instant since_{};
  bool known_ = false;
  std::optional<uint64_t> mine_;
  Instant until_{};
};

}  // namespace nines::remedy
