// RecordKeeper: what the agent and its people decide (changes, documents, events) on its way into
// the store. Written by the store's thread, in the order given; it counts once it is written. What
// the agent decided itself and could not be written is tried again together with the next. On the
// control thread.
#pragma once

#include <functional>
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
  // With nobody else using the store any more.
  void write_last();

  // Documents that are neither told nor waited for; `failed` (may be null) on the control thread.
  using Failed = std::function<void(const std::vector<store::Document>&)>;
  void put(std::vector<store::Document> documents, const char* what, Failed failed = {});

 private:
  void write();
  void put_back(Record&& record);

  Parts parts_;
  Record unwritten_;      // decided, not yet written
  bool writing_ = false;  // a write of such is under way
};

// Those that the store has taken although it could not write: told like any.
std::vector<slo::AlertEvent> take_held(std::vector<slo::AlertEvent>& events);

}  // namespace nines::agent
