// Mentions: which service names which other as the host of an address in what it logs ("cannot
// connect to broker:5672", "POST http://orders.shop.svc/pay failed"). A database or a broker has no
// part in a request that its log would show; that its users name it tells that they depend on it.
//
// Bounded: kMost pairs, the one not seen for longest makes room, which is counted. Not thread-safe;
// no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::incident {

// Hosts of the addresses in `text`, as host:PORT, scheme://HOST or user@HOST; of a name with dots
// the first part. Views into `text`; numbers (addresses of IP) are none.
std::vector<std::string_view> hosts_in(std::string_view text);

class Mentions {
 public:
  static constexpr size_t kMost = 256;
  static constexpr int64_t kKeepNs = 7 * 86400 * kNsPerSecond;

  void read(std::string_view service, std::string_view text, WallTime at);
  // (who, whom), where `is_service` knows whom; what was not mentioned for a week is forgotten.
  std::vector<std::pair<std::string, std::string>> pairs(
      WallTime now, const std::function<bool(const std::string&)>& is_service) const;
  uint64_t let_go() const noexcept { return let_go_; }  // to make room

 private:
  std::map<std::pair<std::string, std::string>, WallTime> seen_;
  uint64_t let_go_ = 0;
};

}  // namespace nines::incident
