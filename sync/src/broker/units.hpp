// How a node's parts are grouped to messages, and what a message holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/fleet/fleet_state.hpp"

namespace nines::broker {

inline constexpr std::string_view kWho = "who";

// "who", "m.3", "h.17", "e.0.5"; empty: of a series as a whole, which is no unit.
std::string unit_of(const fleet::PartKey& key);

struct UnitMessage {
  std::string origin;
  std::vector<fleet::Piece> pieces;  // the info first
  uint64_t content = 0;              // as content_of(), without the info if it is not `who`
  uint64_t list = 0;                 // hash of the list of SLOs
};
// nullopt: no such frame, or without an info.
std::optional<UnitMessage> decode_unit(std::string_view unit, std::string_view body);
// Empty: beyond what a frame holds.
std::string encode_unit(const fleet::FleetState& state, const std::vector<fleet::PartKey>& keys);

// What a part adds; the order makes no difference.
uint64_t content_of(const fleet::PartKey& key, uint64_t hash);
uint64_t list_hash(const std::vector<uint64_t>& series);

// An alert event for other consumers, with the key that notifiers give it, and its id as a header
// of NATS: "node/boot/alert/sequence", the node as a token.
std::string event_id(std::string_view node, const fleet::FleetEvent& event);
std::string event_json(const std::string& node, const std::string& version,
                       const fleet::FleetEvent& event);

}  // namespace nines::broker
