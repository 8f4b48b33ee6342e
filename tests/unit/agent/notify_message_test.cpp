#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "notify/message.hpp"

using namespace nines;
using namespace nines::agent::notify;

TEST_CASE("What is told for another node has its name, and the number that it took here",
          "[notify]") {
  slo::AlertEvent event;
  event.sequence = 7;
  event.boot = 2;
  const Identity identity{"b", "1", 3};
  const auto own = nlohmann::json::parse(payload_json(identity, event));
  CHECK(own["node"] == "b");
  CHECK_FALSE(own.contains("relayed_by"));
  CHECK_FALSE(own.contains("relayed_sequence"));
  event.details = {{kRelaysDetail, "a/5/11"}};
  CHECK(idempotency_key(identity, event) == "a/5/alert/11");
  const auto relayed = nlohmann::json::parse(payload_json(identity, event));
  CHECK(relayed["node"] == "a");
  CHECK(relayed["boot"] == 5);
  CHECK(relayed["sequence"] == 11);
  CHECK(relayed["relayed_by"] == "b");
  CHECK(relayed["relayed_boot"] == 2);
  CHECK(relayed["relayed_sequence"] == 7);
}
