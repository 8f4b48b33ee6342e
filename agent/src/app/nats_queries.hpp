// NatsQueries: queries between agents over one connection to NATS (`queries:` of an upstream). A
// node that nobody can connect to answers, too, because it opened that connection. Who may ask is
// what the broker permits; who there is to be asked, is what the stream of the fleet says. On the
// control thread but for open().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/fleet_stream.hpp"
#include "config/config.hpp"
#include "nines/broker/nats_client.hpp"
#include "nines/broker/query_port.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent {

class NatsQueries {
 public:
  // All outlive it. `fleet`: whose nodes are asked; null: it reads itself which there are. `flush`
  // has the connection send what `client` has. It outlives the driver of `client`.
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    const UpstreamConfig& config;
    std::string node;
    broker::NatsClient& client;
    const fleet::FleetState* fleet;
    std::function<void()> flush;
  };
  NatsQueries(Parts parts, broker::ServeQuery serve);
  ~NatsQueries();

  // Before threads that use open() or streams are joined: both fail from now on, and the other
  // sides learn it as far as the connection still takes it.
  void stop();

  std::vector<std::string> askable() const;
  // Blocks, for 4 s at most; any thread but the control thread.
  Result<std::unique_ptr<stream::ByteStream>> open(const std::string& node, Instant deadline);
  broker::QueryPort::Stats stats() const { return port_.stats(); }

 private:
  struct Bell;
  broker::Now now() const;

  const Parts parts_;
  const std::shared_ptr<Bell> bell_;
  broker::QueryPort port_;
  std::unique_ptr<StreamView> nodes_;  // null: of Parts::fleet
};

}  // namespace nines::agent
