// SharedLease: this node's hand on the lease for what nodes share, kept in a Lease of
// coordination.k8s.io (nines/remedy/lease.hpp says what it is for). The API server's
// resourceVersion is the compare and swap; the record lies in an annotation, and what people expect
// of a Lease (holder, times, transitions) beside it.
//
//   read    what is there now, and what to write to act on it; its ledger is merged first
//   write   the ledger with the intent in it: only when that has won may the action begin
//
// One at a time. What is not known to have been written counts as lost. Control thread; no I/O, no
// clock: `call` and `mono` have them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nines/remedy/guard.hpp"
#include "nines/remedy/lease.hpp"
#include "remedy/execution.hpp"

namespace nines::agent::remedy {

class SharedLease {
 public:
  struct Parts {
    std::string node;
    std::string ns = "default", name = "nines-remedy";
    std::function<void(ApiCall, std::function<void(Answer)>)> call;
    std::function<Instant()> mono;
    std::function<WallTime()> wall;
    nines::remedy::LeaseRules rules{};
  };
  explicit SharedLease(Parts parts);

  bool busy() const noexcept { return busy_; }
  // The token while it is held for certain.
  std::optional<uint64_t> holds() const { return hand_.holds(parts_.mono()); }

  // What the ledger held, and the token that a write would act under. An error: it is another's, or
  // could not be read, or holds what no ledger may (is_of_ledger()).
  struct Bid {
    uint64_t token = 0;
    std::vector<nines::remedy::GuardEvent> ledger;
  };
  void read(std::function<void(Result<Bid>)> done);
  // After read(). True: it was written, and nobody had written in between. `give_back`: the next
  // one need not wait.
  void write(const std::vector<nines::remedy::GuardEvent>& ledger, std::function<void(bool)> done,
             bool give_back = false);
  // After read(), when nothing is to be written.
  void leave() noexcept { busy_ = false; }

  struct Counters {
    uint64_t won = 0, lost = 0, others = 0, unreadable = 0;
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  void take(const Answer& answer, const std::function<void(Result<Bid>)>& done);
  Result<Bid> bid_for(const nines::remedy::Lease& seen);
  ApiCall call_of(const nines::remedy::Lease& lease) const;
  void written(const Answer& answer, const nines::remedy::Lease& lease, Instant asked,
               const std::function<void(bool)>& done);
  std::string path() const;

  Parts parts_;
  nines::remedy::LeaseHand hand_;
  std::optional<nines::remedy::Lease> bid_;
  std::string version_;  // of what was read; empty: there was none
  bool busy_ = false;
  Counters counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent::remedy
