// Priority of threads that answer questions: behind everything that a node is for (law 3).
#pragma once

namespace nines::agent::query {

// Of the calling thread: nice 10, idle I/O.
void lower_thread_priority();

}  // namespace nines::agent::query
