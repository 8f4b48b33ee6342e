// Mdns: finds the other nodes of a cluster on the same link, and is found, without any server:
// multicast DNS (RFC 6762) with service discovery (RFC 6763), service "_nines._tcp.local". What is
// found is only an address to try: who is there, its certificate says. Sans I/O: datagrams and time
// in, datagrams out. Not thread-safe.
//
// Of RFC 6762 it does what a small participant may: no probing (two nodes of one name are told
// apart by the handshake of peers), IPv4 only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::peer {

struct MdnsSettings {
  std::string node, cluster;
  uint16_t port = 0;  // where peers may connect; 0: only looks for others
  uint64_t seed = 1;  // of jitter
};

class Mdns {
 public:
  using Address = std::array<uint8_t, 4>;
  static constexpr size_t kMaxFound = 128;  // nodes; more are not taken, counted

  Mdns(MdnsSettings settings, Instant now);

  // Of this machine, as others reach it. Announced when they changed.
  void set_addresses(std::vector<Address> addresses, Instant now);
  void received(std::string_view datagram, Instant now);
  // At least once a second.
  void tick(Instant now);
  // Says that this node is gone.
  void leave();

  std::vector<std::string> take();  // datagrams for the group
  // "10.0.0.7:9991", sorted; all addresses of all nodes that were heard of and not forgotten.
  std::vector<std::string> found(Instant now) const;

  struct Counters {
    uint64_t asked = 0, answered = 0, damaged = 0, refused = 0;
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  struct Node {
    uint16_t port = 0;
    std::string host;
    bool ours = false;  // TXT says that it is of this cluster
    Instant until{};
  };
  struct Host {
    std::vector<Address> addresses;
    Instant until{};
  };
  void announce(uint32_t ttl_s);
  void ask(Instant now);
  Node* node_of(const std::string& instance);
  void forget(Instant now);
  uint64_t chance(uint64_t below);

  MdnsSettings settings_;
  std::string instance_, host_;
  std::vector<Address> addresses_;
  std::map<std::string, Node> nodes_;  // by instance name, in lower case
  std::map<std::string, Host> hosts_;  // by host name, in lower case
  std::vector<std::string> out_;
  Instant ask_at_{}, announce_at_{}, answered_at_{};
  int64_t ask_every_ms_ = 0;
  int announcements_ = 0;
  uint64_t random_;
  Counters counters_;
};

}  // namespace nines::peer
