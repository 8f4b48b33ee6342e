// IngestThread: runs an Ingest on its own thread. It hands over batches, never lines: on request,
// and by itself after the first look, when it has caught up for the first time, and when it holds
// as much as it may.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "app/ingest.hpp"

namespace nines::agent {

class IngestThread {
 public:
  // Called on the ingest thread with everything since the last call; must not block for long.
  using OnHandOver = std::function<void(HandOver&&)>;

  // `clock` must outlive it.
  IngestThread(std::unique_ptr<Ingest> ingest, const Clock& clock, OnHandOver on_hand_over);
  ~IngestThread();  // stops without a last hand-over

  void start();
  // Thread-safe. One hand-over follows soon, also when nothing changed; while it first catches up
  // with the logs, when it has (or after a minute).
  void request();
  // Thread-safe: runs `job` between two reads.
  void post(std::function<void(Ingest&)> job);
  // Stops reading and returns what was read since the last hand-over.
  HandOver stop();
  // Once it has stopped.
  Ingest& stopped() noexcept { return *ingest_; }

 private:
  void run();
  void run_jobs();
  bool read_on(bool more);

  std::unique_ptr<Ingest> ingest_;
  const Clock& clock_;
  OnHandOver on_hand_over_;
  std::mutex mutex_;
  std::vector<std::function<void(Ingest&)>> jobs_;
  std::atomic<bool> wanted_{false}, stopping_{false};
  std::thread thread_;
};

}  // namespace nines::agent
