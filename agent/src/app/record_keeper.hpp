// RecordKeeper: what the agent and its people decide (changes, documents, events) on its way into
// the store. Written by the store's thread, in the order given; it counts once it is written. What
// the agent decided itself and could not be written is tried again with the next, without what has
// been written anew meanwhile: a document never takes the place of a later one of its key. What the
// store has no room for is tried again by itself, one at a time, so that it holds up nothing else.
// What waits for another try is bounded: the oldest gives way, and is counted.
// On the control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/logbook.hpp"
#include "app/worker.hpp"
#include "net/asio.hpp"

namespace nines::agent {

class RecordKeeper {
 public:
  enum class Whose : uint8_t { agent, people };
  using Done = std::function<void(Result<Record>)>;
  // All outlive it; the hooks come on the control thread.
  struct Parts {
    net::asio::io_context& io;
    Worker& store_work;
    store::StateStore& store;  // touched by jobs of `store_work`
    std::function<void(const Record&, Whose)> written;
    // Events that are to be told: also those that the store holds while it cannot write.
    std::function<void(const std::vector<slo::AlertEvent>&)> tell;
  };
  explicit RecordKeeper(Parts parts) : parts_(std::move(parts)) {}

  // Of the agent: kept for another try when it cannot be written. Of people: `done` says why not,
  // and that is all.
  void keep(Record record, Whose whose, Done done);
  // Of the agent, one write at a time: what is decided while one is under way goes with the next.
  void add(Record&& record);
  void add(std::vector<store::Document> documents);
  // With nobody else using the store any more, and when all that was under way has been heard of.
  void write_last();

  static constexpr size_t kMostWaiting = 4096;                  // records that failed, and
  static constexpr size_t kMostWaitingBytes = 4 * 1024 * 1024;  // what they hold
  struct Counters {
    uint64_t failed = 0;    // tries
    uint64_t given_up = 0;  // records that gave way, and will never be written
  };
  const Counters& counters() const noexcept { return counters_; }
  size_t waiting() const noexcept { return failed_.size(); }
  std::string metrics() const;  // Prometheus text

  // Documents that are neither told nor waited for; `failed` (may be null) on the control thread.
  using Failed = std::function<void(const std::vector<store::Document>&)>;
  void put(std::vector<store::Document> documents, const char* what, Failed failed = {});

 private:
  struct Waiting {
    uint64_t number = 0;  // in the order in which it was decided, whenever it is written
    Record record;
    bool apart = false;  // there was no room for it: written with nothing else
  };
  using Batch = std::vector<Waiting>;
  static constexpr size_t kTries = 8;
  void write();
  Batch to_try_again();
  void write(Batch batch, bool again);
  void post(std::shared_ptr<Record> record, std::function<void(Status)> ended);
  void failed(Batch batch, const Error& error);
  void give_way();
  void forget_older(uint64_t number, const std::vector<store::Document>& written);

  Parts parts_;
  Batch unwritten_;       // decided, not yet written
  size_t writing_ = 0;    // writes of such that are under way
  uint64_t numbers_ = 0;  // of what was decided
  size_t under_way_ = 0;  // writes, which end in the order in which they begin
  Batch failed_;          // to be tried again, by number
  uint64_t tried_ = 0;    // number of what was tried again last: the others have their turn
  size_t tries_ = 0;      // of what failed that are left until add() is called again
  Counters counters_;
};

// Those that the store has taken although it could not write: told like any.
std::vector<slo::AlertEvent> take_held(std::vector<slo::AlertEvent>& events);

}  // namespace nines::agent
