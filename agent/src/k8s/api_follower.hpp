// ApiFollower: drives a ListWatch over one connection at a time, with a clock and the token file,
// on the thread of the io_context. Never gives up, never hurries: list_watch.hpp says when it asks
// again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "k8s/list_watch.hpp"
#include "nines/base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::k8s {

struct Access {
  std::string url;         // https://10.43.0.1:443
  std::string token_file;  // empty: none is sent. Read again before every request: it rotates
  std::string ca_file;     // empty: the system's authorities
};

struct FollowOptions {
  Access access;
  int64_t connect_ms = 10'000;         // until the header of an answer
  int64_t idle_ms = 270'000;           // silence for longer: the connection is dead
  std::string what;                    // "pods": for the log
  std::function<void()> changed = {};  // something was told while it was watched, or it ended
};

class ApiFollower {
 public:
  // All must outlive it.
  ApiFollower(boost::asio::io_context& io, const Clock& clock, FollowOptions options,
              ListWatch& sync);
  ~ApiFollower();
  ApiFollower(const ApiFollower&) = delete;
  ApiFollower& operator=(const ApiFollower&) = delete;

  void restore(WallTime heard);  // in an earlier life; before start()
  void start();

  bool connected() const noexcept;  // a watch is open
  WallTime heard() const noexcept;  // when the API last said something; 0: never

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::agent::k8s
