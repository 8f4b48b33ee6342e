// Bytes of alert events: what is written reads back, also when an older version wrote it.
#include "../../../sync/src/store/codec.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::store;

namespace {

slo::AlertEvent an_event() {
  slo::AlertEvent event;
  event.slo = "checkout";
  event.service = "shop";
  event.rule = "fast";
  event.severity = "page";
  event.summary = "burning";
  event.at = event.since = WallTime::from_s(1'800'000'000);
  event.boot = 7;
  event.priority = 0;
  return event;
}

}  // namespace

TEST_CASE("An alert event keeps its priority in the store", "[store]") {
  for (const int priority : {0, 1, 2, 3}) {
    slo::AlertEvent event = an_event();
    event.priority = priority;
    const auto read = decode_event(encode_event(event), 5);
    REQUIRE(read);
    CHECK(read->priority == priority);
    CHECK(read->boot == 7);
    CHECK(read->sequence == 5);
  }
}

TEST_CASE("An alert event of before there were priorities is read, with one of its severity",
          "[store]") {
  const std::string body = encode_event(an_event());
  const auto without = decode_event(std::string_view(body).substr(0, body.size() - 1), 5);
  REQUIRE(without);
  CHECK(without->boot == 7);
  CHECK(without->summary == "burning");
  CHECK(without->priority == slo::priority_of("page", 3));
  // And of before the life of the node was told.
  const auto oldest = decode_event(std::string_view(body).substr(0, body.size() - 2), 5);
  REQUIRE(oldest);
  CHECK(oldest->boot == 0);
}

TEST_CASE("An alert event with a priority that does not exist is refused", "[store]") {
  std::string body = encode_event(an_event());
  body.back() = 4;
  CHECK_FALSE(decode_event(body, 5));
  CHECK_FALSE(decode_event(encode_event(an_event()) + "x", 5));
}

TEST_CASE("An alert event keeps whom it is for and what more is known of it", "[store]") {
  slo::AlertEvent event = an_event();
  event.notify = {"lead"};
  event.details = {{"incident", "INC-2026-0301-042"}, {"transition", "escalated"}};
  const std::string body = encode_event(event);
  const auto read = decode_event(body, 5);
  REQUIRE(read);
  CHECK(read->notify == event.notify);
  CHECK(read->details == event.details);
  CHECK(*read->detail("incident") == "INC-2026-0301-042");
  CHECK(read->detail("level") == nullptr);
  for (size_t n = encode_event(an_event()).size() + 1; n < body.size(); ++n) {
    CHECK_FALSE(decode_event(std::string_view(body).substr(0, n), 5));
  }
  const auto plain = decode_event(encode_event(an_event()), 5);
  REQUIRE(plain);
  CHECK(plain->details.empty());
}

TEST_CASE("Rows keep what more is known of them, and read as they were without", "[store]") {
  slo::AlertEvent event = an_event();
  event.kind = slo::AlertEvent::Kind::rows;
  event.rows = "[]";
  const auto plain = decode_event(encode_event(event), 5);
  REQUIRE(plain);
  CHECK(plain->details.empty());
  event.details = {{"transition", "digest"}, {"person", "anna"}};
  const auto read = decode_event(encode_event(event), 5);
  REQUIRE(read);
  CHECK(read->details == event.details);
  CHECK(read->rows == "[]");
}

TEST_CASE("Memory of alerts reads back, also as it was before it knew how urgent a rule is",
          "[store]") {
  slo::AlertMemory memory{"checkout", "fast", true, 1, WallTime::from_s(10), {}, {}};
  memory.service = "shop";
  memory.severity = "page";
  memory.priority = 0;
  const std::string body = encode_alerts({memory});
  const auto read = decode_alerts(body);
  REQUIRE(read);
  REQUIRE(read->size() == 1);
  CHECK((*read)[0].service == "shop");
  CHECK((*read)[0].severity == "page");
  CHECK((*read)[0].priority == 0);
  constexpr size_t kNew = 5 + 5 + 1;
  const auto old = decode_alerts(std::string_view(body).substr(0, body.size() - kNew));
  REQUIRE(old);
  REQUIRE(old->size() == 1);
  CHECK((*old)[0].firing);
  CHECK((*old)[0].severity.empty());
  CHECK((*old)[0].priority == 3);
  std::string damaged = body;
  damaged.back() = 4;
  CHECK_FALSE(decode_alerts(damaged));
  CHECK_FALSE(decode_alerts(body + "x"));
  CHECK_FALSE(decode_alerts(std::string_view(body).substr(0, body.size() - 1)));
}
