#include "nines/fleet/fleet_state.hpp"

#include <catch2/catch.hpp>

#include "fleet_dump.hpp"

using namespace nines;
using namespace nines::fleet;

namespace {

constexpr int64_t kHour0 = 500'000;
constexpr WallTime kNow = WallTime::from_s(kHour0 * 3600);
constexpr WallTime kCeiling = WallTime::from_s((kHour0 + 24 * 365) * 3600);

SeriesMeta meta(const std::string& slo, const std::string& generation = "g1") {
  return {{}, slo, generation, "shop", "0.99", 30 * 86400};
}

void tell(FleetState& from, FleetState& to) {
  for (const auto& piece : from.take_changes()) to.merge(piece, kCeiling);
}

Counts cell(const FleetState& state, const std::string& origin, uint64_t id, Tier tier,
            int64_t slot) {
  Counts found{-1, -1, -1};
  state.each_cell(origin, id, tier, slot, slot + 1,
                  [&](int64_t, const Counts& counts) { found = counts; });
  return found;
}

}  // namespace

TEST_CASE("FleetState tells the cells that changed, and only those", "[fleet]") {
  FleetState a("a", 1), b("b", 1);
  const auto id = test::set_series(a, {meta("api")}, kNow).front();
  tell(a, b);
  for (int64_t m = 0; m < 50; ++m) a.publish(id, Tier::minute, kHour0 * 60 + m, {100, 1, 60});
  tell(a, b);
  CHECK(a.publish(id, Tier::minute, kHour0 * 60 + 7, {101, 1, 60}));
  CHECK_FALSE(a.publish(id, Tier::minute, kHour0 * 60 + 7, {101, 1, 60}));
  const auto pieces = a.take_changes();
  REQUIRE(pieces.size() == 1);
  CHECK(pieces[0].body.size() < 30);
  CHECK(b.merge(pieces[0], kCeiling) == Merge::news);
  CHECK(b.merge(pieces[0], kCeiling) == Merge::known);
  CHECK(cell(b, "a", id, Tier::minute, kHour0 * 60 + 7) == Counts{101, 1, 60});
  CHECK(cell(b, "a", id, Tier::minute, kHour0 * 60 + 8) == Counts{100, 1, 60});
}

TEST_CASE("FleetState keeps minutes for three hours and hours for the window and a day",
          "[fleet]") {
  FleetState a("a", 1);
  const auto id = test::set_series(a, {meta("api")}, kNow).front();
  for (int64_t h = 0; h < 60 * 24; ++h) {
    a.publish(id, Tier::hour, kHour0 + h, {1, 0, 3600});
    for (int64_t m = 0; m < 60; m += 7) {
      a.publish(id, Tier::minute, (kHour0 + h) * 60 + m, {1, 0, 60});
    }
  }
  const auto minutes = a.extent("a", id, Tier::minute);
  CHECK(minutes.second - minutes.first >= 180);
  CHECK(minutes.second - minutes.first <= 240);
  const auto hours = a.extent("a", id, Tier::hour);
  CHECK(hours.second - hours.first >= 31 * 24);
  CHECK(hours.second - hours.first <= 32 * 24);
  CHECK_FALSE(a.bytes() > 20'000);
  // A cell beyond that is old news.
  FleetState old("a", 9);
  test::set_series(old, {meta("api")}, kNow);
  old.publish(id, Tier::hour, kHour0, {1, 0, 3600});
  FleetState b("b", 1);
  b.merge(*a.piece("a", {PartKind::info}), kCeiling);
  for (const auto& part : a.parts("a", id)) b.merge(*a.piece("a", part.key), kCeiling);
  const auto before = test::dump(b);
  CHECK(b.merge(*old.piece("a", {PartKind::hours, id, 0, kHour0 / 24}), kCeiling) == Merge::known);
  CHECK(test::dump(b) == before);
  CHECK(b.counters().cells_old == 1);
}

TEST_CASE("A node that lost its state gets its own cells back and counts on from them", "[fleet]") {
  FleetState first("a", 1), peer("b", 1);
  const auto id = test::set_series(first, {meta("api")}, kNow).front();
  first.publish(id, Tier::hour, kHour0 - 1, {3000, 4, 3600});
  first.publish(id, Tier::minute, kHour0 * 60, {50, 0, 60});
  tell(first, peer);

  FleetState second("a", 2);  // nothing is left, and it saw only the end of that minute
  test::set_series(second, {meta("api")}, kNow);
  second.publish(id, Tier::minute, kHour0 * 60, {9, 0, 10});
  tell(second, peer);
  CHECK(cell(peer, "a", id, Tier::minute, kHour0 * 60) == Counts{9, 0, 10});  // for a moment
  // The older cell is in the peer no more, but another one has it.
  FleetState other("c", 1);
  FleetState again("a", 1);
  test::set_series(again, {meta("api")}, kNow);
  again.publish(id, Tier::minute, kHour0 * 60, {50, 0, 60});
  tell(again, other);
  for (const FleetState* from : {&peer, &other}) {
    for (const auto& part : second.missing("a", from->parts("a", id))) {
      second.merge(*from->piece("a", part), kCeiling);
    }
  }
  CHECK(second.counters().adopted == 2);
  CHECK(cell(second, "a", id, Tier::hour, kHour0 - 1) == Counts{3000, 4, 3600});
  CHECK(cell(second, "a", id, Tier::minute, kHour0 * 60) == Counts{50, 0, 60});
  // What it counts itself never makes less of it.
  CHECK_FALSE(second.publish(id, Tier::minute, kHour0 * 60, {9, 0, 20}));
  CHECK(second.counters().shrinking == 1);
  for (const auto& piece : second.take_changes()) {
    peer.merge(piece, kCeiling);
    other.merge(piece, kCeiling);
  }
  CHECK(cell(peer, "a", id, Tier::minute, kHour0 * 60) == Counts{50, 0, 60});
  CHECK(cell(other, "a", id, Tier::hour, kHour0 - 1) == Counts{3000, 4, 3600});
}

TEST_CASE("A boot that peers know already is left behind with all that was told in it", "[fleet]") {
  FleetState old("a", 7), peer("b", 1);
  const auto id = test::set_series(old, {meta("api")}, kNow).front();
  old.publish(id, Tier::hour, kHour0, {10, 0, 3600});
  old.publish(FleetEvent{.sequence = 1, .summary = "of the life before"});
  tell(old, peer);
  FleetState fresh("a", 1);
  test::set_series(fresh, {meta("api")}, kNow);
  fresh.publish(id, Tier::hour, kHour0, {20, 0, 3600});
  fresh.publish(FleetEvent{.sequence = 1, .summary = "of this life"});
  fresh.take_changes();
  CHECK(fresh.merge(*peer.piece("a", {PartKind::info}), kCeiling) == Merge::refused);
  CHECK(fresh.counters().foreign_own == 1);
  fresh.raise_boot(8);
  for (const auto& part : peer.missing("a", fresh.parts("a"))) {
    if (const auto piece = fresh.piece("a", part)) peer.merge(*piece, kCeiling);
  }
  for (const auto& part : peer.missing("a", fresh.parts("a", id))) {
    peer.merge(*fresh.piece("a", part), kCeiling);
  }
  CHECK(cell(peer, "a", id, Tier::hour, kHour0) == Counts{20, 0, 3600});
  const auto events = peer.events("a");
  REQUIRE(events.size() == 2);
  CHECK(events[0].summary == "of the life before");
  CHECK(events[1].summary == "of this life");
  CHECK(events[1].boot == 8);
}

TEST_CASE("Series that their node names no more are dropped everywhere", "[fleet]") {
  FleetState a("a", 1), b("b", 1);
  const auto ids = test::set_series(a, {meta("api"), meta("web")}, kNow);
  a.publish(ids[1], Tier::hour, kHour0, {10, 0, 3600});
  tell(a, b);
  CHECK(b.series("a").size() == 2);
  const auto late = *a.piece("a", {PartKind::hours, ids[1], 0, kHour0 / 24});
  test::set_series(a, {meta("api")}, kNow);
  tell(a, b);
  CHECK(b.series("a").size() == 1);
  CHECK(b.merge(late, kCeiling) == Merge::refused);
  CHECK(b.counters().unknown_series == 1);
  CHECK(test::dump(a).substr(0, test::dump(a).find("b ")) ==
        test::dump(b).substr(0, test::dump(b).find("b ")));
}

TEST_CASE("A node in excess takes the place of one silent for a day, or is refused", "[fleet]") {
  FleetLimits limits;
  limits.max_origins = 3;
  FleetState state("me", 1, limits);
  const auto hear = [&](const std::string& name, int64_t at_s) {
    FleetState node(name, 1);
    test::set_series(node, {meta("api")}, WallTime::from_s(at_s));
    tell(node, state);
  };
  hear("a", 1'000'000);
  hear("b", 1'050'000);
  hear("c", 1'060'000);  // a was heard of 16 h before
  CHECK(state.origins() == std::vector<std::string>{"a", "b", "me"});
  CHECK(state.counters().origins_refused >= 1);
  hear("c", 1'000'000 + 86400);
  CHECK(state.origins() == std::vector<std::string>{"b", "c", "me"});
  CHECK(state.counters().origins_evicted == 1);
  // Told of again by others, it does not push out anybody.
  CHECK(state.missing(std::vector<OriginDigest>{{"a", WallTime::from_s(1'000'000), 5}}).empty());
}

TEST_CASE("Beyond its bytes the fleet state gives up the oldest days, and wants them no more",
          "[fleet]") {
  FleetLimits limits;
  limits.max_bytes = 20'000;
  FleetState b("b", 1, limits);
  FleetState a("a", 1);
  std::vector<SeriesMeta> metas;
  for (int i = 0; i < 10; ++i) metas.push_back(meta("slo" + std::to_string(i)));
  const auto ids = test::set_series(a, metas, kNow);
  tell(a, b);
  for (int64_t h = 0; h < 20 * 24; ++h) {
    for (const auto id : ids) a.publish(id, Tier::hour, kHour0 + h, {1000 + h, h % 5, 3600});
  }
  tell(a, b);
  for (int i = 0; i < 32; ++i) b.publish(FleetEvent{.summary = "x"});  // bytes are seen to
  for (const auto id : ids) {
    for (const auto& part : b.missing("a", a.parts("a", id)))
      b.merge(*a.piece("a", part), kCeiling);
  }
  CHECK(b.counters().days_dropped > 0);
  CHECK(b.bytes() < limits.max_bytes + 10'000);
  const auto kept = b.extent("a", ids[0], Tier::hour);
  CHECK(kept.second == kHour0 + 20 * 24);
  CHECK(kept.first > kHour0 + 24);
  CHECK(b.missing("a", a.parts("a", ids[0])).empty());
}

TEST_CASE("Cells later than the ceiling are refused, and the rest of their block is taken",
          "[fleet]") {
  FleetState a("a", 1), b("b", 1);
  const auto id = test::set_series(a, {meta("api")}, kNow).front();
  tell(a, b);
  a.publish(id, Tier::minute, kHour0 * 60 + 3, {1, 0, 60});
  a.publish(id, Tier::minute, kHour0 * 60 + 30, {1, 0, 60});
  for (const auto& piece : a.take_changes()) {
    b.merge(piece, WallTime::from_s(kHour0 * 3600 + 29 * 60));
  }
  CHECK(b.extent("a", id, Tier::minute) ==
        std::pair<int64_t, int64_t>{kHour0 * 60 + 3, kHour0 * 60 + 4});
  CHECK(b.counters().cells_future == 1);
}

TEST_CASE("Of an origin's events the newest are kept, alerts apart from membership", "[fleet]") {
  FleetLimits limits;
  limits.max_events = 10;
  FleetState a("a", 1, limits), b("b", 1, limits);
  for (uint64_t i = 1; i <= 25; ++i) {
    a.publish(FleetEvent{.sequence = i, .summary = "alert"});
  }
  a.publish(FleetEvent{.stream = FleetEvent::Stream::membership,
                       .kind = FleetEvent::Kind::node_silent,
                       .subject = "z"});
  tell(a, b);
  const auto events = b.events("a");
  REQUIRE(events.size() == 11);
  CHECK(events[0].sequence == 16);
  CHECK(events[9].sequence == 25);
  CHECK(events[10].subject == "z");
  CHECK(events[10].sequence == 1);
  CHECK(events == a.events("a"));
}

namespace {

FleetEvent with_body(FleetEvent::Stream stream, uint64_t boot, uint64_t sequence,
                     std::string body) {
  FleetEvent event;
  event.stream = stream;
  event.boot = boot;
  event.sequence = sequence;
  event.body = std::move(body);
  return event;
}

constexpr auto kIncidents = FleetEvent::Stream::incidents;
constexpr auto kTimeline = FleetEvent::Stream::timeline;

}  // namespace

TEST_CASE("A stream that is told much pushes out nothing of the others", "[fleet]") {
  FleetLimits limits;
  limits.max_events = 10;
  limits.max_incidents = 7;
  limits.max_timeline = 3;
  FleetState a("a", 1, limits), b("b", 1, limits);
  for (uint64_t i = 1; i <= 8; ++i) a.publish(FleetEvent{.sequence = i, .summary = "alert"});
  for (uint64_t i = 1; i <= 100; ++i) {
    a.publish(with_body(kIncidents, 5, i, "incident " + std::to_string(i)));
    a.publish(with_body(kTimeline, 5, i, "line " + std::to_string(i)));
  }
  tell(a, b);
  for (const FleetState* state : {&a, &b}) {
    CHECK(state->events("a", FleetEvent::Stream::alerts).size() == 8);
    const auto incidents = state->events("a", kIncidents);
    REQUIRE(incidents.size() == 7);
    CHECK(incidents.front().body == "incident 94");
    CHECK(incidents.back().body == "incident 100");
    CHECK(state->events("a", kTimeline).size() == 3);
    CHECK(state->counters().events_dropped[static_cast<size_t>(kIncidents)] == 93);
    CHECK(state->counters().events_dropped[static_cast<size_t>(kTimeline)] == 97);
    CHECK(state->counters().events_dropped[0] == 0);
  }
  CHECK(b.missing(a.digest()).empty());
}

TEST_CASE("An event with a body is taken as it is, up to its limit, and has no other text",
          "[fleet]") {
  FleetState a("a", 1);
  FleetEvent event = with_body(kIncidents, 9, 1, std::string(kMaxEventBody, '\xff'));
  event.summary = event.slo = "no place for this";
  CHECK(a.publish(event));
  CHECK_FALSE(a.publish(event));  // known
  const auto held = a.events("a", kIncidents);
  REQUIRE(held.size() == 1);
  CHECK(held[0].body == event.body);
  CHECK(held[0].summary.empty());
  CHECK(held[0].slo.empty());
  CHECK_FALSE(a.publish(with_body(kIncidents, 9, 2, std::string(kMaxEventBody + 1, 'x'))));
  CHECK_FALSE(a.publish(with_body(kIncidents, 9, 2, "")));
  CHECK_FALSE(a.publish(with_body(FleetEvent::Stream::alerts, 1, 2, "a body")));
  CHECK(a.counters().invalid == 3);

  std::string bytes = encode_event(held[0]);
  REQUIRE(decode_event(bytes) == held[0]);
  CHECK_FALSE(decode_event(bytes + "x"));
  CHECK_FALSE(decode_event(bytes.substr(0, bytes.size() - 1)));
  bytes[0] = 1;  // the format without a body
  CHECK_FALSE(decode_event(bytes));
  FleetEvent told = held[0];
  told.rule = "hidden";
  CHECK_FALSE(decode_event(encode_event(told)));
  told = held[0];
  told.body += "one byte too many";
  CHECK_FALSE(decode_event(encode_event(told)));
}

TEST_CASE("Events of the streams that older peers know are encoded as those know them", "[fleet]") {
  FleetEvent alert{.boot = 3, .sequence = 7, .summary = "s"};
  CHECK(encode_event(alert) == std::string("\x01\x03\x00\x07\x00\x00\x03\x00\x00"
                                           "\x00\x00\x00\x00\x00\x01s",
                                           16));
  // They refuse what has another format, piece by piece, so a piece has events of one stream.
  CHECK(encode_event(with_body(kTimeline, 3, 7, "b"))[0] == 2);
}

TEST_CASE("Who lost its disk takes its events with a body back, whatever their boot", "[fleet]") {
  FleetState first("a", 1), peer("b", 1);
  first.publish(with_body(kIncidents, 77, 1, "opened"));
  first.publish(with_body(kIncidents, 77, 2, "acknowledged"));
  tell(first, peer);
  FleetState again("a", 1, {}, 5);
  std::vector<std::string> heard;
  again.on_event([&](const std::string& origin, const FleetEvent& event) {
    heard.push_back(origin + " " + event.body);
  });
  again.publish(with_body(kIncidents, 78, 1, "of this life"));
  again.raise_boot(4);  // as the handshake does
  for (int round = 0; round < 2; ++round) {
    for (const auto& key : again.missing("a", peer.parts("a"))) {
      if (const auto piece = peer.piece("a", key)) again.merge(*piece, kCeiling);
    }
  }
  CHECK(heard == std::vector<std::string>{"a opened", "a acknowledged"});
  const auto all = again.events("a", kIncidents);
  REQUIRE(all.size() == 3);
  CHECK(all[2].boot == 78);  // a raised boot is none of its owner's
  CHECK(again.foreign_boot() == 0);
}

TEST_CASE("What a node has kept of another one, that one takes back when nobody else has it",
          "[fleet]") {
  FleetState peer("b", 1), again("a", 1);
  const FleetEvent kept = with_body(kIncidents, 77, 1, "opened");
  CHECK_FALSE(peer.recall("a", kept));  // not met
  tell(again, peer);
  CHECK(peer.recall("a", kept));
  CHECK_FALSE(peer.recall("a", kept));
  CHECK_FALSE(peer.recall("a", FleetEvent{.boot = 1, .sequence = 9, .summary = "an alert"}));
  CHECK_FALSE(peer.recall("a", with_body(kIncidents, 77, 2, std::string(2000, 'x'))));
  for (const auto& key : again.missing("a", peer.parts("a"))) {
    if (const auto piece = peer.piece("a", key)) again.merge(*piece, kCeiling);
  }
  REQUIRE(again.events("a", kIncidents).size() == 1);
  CHECK(peer.missing(again.digest()).empty());
}

TEST_CASE("Of events with a body their news is told once, of others never", "[fleet]") {
  FleetState a("a", 1), b("b", 1);
  std::vector<std::string> heard;
  b.on_event([&](const std::string& origin, const FleetEvent& event) {
    heard.push_back(origin + " " + event.body);
  });
  a.publish(FleetEvent{.sequence = 1, .summary = "alert"});
  a.publish(with_body(kTimeline, 1, 1, "deployed"));
  const auto pieces = a.take_changes();
  for (int i = 0; i < 3; ++i) {
    for (const auto& piece : pieces) b.merge(piece, kCeiling);
  }
  CHECK(heard == std::vector<std::string>{"a deployed"});
  CHECK(b.has_event("a", with_body(kTimeline, 1, 1, "")));
  CHECK_FALSE(b.has_event("a", with_body(kTimeline, 1, 2, "")));
  CHECK_FALSE(b.has_event("c", with_body(kTimeline, 1, 1, "")));
}

TEST_CASE("The number of a life differs from that of each other life, and grows", "[fleet]") {
  const auto at = [](int64_t ms) { return WallTime{ms * kNsPerMs}; };
  const int64_t t = 1'700'000'000'000;
  CHECK(life_number(1, at(t)) < life_number(2, at(t + 1)));
  CHECK(life_number(1, at(t)) < life_number(1, at(t + 1)));  // the disk was lost
  CHECK(life_number(1, at(t)) != life_number(2, at(t)));     // the clock stood still
  CHECK(life_number(5, WallTime{}) > 0);
}

TEST_CASE("A lost life of the same boot is noticed by its cells, though its info is forgotten",
          "[fleet]") {
  const WallTime now = WallTime::from_s(500'000 * int64_t{3600});
  const WallTime ceiling = WallTime::from_s(500'100 * int64_t{3600});
  const SeriesMeta meta{{}, "api", "g1", "shop", "0.99", 7200};
  FleetState lost("a", 1, {}, 11), again("a", 1, {}, 21), peer("b", 1, {}, 5);
  const auto id = test::set_series(lost, {meta}, now).front();
  for (int64_t m = 0; m < 5; ++m) {
    lost.publish(id, Tier::minute, now.seconds() / 60 + m, {10, 1, 60});
  }
  for (const auto& piece : lost.take_changes()) peer.merge(piece, ceiling);
  test::set_series(again, {meta}, now);
  for (int i = 0; i < 10; ++i) again.describe(now, 0, {});
  again.publish(id, Tier::minute, now.seconds() / 60 + 7, {3, 0, 60});
  for (const auto& piece : again.take_changes()) peer.merge(piece, ceiling);
  REQUIRE(peer.info("a")->incarnation == 21);
  const auto told_back = [&] {
    for (const auto& part : peer.parts("a", id)) {
      if (const auto piece = peer.piece("a", part.key)) again.merge(*piece, ceiling);
    }
  };
  told_back();
  REQUIRE(again.foreign_boot() == 1);
  again.raise_boot(2);
  told_back();
  CHECK(again.counters().adopted == 5);
  for (const auto& piece : again.take_changes()) peer.merge(piece, ceiling);
  Counts sum;
  peer.each_cell("a", id, Tier::minute, 0, INT64_MAX / 60, [&](int64_t, const Counts& counts) {
    sum.good += counts.good;
    sum.bad += counts.bad;
  });
  CHECK(sum == Counts{53, 5, 0});
}

TEST_CASE("Own cells that a peer still has and this node let go for age are no other life",
          "[fleet]") {
  const int64_t first = 500'000 * int64_t{60};
  const WallTime now = WallTime::from_s(first * 60),
                 ceiling = WallTime::from_s(first * 60 + 864'000);
  const SeriesMeta meta{{}, "api", "g1", "shop", "0.99", 7200};
  FleetState a("a", 1, {}, 11), b("b", 1, {}, 5);
  const auto id = test::set_series(a, {meta}, now).front();
  for (int64_t m = 0; m < 60; ++m) a.publish(id, Tier::minute, first + m, {10, 1, 60});
  for (const auto& piece : a.take_changes()) b.merge(piece, ceiling);
  a.publish(id, Tier::minute, first + 600, {10, 1, 60});
  for (const auto& part : b.parts("a", id)) {
    if (const auto piece = b.piece("a", part.key)) a.merge(*piece, ceiling);
  }
  CHECK(a.foreign_boot() == 0);
}
