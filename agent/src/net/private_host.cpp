#include "net/private_host.hpp"

#include <arpa/inet.h>

#include <array>
#include <string>

namespace nines::agent::net {
namespace {

bool is_private_v4(const std::array<unsigned char, 4>& a) {
  return a[0] == 10 || (a[0] == 172 && a[1] >= 16 && a[1] <= 31) || (a[0] == 192 && a[1] == 168);
}

}  // namespace

bool is_private_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string text(host);
  std::array<unsigned char, 4> v4{};
  if (::inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return is_private_v4(v4);
  std::array<unsigned char, 16> v6{};
  if (::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return (v6[0] & 0xfeU) == 0xfcU;
  for (const std::string_view zone :
       {".local", ".internal", ".home.arpa", ".lan", ".svc", ".cluster.local"}) {
    if (host.size() > zone.size() && host.ends_with(zone)) return true;
  }
  return false;
}

}  // namespace nines::agent::net
