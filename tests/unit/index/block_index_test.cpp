#include "nines/collector/block_index.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "support.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

std::string id_of(int i) {
  std::string digits = std::to_string(i * 7919LL % 1'000'000'007LL);
  return "req-" + std::string(10 - std::min<size_t>(10, digits.size()), '0') + digits;
}

// About 120 bytes a line; one in 400 is an error from line `errors_from` on.
std::string json_lines(int from, int to, int errors_from = 1 << 30) {
  std::string out;
  for (int i = from; i < to; ++i) {
    const std::string second = std::to_string(100 + i / 100 % 60).substr(1);
    const std::string minute = std::to_string(100 + i / 6000 % 60).substr(1);
    const bool error = i >= errors_from && i % 400 == 0;
    out += R"({"ts":"2026-11-21T10:)" + minute + ":" + second + R"(.000Z","level":")" +
           (error ? "error" : "info") + R"(","request_id":")" + id_of(i) +
           R"(","message":"request completed as usual","n":)" + std::to_string(i % 50) + "}\n";
  }
  return out;
}

struct Both {
  Found plain, indexed;
};
Both ask(const Place& place, const std::string& path, const query::ScanPlan& plan,
         const Clock& clock) {
  const BlockIndex index(place.state());
  return {scan(path, plan, nullptr, clock.wall()), scan(path, plan, &index, clock.wall())};
}

uint64_t size_of(const std::string& path) { return std::filesystem::file_size(path); }

}  // namespace

TEST_CASE("One request id is found in a block or two of many") {
  const Place place;
  const StillClock clock;
  append(place.log(), json_lines(0, 20'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  const auto [plain, indexed] =
      ask(place, place.log(), where("request_id = '" + id_of(12'345) + "'"), clock);
  REQUIRE(plain.rows.size() == 1);
  CHECK(indexed.rows == plain.rows);
  CHECK(indexed.skipped > size_of(place.log()) * 8 / 10);
  CHECK(indexed.explanation.find("blocks by index") != std::string::npos);
}

TEST_CASE("What is in no block is found by reading nothing that is indexed") {
  const Place place;
  const StillClock clock;
  append(place.log(), json_lines(0, 20'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  for (const char* text :
       {"request_id = 'nowhere-to-be-found-1'", "message LIKE '% extraordinary %'",
        "raw LIKE '%550e8400-e29b-41d4-a716-446655440000%'"}) {
    const auto [plain, indexed] = ask(place, place.log(), where(text), clock);
    CHECK(plain.rows.empty());
    CHECK(indexed.rows.empty());
    CHECK(indexed.skipped > size_of(place.log()) * 8 / 10);
  }
}

TEST_CASE("Lines written after the last block are read") {
  const Place place;
  const StillClock clock;
  append(place.log(), json_lines(0, 3'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  append(place.log(), json_lines(3'000, 3'100));
  const auto [plain, indexed] =
      ask(place, place.log(), where("request_id = '" + id_of(3'050) + "'"), clock);
  REQUIRE(plain.rows.size() == 1);
  CHECK(indexed.rows == plain.rows);
  CHECK(indexed.skipped > 0);
}

TEST_CASE("Levels and times leave blocks out where the query reads the file as the agent did") {
  const Place place;
  const StillClock clock;
  append(place.log(), json_lines(0, 20'000, 15'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  auto [plain, indexed] = ask(place, place.log(), where("level >= ERROR"), clock);
  CHECK(plain.rows.size() == 12);
  CHECK(indexed.rows == plain.rows);
  CHECK(indexed.skipped > size_of(place.log()) / 2);

  query::ScanPlan plan;
  plan.since = WallTime{1'795'255'260'000'000'000};  // 10:01:00
  plan.until = WallTime{1'795'255'320'000'000'000};
  const Both times = ask(place, place.log(), plan, clock);
  CHECK(times.plain.rows.size() == 6'000);
  CHECK(times.indexed.rows == times.plain.rows);
  CHECK(times.indexed.skipped > size_of(place.log()) / 2);
}

TEST_CASE("A rotated log keeps its index") {
  const Place place;
  const StillClock clock;
  Agent agent(place, small_blocks(place), clock);
  append(place.log(), json_lines(0, 4'000));
  agent.read();
  std::filesystem::rename(place.log(), place.log("app.log.1"));
  append(place.log(), json_lines(4'000, 8'000));
  agent.read();
  agent.index().flush();
  for (const auto& [name, i] : {std::pair("app.log.1", 2'222), std::pair("app.log", 6'666)}) {
    const auto [plain, indexed] =
        ask(place, place.log(name), where("request_id = '" + id_of(i) + "'"), clock);
    REQUIRE(plain.rows.size() == 1);
    CHECK(indexed.rows == plain.rows);
    CHECK(indexed.skipped > size_of(place.log(name)) / 2);
  }
}

TEST_CASE("The index of a log that was copied and truncated goes with the copy") {
  const Place place;
  const StillClock clock;
  Agent agent(place, small_blocks(place), clock);
  append(place.log(), json_lines(0, 4'000));
  agent.read();
  std::filesystem::copy_file(place.log(), place.log("app.log.1"));
  std::filesystem::resize_file(place.log(), 0);
  append(place.log(), json_lines(4'000, 4'100));
  agent.read();
  append(place.log(), json_lines(4'100, 9'000));
  append(place.log("app.log.1"), json_lines(9'000, 9'100));
  agent.read();
  agent.index().flush();
  for (const auto& [name, i] : {std::pair("app.log", 6'666), std::pair("app.log.1", 2'222),
                                std::pair("app.log.1", 9'050), std::pair("app.log", 2'222)}) {
    const auto [plain, indexed] =
        ask(place, place.log(name), where("request_id = '" + id_of(i) + "'"), clock);
    CHECK(indexed.rows == plain.rows);
  }
}

TEST_CASE("A log that was written anew with the same beginning is read whole") {
  const Place place;
  const StillClock clock;
  const std::string banner = json_lines(0, 20);  // more than what tells files apart
  append(place.log(), banner + json_lines(20, 4'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  std::filesystem::resize_file(place.log(), 0);
  append(place.log(), banner + json_lines(10'000, 15'000));
  const auto [plain, indexed] =
      ask(place, place.log(), where("request_id = '" + id_of(12'000) + "'"), clock);
  REQUIRE(plain.rows.size() == 1);
  CHECK(indexed.rows == plain.rows);
  CHECK(indexed.skipped == 0);
}

TEST_CASE("An agent that starts again goes on where the saved position is") {
  const Place place;
  const StillClock clock;
  std::vector<slo::Position> saved;
  append(place.log(), json_lines(0, 3'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
    saved = agent.positions();
    append(place.log(), json_lines(3'000, 6'000));
    agent.read();  // indexed, but its position is lost
  }
  append(place.log(), json_lines(6'000, 9'000));
  {
    Agent agent(place, small_blocks(place), clock, saved);
    agent.read();
  }
  CHECK(place.sidecars().size() == 1);
  for (const int i : {1'000, 2'990, 3'010, 4'500, 6'100, 8'000}) {
    const auto [plain, indexed] =
        ask(place, place.log(), where("request_id = '" + id_of(i) + "'"), clock);
    REQUIRE(plain.rows.size() == 1);
    CHECK(indexed.rows == plain.rows);
    CHECK(indexed.skipped > size_of(place.log()) / 2);
  }
}

TEST_CASE("Damage in a sidecar, wherever it is, costs time and no rows") {
  const Place place;
  const StillClock clock;
  append(place.log(), json_lines(0, 4'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  REQUIRE(place.sidecars().size() == 1);
  const std::string path = place.sidecars().front();
  std::ifstream in(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), {});
  const auto plan = where("request_id = '" + id_of(3'000) + "'");
  const auto expected = scan(place.log(), plan, nullptr, clock.wall()).rows;
  const BlockIndex index(place.state());
  for (size_t at = 0; at < good.size(); at += at < 400 ? 1 : 97) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    std::ofstream(path, std::ios::binary) << bad;
    REQUIRE(scan(place.log(), plan, &index, clock.wall()).rows == expected);
    std::ofstream(path, std::ios::binary) << good.substr(0, at);
    REQUIRE(scan(place.log(), plan, &index, clock.wall()).rows == expected);
  }
}

TEST_CASE("A torn end is cut off before more is appended") {
  const Place place;
  const StillClock clock;
  std::vector<slo::Position> saved;
  append(place.log(), json_lines(0, 4'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
    saved = agent.positions();
  }
  append(place.sidecars().front(), std::string(50, '\x5a'));
  append(place.log(), json_lines(4'000, 8'000));
  {
    Agent agent(place, small_blocks(place), clock, saved);
    agent.read();
  }
  const auto [plain, indexed] =
      ask(place, place.log(), where("request_id = '" + id_of(7'000) + "'"), clock);
  REQUIRE(plain.rows.size() == 1);
  CHECK(indexed.rows == plain.rows);
  CHECK(indexed.skipped > size_of(place.log()) * 7 / 10);
}

TEST_CASE("Container logs are indexed; those with lines in pieces are read whole") {
  const Place place;
  const StillClock clock;
  const auto cri = [](const std::string& lines) {
    std::string out;
    for (size_t at = 0; at < lines.size();) {
      const size_t end = lines.find('\n', at) + 1;
      out += "2026-11-21T10:00:00.262484239Z stdout F " + lines.substr(at, end - at);
      at = end;
    }
    return out;
  };
  append(place.log(), cri(json_lines(0, 6'000)));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  const auto plan = where("request_id = '" + id_of(5'000) + "'");
  const Both whole = ask(place, place.log(), plan, clock);
  REQUIRE(whole.plain.rows.size() == 1);
  CHECK(whole.indexed.rows == whole.plain.rows);
  CHECK(whole.indexed.skipped > size_of(place.log()) / 2);

  append(place.log("two.log"), cri(json_lines(0, 3'000)) +
                                   "2026-11-21T10:00:01Z stdout P {\"request_id\":\"req-00\n"
                                   "2026-11-21T10:00:01Z stdout F 11111111\"}\n" +
                                   cri(json_lines(3'000, 6'000)));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  const Both pieces =
      ask(place, place.log("two.log"), where("request_id = 'req-0011111111'"), clock);
  REQUIRE(pieces.plain.rows.size() == 1);
  CHECK(pieces.indexed.rows == pieces.plain.rows);
}

TEST_CASE("When the bytes of the day are used up indexing pauses, says so, and goes on later") {
  const Place place;
  StillClock clock;
  IndexOptions options = small_blocks(place);
  options.append_bytes = 4096;
  options.daily_bytes = 64 * 1024;  // of which half may be saved up
  Agent agent(place, options, clock);
  append(place.log(), json_lines(0, 60'000));
  agent.read();
  const IndexStats paused = agent.index().stats();
  CHECK(paused.paused);
  CHECK(paused.pauses == 1);
  CHECK(paused.bytes_written <= 32 * 1024);
  CHECK(paused.bytes_passed > 0);
  CHECK(paused.trouble.find("daily_bytes") != std::string::npos);
  clock.now_ns += int64_t{86'400} * kNsPerSecond;
  append(place.log(), json_lines(60'000, 64'000));
  agent.read();
  agent.index().flush();
  CHECK_FALSE(agent.index().stats().paused);
  CHECK(agent.index().stats().bytes_written > paused.bytes_written);
  for (const int i : {100, 30'000, 62'000}) {
    const auto [plain, indexed] =
        ask(place, place.log(), where("request_id = '" + id_of(i) + "'"), clock);
    REQUIRE(plain.rows.size() == 1);
    CHECK(indexed.rows == plain.rows);
  }
}

TEST_CASE("Many logs together stay within the memory of the index") {
  const Place place;
  const StillClock clock;
  IndexOptions options = small_blocks(place);
  options.block_bytes = 1024 * 1024;
  options.max_working = 64 * 1024;
  options.append_bytes = 64 * 1024;
  options.max_pending = 8 * 1024;
  {
    Agent agent(place, options, clock);
    for (int log = 0; log < 12; ++log) {
      append(place.log("a" + std::to_string(log) + ".log"),
             json_lines(log * 10'000, log * 10'000 + 3'000));
    }
    agent.read();
    CHECK(agent.index().stats().appends > 0);
  }
  for (int log = 0; log < 12; ++log) {
    const auto [plain, indexed] =
        ask(place, place.log("a" + std::to_string(log) + ".log"),
            where("request_id = '" + id_of(log * 10'000 + 17) + "'"), clock);
    REQUIRE(plain.rows.size() == 1);
    CHECK(indexed.rows == plain.rows);
  }
}

TEST_CASE("Sidecars of logs that are gone are deleted, then the oldest beyond the limit") {
  const Place place;
  const StillClock clock;
  append(place.log("a.log"), json_lines(0, 6'000));
  append(place.log("b.log"), json_lines(10'000, 16'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  REQUIRE(place.sidecars().size() == 2);
  std::filesystem::remove(place.log("a.log"));
  const Agent again(place, small_blocks(place), clock);
  CHECK(place.sidecars().size() == 1);
  IndexOptions tight = small_blocks(place);
  tight.max_bytes = 1024;
  Agent third(place, tight, clock);
  CHECK(place.sidecars().empty());
  CHECK(third.index().stats().evicted == 1);
  CHECK(third.index().stats().disk_bytes == 0);
}

TEST_CASE("An index of another file, or a question that says nothing, leaves nothing out") {
  const Place place;
  const StillClock clock;
  append(place.log(), json_lines(0, 4'000));
  {
    Agent agent(place, small_blocks(place), clock);
    agent.read();
  }
  std::filesystem::copy_file(place.log(), place.log("copy.txt"));
  const auto plan = where("request_id = '" + id_of(3'000) + "'");
  CHECK(ask(place, place.log("copy.txt"), plan, clock).indexed.skipped == 0);
  for (const char* text :
       {"n = 7", "message LIKE '%complet%'", "level >= INFO", "raw LIKE '%a%'"}) {
    const auto [plain, indexed] = ask(place, place.log(), where(text), clock);
    CHECK(indexed.rows == plain.rows);
    CHECK(indexed.skipped == 0);
  }
}
