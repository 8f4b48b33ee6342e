// StateMove: an agent whose state directory could not be written when it started lives in memory
// and tries the disk again, with back-off, until it has moved there. On the control thread; the
// attempt itself is a job of the store's thread.
#pragma once

#include <functional>
#include <string>

#include "app/worker.hpp"
#include "net/asio.hpp"
#include "nines/base/time.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

class StateMove {
 public:
  enum class Outcome {
    moved,
    other_state,  // the disk has come back with a state that this life does not know of
  };
  using OnOutcome = std::function<void(Outcome)>;

  StateMove(net::asio::io_context& io, const Clock& clock, Worker& store_work,
            store::StateStore& store, OnOutcome on_outcome);

  // At every tick: begins an attempt when one is due.
  void look();
  // With nobody else using the store any more: the last chance.
  void try_last();
  // Why all is in memory; empty: it is on the disk.
  const std::string& why() const noexcept { return why_; }

 private:
  void took(const Result<bool>& done);

  net::asio::io_context& io_;
  const Clock& clock_;
  Worker& store_work_;
  store::StateStore& store_;
  OnOutcome on_outcome_;
  std::string why_;
  Instant next_{};
  int64_t wait_s_;
  bool trying_ = false;
};

}  // namespace nines::agent
