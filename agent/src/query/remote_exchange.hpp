// One HTTP exchange of a remote table, waited for with an eye on whether it is still wanted.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/client.hpp"
#include "nines/base/result.hpp"

namespace nines::agent::query {

class RemoteExchange {
 public:
  // `streams`: bytes of a 2xx answer are handed out as they come.
  RemoteExchange(http::ClientRequest request, bool streams);
  ~RemoteExchange();
  RemoteExchange(const RemoteExchange&) = delete;
  RemoteExchange& operator=(const RemoteExchange&) = delete;

  // Waits a moment at most. True: it is over, result() says how.
  bool wait();
  Result<http::ClientResponse> result();  // once, after the end
  // What came since the last call.
  std::string take_bytes();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::agent::query
