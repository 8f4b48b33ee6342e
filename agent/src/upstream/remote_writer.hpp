// RemoteWriter: the driver of a RemoteWrite over the HTTP client, on the control io_context. One
// request in flight; what it says of itself goes to the log once when it changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "nines/upstream/remote_write.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent {

class RemoteWriter {
 public:
  // `io`, `clock` and what `source` looks at must outlive it.
  RemoteWriter(boost::asio::io_context& io, const Clock& clock, UpstreamConfig config,
               upstream::RemoteWrite::Source source, upstream::RemoteWrite::Canary canary,
               uint64_t seed);
  // What is in flight is forgotten and told again in the next life.
  ~RemoteWriter();

  bool restore(std::string_view progress);
  // Everything up to `now` is counted: minutes that have ended can be told.
  void known_until(WallTime now);

  const std::string& name() const;
  std::string progress() const;
  upstream::RemoteWriteStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::agent
