// SampleDriver: the driver of a SampleSender over the HTTP client, on the control io_context. One
// request in flight; what it says of itself goes to the log once when it changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "nines/upstream/sample_sender.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent {

class SampleDriver {
 public:
  // `io`, `clock` and what `source` looks at must outlive it.
  SampleDriver(boost::asio::io_context& io, const Clock& clock, UpstreamConfig config,
               upstream::SampleSender::Source source, upstream::SampleSender::Canary canary,
               uint64_t seed);
  // What is in flight is forgotten and told again in the next life.
  ~SampleDriver();

  bool restore(std::string_view progress);
  // Everything up to `now` is counted: minutes that have ended can be told.
  void known_until(WallTime now);

  const std::string& name() const;
  std::string progress() const;
  upstream::SampleSenderStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::agent
