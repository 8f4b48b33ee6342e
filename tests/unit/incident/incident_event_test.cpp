#include "nines/incident/incident_event.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::incident;

namespace {

IncidentEvent sample() {
  IncidentEvent e;
  e.node = "pi-3";
  e.boot = 7;
  e.sequence = 300;
  e.at = WallTime::from_s(1'772'366'400);
  e.after = e.opened = WallTime::from_s(1'772'366'300);
  e.key = "slo/checkout/fast";
  e.id = "INC-2026-0301-042";
  e.kind = EventKind::action;
  e.who = "ada";
  e.text = "rolled back to 1.4.1";
  e.details = {{"outcome", "errors are gone"}};
  return e;
}

}  // namespace

TEST_CASE("An event reads back as it was written") {
  const IncidentEvent e = sample();
  CHECK(decode_event(encode_event(e)) == e);
}

TEST_CASE("An event that is cut anywhere, or has a byte more, is none") {
  const std::string bytes = encode_event(sample());
  for (size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decode_event(bytes.substr(0, n)));
  CHECK_FALSE(decode_event(bytes + '\0'));
  CHECK_FALSE(decode_event("\x02" + bytes.substr(1)));
}

TEST_CASE("Whatever is put into an event, it fits, and keeps what names it") {
  IncidentEvent e = sample();
  e.node = std::string(500, 'n');
  e.key = std::string(500, 'k') + "1";
  e.who = std::string(500, 'w');
  e.text = "a\nb" + std::string(5000, 'x');
  for (int i = 0; i < 40; ++i) {
    e.details.emplace_back("d" + std::to_string(i), std::string(200, 'v'));
  }
  IncidentEvent other = e;
  other.key.back() = '2';
  fit(e);
  fit(other);
  const std::string bytes = encode_event(e);
  CHECK(bytes.size() <= kMaxEventBytes);
  CHECK(decode_event(bytes) == e);
  CHECK(e.key != other.key);
}

TEST_CASE("The longest names of a condition leave room for its sentence") {
  Condition c;
  c.key = std::string(400, 'k');
  c.service = std::string(400, 's');
  c.node = std::string(400, 'n');
  c.pod = std::string(400, 'p');
  c.since = WallTime::from_s(1'772'366'000);
  IncidentEvent e = sample();
  e.kind = EventKind::condition_began;
  e.node = std::string(96, 'n');
  e.key = std::string(128, 'k');
  e.who.clear();
  e.text = std::string(100, 't');
  e.details = condition_details(c);
  e.details.emplace_back("again", "1");
  fit(e);
  CHECK(e.text.size() >= 60);
  CHECK(e.detail("again") != nullptr);
  CHECK(condition_of(e)->since == c.since);
}

TEST_CASE("An event comes behind what its writer knew, unless its clock is an hour off") {
  IncidentEvent e = sample();
  e.after = WallTime{e.at.ns + 60 * kNsPerSecond};
  CHECK(e.order() == e.after);
  e.after = WallTime{e.at.ns + 7200 * kNsPerSecond};
  CHECK(e.order().ns == e.at.ns + 3600 * kNsPerSecond);
}
