#include "query/peer_queries.hpp"

#include <utility>

#include "query/priority.hpp"

namespace nines::agent::query {

PeerQueries::PeerQueries(ServeQuery serve, size_t max_waiting)
    : serve_(std::move(serve)), max_waiting_(max_waiting) {
  worker_.post(lower_thread_priority);
}

PeerQueries::~PeerQueries() {
  stop_ = true;
  worker_.stop();
}

void PeerQueries::take(std::unique_ptr<stream::ByteStream> stream) {
  if (waiting_.fetch_add(1) >= max_waiting_) {
    --waiting_;
    ++refused_;
    return;
  }
  // A job is copied as it is posted.
  auto shared = std::make_shared<std::unique_ptr<stream::ByteStream>>(std::move(stream));
  worker_.post([this, shared] {
    if (stop_) {
      shared->reset();
    } else {
      ++served_;
      serve_(std::move(*shared));
    }
    --waiting_;
  });
}

}  // namespace nines::agent::query
