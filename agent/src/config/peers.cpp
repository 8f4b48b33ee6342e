#include "config/peers.hpp"

#include <algorithm>

#include "config/files.hpp"
#include "config/reader.hpp"
#include "http/credentials.hpp"

namespace nines::agent::config {
namespace {

constexpr size_t kMaxPeers = 64, kMaxDenied = 256;

// "host:port", "[::1]:9991"; the host, or empty when it is no such address.
std::string host_of(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return {};
  const std::string port = address.substr(colon + 1);
  std::string host = address.substr(0, colon);
  const bool digits =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool bare_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
  if (!digits || std::stoi(port) > 65535 || bare_v6) return {};
  return host;
}

void check_address(const std::string& address, bool certificates, const YamlNode& at,
                   Reporter& report) {
  const std::string host = host_of(address);
  if (host.empty()) {
    report.error(at, "'" + address + "' is no HOST:PORT", "for example pi-2:9991");
  } else if (!certificates && !http::is_loopback(host)) {
    report.error(at, "'" + address + "' is not on this machine and there are no certificates",
                 "nines pki init and nines pki issue make them: ca_file, cert_file, key_file");
  }
}

}  // namespace

void check_peers(PeersConfig& peers, const YamlNode& map, Reporter& report) {
  const bool certificates = !peers.ca_file.empty();
  if (certificates == peers.cert_file.empty() || certificates == peers.key_file.empty()) {
    report.error(map, "ca_file, cert_file and key_file of peers belong together");
  }
  if (!peers.used()) {
    report.error(map, "peers has neither listen nor nodes", "listen: 0.0.0.0:9991");
  }
  if (peers.mdns && !certificates) {
    report.error(place_of(map, "mdns"),
                 "mdns finds nodes beyond this machine: they need certificates",
                 "nines pki init and nines pki issue make them: ca_file, cert_file, key_file");
  }
  if (!peers.listen.empty()) {
    check_address(peers.listen, certificates, place_of(map, "listen"), report);
  }
  for (const std::string& node : peers.nodes) {
    check_address(node, certificates, place_of(map, "nodes"), report);
  }
  if (peers.nodes.size() > kMaxPeers) {
    report.error(place_of(map, "nodes"), "more than " + std::to_string(kMaxPeers) + " peers",
                 "larger fleets tell an engine elsewhere: upstream");
  }
  if (peers.deny.size() > kMaxDenied) {
    report.error(place_of(map, "deny"), "more than " + std::to_string(kMaxDenied) + " names",
                 "make a new authority: nines pki init --replace");
  }
  for (std::string* path : {&peers.ca_file, &peers.cert_file, &peers.key_file}) {
    *path = beside(map.file->path, *path);
  }
}

}  // namespace nines::agent::config
