#include "http/host_name.hpp"

#include <algorithm>

#include "net/private_host.hpp"

namespace nines::agent::http {
namespace {

std::string name_in(std::string_view host) {
  std::string out(host.substr(0, host.find(':')));
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (out.ends_with('.')) out.pop_back();
  return out;
}

}  // namespace

bool may_be_here(std::string_view host, const std::vector<std::string>& known) {
  if (host.starts_with('[')) return true;  // an address of IPv6
  const std::string name = name_in(host);
  const bool single = name.find('.') == std::string::npos;
  const bool address = name.find_first_not_of("0123456789.") == std::string::npos;
  if (single || address || name.ends_with(".localhost") || net::is_private_host(name)) return true;
  return std::any_of(known.begin(), known.end(),
                     [&](const std::string& one) { return name_in(one) == name; });
}

}  // namespace nines::agent::http
