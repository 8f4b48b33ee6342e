// What a node may do in the fleet, as its certificate says (URI SAN "nines:role:NAME"; none: node,
// so that certificates of any authority work). Enforced by whoever is spoken to, never by the
// speaker's good will.
//
//   node      everything; is trusted to pass on what others said
//   observer  reads the fleet's state and asks queries. What it tells is not taken, it is not
//             missed when it is silent, and it pages nobody: a dashboard, an engineer's laptop
//   leaf      tells of itself and answers queries. It does not ask queries, is told of nobody
//             else, and what it says of others is not taken: a device in other hands
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nines::peer {

enum class Role : uint8_t { node, observer, leaf };

inline constexpr std::string_view kRoleUri = "nines:role:";

constexpr std::string_view role_name(Role role) {
  return role == Role::node ? "node" : role == Role::observer ? "observer" : "leaf";
}
constexpr std::optional<Role> parse_role(std::string_view name) {
  for (const Role role : {Role::node, Role::observer, Role::leaf}) {
    if (role_name(role) == name) return role;
  }
  return std::nullopt;
}
constexpr bool may_ask_queries(Role role) { return role != Role::leaf; }

// Who is at the other end of a connection, as far as that is known.
struct Credentials {
  std::vector<std::string> nodes;  // of its certificate; empty: there is none (loopback), and it
                                   // is believed
  Role role = Role::node;
  std::string host;  // its address without the port
};

}  // namespace nines::peer
