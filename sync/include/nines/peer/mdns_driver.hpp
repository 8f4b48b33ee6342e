// MdnsDriver: Mdns on real sockets: UDP port 5353, shared with whoever else speaks it here, in the
// group 224.0.0.251 of every network this machine is on. Runs on the thread of `io`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/peer/mdns.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::peer {

class MdnsDriver {
 public:
  // Told of all addresses found, whenever they changed.
  using OnFound = std::function<void(const std::vector<std::string>&)>;

  // `io` and `clock` outlive it. Errors: no such socket may be had here.
  static Result<std::unique_ptr<MdnsDriver>> start(boost::asio::io_context& io, const Clock& clock,
                                                   MdnsSettings settings, OnFound found);
  ~MdnsDriver();  // says goodbye

  const Mdns& node() const;

 private:
  struct Impl;
  explicit MdnsDriver(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::peer
