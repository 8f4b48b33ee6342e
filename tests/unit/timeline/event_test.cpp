#include "nines/timeline/event.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "nines/base/crc32c.hpp"

using namespace nines;
using namespace nines::timeline;

namespace {

TimelineEvent page() {
  return {"node-a",
          "checkout",
          EventKind::page,
          {1'700'000'000'123'456'789},
          42,
          "told alice",
          "INC-2023-1114-001",
          "k1",
          {{"person", "alice"}}};
}

std::string sealed(std::string body) {
  const uint32_t sum = crc32c(body);
  for (size_t i = 0; i < 4; ++i) body += static_cast<char>(sum >> (8 * i));
  return body;
}

}  // namespace

TEST_CASE("timeline: events are the same after a way as bytes") {
  TimelineEvent far = page();
  far.at = {std::numeric_limits<int64_t>::min()};
  far.seq = std::numeric_limits<uint64_t>::max();
  TimelineEvent next = far;
  next.at = {std::numeric_limits<int64_t>::max()};
  next.node = "node-b";
  next.text = std::string("a\0\x1b[31m\xff", 8);
  const std::vector<TimelineEvent> events{page(), far, next, TimelineEvent{}, page()};
  auto without_node = events;
  without_node[3].node = "node-b";  // an event without a node is of the one before
  const auto read = decode(encode(events));
  REQUIRE(read.ok());
  CHECK(*read == without_node);
  CHECK(decode(encode({})).value().empty());
}

TEST_CASE("timeline: bytes that were cut or changed are refused") {
  const std::string bytes = encode({page(), page()});
  for (size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decode(bytes.substr(0, n)).ok());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    CHECK(decode(bad).error().code == Errc::corrupt);
  }
}

TEST_CASE("timeline: a block never takes more memory than its bytes can mean") {
  const auto read = decode(sealed(std::string("\x01\xff\xff\x03", 4)));
  CHECK(read.error().code == Errc::corrupt);
  std::string body = encode({page()});
  body.resize(body.size() - 4);
  CHECK_FALSE(decode(sealed(body + "x")).ok());
}

TEST_CASE("timeline: another version is told as such, a kind that is not known is other") {
  std::string body = encode({page()});
  body.resize(body.size() - 4);
  body[2] = 77;
  CHECK(decode(sealed(body)).value()[0].kind == EventKind::other);
  body[0] = 2;
  CHECK(decode(sealed(body)).error().code == Errc::unsupported);
}

TEST_CASE("timeline: what is too long is cut between characters") {
  TimelineEvent event = page();
  event.text = std::string(1023, 'x') + "\xc3\xa4";
  event.node = std::string(300, 'n');
  event.fields.assign(20, {"name", std::string(999, 'v')});
  CHECK(fit(event));
  CHECK(event.text.size() == 1023);
  CHECK(event.node.size() == EventLimits::kName);
  CHECK(event.fields.size() == EventLimits::kFields);
  CHECK(event.fields[7].second.size() == EventLimits::kValue);
  CHECK_FALSE(fit(event));
  CHECK(decode(encode({event})).value()[0] == event);
  CHECK(memory_bytes(event) > 1023 + 8 * EventLimits::kValue);
}

TEST_CASE("timeline: every kind has a name and is found by it") {
  for (size_t i = 0; i < kEventKinds; ++i) {
    const auto kind = static_cast<EventKind>(i);
    CHECK(kind_named(name_of(kind)) == kind);
  }
  CHECK_FALSE(kind_named("nonsense"));
}
