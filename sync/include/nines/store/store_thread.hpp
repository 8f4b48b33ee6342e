// StoreThread: one thread that owns a StateStore and executes commits in the order they are posted,
// so that a slow card never holds up counting. At most kQueue commits wait; post() then blocks, and
// try_post() refuses: the caller merges the batch into its next one. Nothing is dropped.
//
// post, try_post, run and stop may be called from any thread; callbacks run on the store's thread
// and must not call back into it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "nines/store/state_store.hpp"

namespace nines::store {

class StoreThread {
 public:
  static constexpr size_t kQueue = 4;
  // The commit comes back: with its events numbered, or, not ok, to be merged and posted again.
  using Done = std::function<void(Status, StateStore::Commit&&)>;
  using Task = std::function<void(StateStore&)>;

  explicit StoreThread(std::unique_ptr<StateStore> store);
  ~StoreThread();  // stop()
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  // false after stop(); `commit` is untouched then.
  bool post(StateStore::Commit&& commit, Done done);
  // false also when the queue is full.
  bool try_post(StateStore::Commit&& commit, Done done);
  // Anything else that needs the store (fold, cursors), in the same order and queue.
  bool run(Task task);
  // Executes what was posted, then ends the thread and closes the store. Idempotent.
  void stop();

 private:
  bool enqueue_commit(StateStore::Commit& commit, Done done, bool wait);
  bool enqueue(Task& task, bool wait);
  void loop();

  std::unique_ptr<StateStore> store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::mutex join_mutex_;
  std::thread thread_;
};

}  // namespace nines::store
