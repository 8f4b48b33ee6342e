// The law of the block index: whatever the log, however it was written, rotated and read, and
// whatever is asked, the rows with it are the rows without.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <string>

#include "../../unit/index/support.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

uint64_t below(uint64_t& state, uint64_t n) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (state * 0x2545F4914F6CDD1DULL >> 33) % n;
}

std::string word(uint64_t& seed) {
  static const char* const kWords[] = {"refused",
                                       "10.0.3.77",
                                       "req-0017af",
                                       "user_12345",
                                       "x",
                                       "550e8400-e29b-41d4-a716-4466554400",
                                       "\\u0041bc123",
                                       "12.3456",
                                       "2026.",
                                       "ORDER-991",
                                       "https:\\/\\/a",
                                       "trace-00-"};
  std::string out = kWords[below(seed, 12)];
  if (below(seed, 400) == 0) out += std::string(260, 'z');
  if (below(seed, 2) == 0) out += std::to_string(below(seed, 30));
  return out;
}

enum class Shape { json, plain, access, logfmt };

std::string line(Shape shape, uint64_t& seed, int i) {
  const std::string second = std::to_string(100 + i % 60).substr(1);
  const std::string minute = std::to_string(100 + i / 60 % 60).substr(1);
  const char* const levels[] = {"info", "INFO", "warn", "error", "fatal", "odd"};
  const std::string level = levels[below(seed, 40) < 36 ? 0 : below(seed, 6)];
  std::string text = word(seed);
  for (uint64_t n = below(seed, 8); n > 0; --n) text += (n % 3 == 0 ? "." : " ") + word(seed);
  switch (shape) {
    case Shape::json:
      return R"({"ts":"2026-11-21T10:)" + minute + ":" + second + R"(Z","level":")" + level +
             R"(","request_id":")" + word(seed) + R"(","message":")" + text + "\"}\n";
    case Shape::plain: {
      std::string out = "2026-11-21 10:" + minute + ":" + second + " " + level + " " + text + "\n";
      while (below(seed, 6) == 0) out += "    at " + word(seed) + " " + word(seed) + "\n";
      return out;
    }
    case Shape::access:
      return "10.0." + std::to_string(below(seed, 9)) + ".77 - - [21/Nov/2026:10:" + minute + ":" +
             second + " +0000] \"GET /" + word(seed) + " HTTP/1.1\" 200 " +
             std::to_string(below(seed, 100'000)) + " \"-\" \"" + word(seed) + "\"\n";
    case Shape::logfmt:
      return "ts=2026-11-21T10:" + minute + ":" + second + "Z level=" + level +
             " request_id=" + word(seed) + " msg=\"" + text + "\"\n";
  }
  return "\n";
}

std::string quoted(uint64_t& seed) { return "'" + word(seed) + "'"; }

std::string condition(uint64_t& seed, int depth = 2) {
  switch (below(seed, depth > 0 ? 11 : 8)) {
    case 0: return "request_id = " + quoted(seed);
    case 1: return "remote_addr = '10.0." + std::to_string(below(seed, 12)) + ".77'";
    case 2: return "raw LIKE '%" + word(seed) + "%'";
    case 3: return "message LIKE '% " + word(seed) + " %'";
    case 4: return "level >= ERROR";
    case 5: return "request_id IN (" + quoted(seed) + ", " + quoted(seed) + ")";
    case 6: return "raw ~ '[ =\"]" + word(seed) + "[\" ]'";
    case 7: return "lower(request_id) = 'order-99112'";
    case 8: return "NOT (" + condition(seed, depth - 1) + ")";
    case 9: return "(" + condition(seed, depth - 1) + " AND " + condition(seed, depth - 1) + ")";
    default: return "(" + condition(seed, depth - 1) + " OR " + condition(seed, depth - 1) + ")";
  }
}

// The agent lives several lives; the log grows, is rotated, copied and truncated meanwhile.
void live(const Place& place, const StillClock& clock, Shape shape, uint64_t& seed) {
  IndexOptions options = small_blocks(place);
  options.max_working = 48 * 1024;
  std::vector<slo::Position> saved;
  int i = 0;
  for (uint64_t life = 1 + below(seed, 2); life > 0; --life) {
    Agent agent(place, options, clock, saved);
    for (uint64_t turn = 1 + below(seed, 3); turn > 0; --turn) {
      std::string more;
      while (more.size() < 30'000 + below(seed, 150'000)) more += line(shape, seed, i++);
      append(place.log(), more);
      if (below(seed, 4) != 0) agent.read();
      if (below(seed, 3) == 0) {
        for (const slo::Position& position : agent.positions()) {
          std::erase_if(saved, [&](const auto& known) { return known.key == position.key; });
          if (!position.state.empty()) saved.push_back(position);
        }
      }
      if (below(seed, 6) == 0) {
        std::filesystem::rename(place.log(), place.log("app.log.1"));
      } else if (below(seed, 8) == 0) {
        std::filesystem::copy_file(place.log(), place.log("app.log.1"),
                                   std::filesystem::copy_options::overwrite_existing);
        std::filesystem::resize_file(place.log(), 0);
      }
    }
  }
}

}  // namespace

TEST_CASE("Rows with the index are the rows without it") {
  CHECK(rc::check([] {
    auto seed = *rc::gen::inRange<uint64_t>(1, UINT64_MAX);
    const Place place;
    const StillClock clock;
    const auto shape = static_cast<Shape>(below(seed, 4));
    live(place, clock, shape, seed);
    const BlockIndex index(place.state());
    int left_out = 0;
    for (const char* name : {"app.log", "app.log.1"}) {
      if (!std::filesystem::exists(place.log(name))) continue;
      for (int asked = 0; asked < 8; ++asked) {
        query::ScanPlan plan;
        std::string text = condition(seed);
        if (below(seed, 4) != 0) {
          auto parsed = expr::Expression::parse(text);
          if (!parsed.ok()) continue;  // a word that means something in a pattern
          plan.where = *parsed;
        }
        constexpr int64_t kTen = 1'795'255'200'000'000'000;  // 2026-11-21T10:00:00Z
        if (below(seed, 3) == 0) {
          plan.since = WallTime{kTen + static_cast<int64_t>(below(seed, 3600)) * kNsPerSecond};
        }
        if (below(seed, 3) == 0) {
          plan.until = WallTime{kTen + static_cast<int64_t>(below(seed, 3600)) * kNsPerSecond};
        }
        const Found with = scan(place.log(name), plan, &index, clock.wall());
        const Found without = scan(place.log(name), plan, nullptr, clock.wall());
        left_out += with.skipped > 0 ? 1 : 0;
        if (with.rows != without.rows) RC_LOG() << text << " on " << name << "\n";
        RC_ASSERT(with.rows == without.rows);
      }
    }
    RC_CLASSIFY(left_out > 0, "left something out");
  }));
}
