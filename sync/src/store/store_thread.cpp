#include "nines/store/store_thread.hpp"

#include <utility>

namespace nines::store {

StoreThread::StoreThread(std::unique_ptr<StateStore> store)
    : store_(std::move(store)), thread_([this] { loop(); }) {}

StoreThread::~StoreThread() { stop(); }

bool StoreThread::post(StateStore::Commit&& commit, Done done) {
  return enqueue_commit(commit, std::move(done), true);
}

bool StoreThread::try_post(StateStore::Commit&& commit, Done done) {
  return enqueue_commit(commit, std::move(done), false);
}

bool StoreThread::enqueue_commit(StateStore::Commit& commit, Done done, bool wait) {
  // Shared, because std::function copies; one allocation a minute.
  const auto held = std::make_shared<StateStore::Commit>(std::move(commit));
  Task task = [held, done = std::move(done)](StateStore& store) {
    Status status = store.commit(*held);
    done(std::move(status), std::move(*held));
  };
  if (enqueue(task, wait)) return true;
  commit = std::move(*held);
  return false;
}

bool StoreThread::run(Task task) { return enqueue(task, true); }

bool StoreThread::enqueue(Task& task, bool wait) {
  std::unique_lock lock(mutex_);
  if (wait) changed_.wait(lock, [this] { return stopping_ || queue_.size() < kQueue; });
  if (stopping_ || queue_.size() >= kQueue) return false;
  queue_.push_back(std::move(task));
  changed_.notify_all();
  return true;
}

void StoreThread::loop() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    changed_.notify_all();
    lock.unlock();
    task(*store_);
  }
}

void StoreThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  const std::lock_guard joining(join_mutex_);
  if (!thread_.joinable()) return;
  thread_.join();
  store_.reset();
}

}  // namespace nines::store
