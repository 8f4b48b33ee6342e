#include "view/fleet_json.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace nines;
using namespace nines::agent;
using fleet::FleetEvent;

namespace {

FleetEvent about(const std::string& node, FleetEvent::Kind kind) {
  FleetEvent event;
  event.stream = FleetEvent::Stream::membership;
  event.kind = kind;
  event.rule = "a page about the node " + node;
  event.subject = node;
  return event;
}

}  // namespace

TEST_CASE("Of silent nodes each that is not back is told, by its key", "[fleet]") {
  using Kind = FleetEvent::Kind;
  fleet::FleetState state("self", 1);
  for (const char* const node : {"a", "b", "c"}) state.publish(about(node, Kind::node_silent));
  state.publish(about("b", Kind::node_back));
  const broker::FleetReader reader(broker::ReaderOptions{}, state);
  const auto json = nlohmann::json::parse(view::fleet_json(state, reader, "self", WallTime{}));
  std::vector<std::string> nodes, keys;
  for (const auto& page : json.at("silent")) {
    nodes.push_back(page.at("node"));
    keys.push_back(page.at("key"));
    CHECK(page.at("paged_by") == "self");
  }
  CHECK(nodes == std::vector<std::string>{"a", "c"});
  CHECK(keys == std::vector<std::string>{"a page about the node a", "a page about the node c"});
}
