// Threads that help with a query. A node at its limit of tasks (TasksMax=, pids.max) gets fewer,
// and its query is slower; it does not end the agent.
#pragma once

#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace nines::agent::query {

// Adds up to `count` threads that run `work`: as many as the system gives, perhaps none.
template <typename Work>
void add_threads(std::vector<std::thread>& threads, size_t count, const Work& work) {
  threads.reserve(threads.size() + count);
  try {
    for (size_t i = 0; i < count; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
    // With those that there are.
  }
}

}  // namespace nines::agent::query
