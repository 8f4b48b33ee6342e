// Cost of one line by format and wanted fields. Lines are drawn from a few hundred generated ones,
// so that branch predictors cannot learn a single line by heart; time advances every few lines.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "nines/log/cri.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace {

using namespace nines;
using namespace nines::log;

constexpr TimeContext kContext{0, {1'795'262'400 * kNsPerSecond}};
constexpr int kLines = 512;

class Dice {
 public:
  unsigned operator()(unsigned sides) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>(state_ >> 33) % sides;
  }

 private:
  uint64_t state_ = 42;
};

template <class... Args>
std::string formatted(const char* pattern, Args... args) {
  char buffer[1024];
  const int n = std::snprintf(buffer, sizeof buffer, pattern, args...);
  return {buffer, static_cast<size_t>(n)};
}

constexpr unsigned kStatus[] = {200, 200, 200, 200, 204, 301, 404, 500, 503};

// About 215 bytes, as in the measured baselines.
std::string combined_line(int i, Dice& dice) {
  return formatted(
      "203.0.113.%u - - [21/Nov/2026:01:%02d:%02d +0000] \"GET /api/v1/orders/%u?page=%u "
      "HTTP/1.1\" %u %u "
      "\"https://shop.example.com/cart\" \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) "
      "Gecko/20100101 "
      "Firefox/128.0\" %u.%03u",
      dice(254), i / 240 % 60, i / 4 % 60, dice(100000), dice(50), kStatus[dice(9)], dice(90000),
      dice(3), dice(1000));
}
// About 209 bytes.
std::string json_line(int i, Dice& dice) {
  return formatted(
      R"({"ts":"2026-11-21T01:%02d:%02d.%03uZ","level":"info","service":"checkout","method":"GET",)"
      R"("path":"/api/v1/orders/%u","status":%u,"duration_ms":%u.%u,"request_id":"%08x%08x",)"
      R"("bytes":%u,"message":"request handled"})",
      i / 240 % 60, i / 4 % 60, dice(1000), dice(100000), kStatus[dice(9)], dice(900), dice(1000),
      dice(1u << 30), dice(1u << 30), dice(90000));
}
std::string json_alias_line(int i, Dice& dice) {
  std::string line = json_line(i, dice);
  return line.replace(line.find("\"ts\""), 4, "\"time\"");
}
std::string logfmt_line(int i, Dice& dice) {
  return formatted(
      "ts=2026-11-21T01:%02d:%02d.%03uZ level=info service=checkout method=GET "
      "path=/api/v1/orders/%u status=%u "
      "duration_ms=%u request_id=%08x%08x msg=\"request handled by upstream\"",
      i / 240 % 60, i / 4 % 60, dice(1000), dice(100000), kStatus[dice(9)], dice(900),
      dice(1u << 30), dice(1u << 30));
}
std::string syslog_line(int i, Dice& dice) {
  return formatted(
      "Nov 21 01:%02d:%02d node1 sshd[%u]: Failed password for invalid user admin from "
      "203.0.113.%u port %u ssh2",
      i / 240 % 60, i / 4 % 60, dice(30000), dice(254), dice(60000));
}
std::string syslog5424_line(int i, Dice& dice) {
  return formatted(
      "<%u>1 2026-11-21T01:%02d:%02d.%03uZ node1 shop %u REQ [req@1 id=\"%08x\"] request handled",
      dice(8) + 128, i / 240 % 60, i / 4 % 60, dice(1000), dice(30000), dice(1u << 30));
}
std::string plain_line(int i, Dice& dice) {
  return formatted(
      "2026-11-21 01:%02d:%02d,%03u - WARN  "
      "[QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:%u:FastLeaderElection@774] - Notification time out: %u",
      i / 240 % 60, i / 4 % 60, dice(1000), dice(60000), dice(10000));
}
std::string cri_line(int i, Dice& dice) {
  return formatted("2026-11-21T01:%02d:%02d.%09uZ stdout F ", i / 240 % 60, i / 4 % 60,
                   dice(1000000000)) +
         json_line(i, dice);
}

using MakeLine = std::string (*)(int, Dice&);

std::vector<std::string> corpus(MakeLine make) {
  Dice dice;
  std::vector<std::string> lines;
  for (int i = 0; i < kLines; ++i) lines.push_back(make(i, dice));
  return lines;
}

void report(benchmark::State& state, const std::vector<std::string>& lines) {
  size_t bytes = 0;
  for (const std::string& line : lines) bytes += line.size() + 1;
  const auto rounds = static_cast<int64_t>(state.iterations());
  state.SetBytesProcessed(rounds * static_cast<int64_t>(bytes));
  state.SetItemsProcessed(rounds * kLines);
  state.counters["line_bytes"] = static_cast<double>(bytes) / kLines - 1;
  state.counters["ns_per_line"] =
      benchmark::Counter(static_cast<double>(rounds) * kLines * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void parse(benchmark::State& state, FormatSpec format, MakeLine make,
           std::vector<std::string> wanted) {
  const auto lines = corpus(make);
  auto parser = make_parser(format, wanted, kContext);
  if (!parser.ok()) return state.SkipWithError(parser.error().message.c_str());
  std::vector<Value> values(wanted.size());
  for (auto _ : state) {
    for (const std::string& line : lines) {
      ParsedRecord record{{}, false, values};
      if ((*parser)->parse(line, record) != ParseOutcome::ok)
        return state.SkipWithError("line refused");
      benchmark::DoNotOptimize(values.data());
      benchmark::DoNotOptimize(record.ts);
    }
  }
  report(state, lines);
}

void unwrap_cri(benchmark::State& state) {
  const auto lines = corpus(cri_line);
  PieceJoiner joiner(64 * 1024);
  for (auto _ : state) {
    for (const std::string& line : lines) {
      PieceJoiner::Line record;
      Piece piece;
      if (!parse_cri(line, piece) || !joiner.push(piece, 0, record))
        return state.SkipWithError("line refused");
      benchmark::DoNotOptimize(record);
    }
  }
  report(state, lines);
}

FormatSpec of(FormatKind kind) { return {kind, {}, {}}; }
const FormatSpec kRegex{
    FormatKind::regex,
    R"(^(?P<remote_addr>\S+) \S+ \S+ \[(?P<ts>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<status>\d+) (?P<bytes>\d+|-))",
    {}};

// The same lines, the same fields, three ways: by hand, compiled from nginx' log_format, RE2.
const FormatSpec kLayout{
    FormatKind::layout,
    R"(nginx:$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent )"
    R"("$http_referer" "$http_user_agent" $request_time)",
    {}};
const FormatSpec kRegexDuration{FormatKind::regex,
                                R"(^\S+ - \S+ \[(?P<ts>[^\]]+)\] "[^"]*" (?P<status>\d+) \d+ )"
                                R"("[^"]*" "[^"]*" (?P<duration_ms>\S+)$)",
                                {}};
const FormatSpec kKlog{FormatKind::layout, "klog", {}};
const FormatSpec kLog4j{FormatKind::layout, "log4j:%d - %-5p [%c@%L] - %m%n", {}};

std::string klog_line(int i, Dice& dice) {
  return formatted("I1121 01:%02d:%02d.%06u %7u controller.go:%u] \"Synced\" pod=\"shop/cart-%u\"",
                   i / 240 % 60, i / 4 % 60, dice(1000000), dice(30000), dice(900), dice(90000));
}

BENCHMARK_CAPTURE(parse, by_hand_status_duration, of(FormatKind::combined), combined_line,
                  {"status", "duration_ms"});
BENCHMARK_CAPTURE(parse, by_layout_status_duration, kLayout, combined_line,
                  {"status", "duration_ms"});
BENCHMARK_CAPTURE(parse, by_regex_status_duration, kRegexDuration, combined_line,
                  {"status", "duration_ms"});
BENCHMARK_CAPTURE(parse, by_layout_all, kLayout, combined_line,
                  {"ts", "remote_addr", "method", "path", "status", "bytes", "referer",
                   "user_agent", "duration_ms"});
BENCHMARK_CAPTURE(parse, layout_klog, kKlog, klog_line, {"ts", "level", "message"});
BENCHMARK_CAPTURE(parse, layout_log4j, kLog4j, plain_line, {"ts", "level", "message"});
BENCHMARK_CAPTURE(parse, combined_ts_status_duration, of(FormatKind::combined), combined_line,
                  {"ts", "status", "duration_ms"});
BENCHMARK_CAPTURE(parse, combined_all, of(FormatKind::combined), combined_line,
                  {"ts", "remote_addr", "method", "path", "status", "bytes", "referer",
                   "user_agent", "duration_ms"});
BENCHMARK_CAPTURE(parse, json_3, of(FormatKind::json), json_line, {"ts", "status", "duration_ms"});
BENCHMARK_CAPTURE(parse, json_3_time_alias, of(FormatKind::json), json_alias_line,
                  {"ts", "status", "duration_ms"});
BENCHMARK_CAPTURE(parse, json_7, of(FormatKind::json), json_line,
                  {"ts", "level", "service", "path", "status", "duration_ms", "message"});
BENCHMARK_CAPTURE(parse, logfmt_3, of(FormatKind::logfmt), logfmt_line,
                  {"ts", "status", "duration_ms"});
BENCHMARK_CAPTURE(parse, syslog_3164, of(FormatKind::syslog), syslog_line,
                  {"ts", "app", "message"});
BENCHMARK_CAPTURE(parse, syslog_5424, of(FormatKind::syslog), syslog5424_line,
                  {"ts", "level", "message"});
BENCHMARK_CAPTURE(parse, plain, of(FormatKind::plain), plain_line, {"ts", "level", "message"});
BENCHMARK_CAPTURE(parse, regex_ts_status, kRegex, combined_line, {"ts", "status"});
BENCHMARK(unwrap_cri);

}  // namespace

BENCHMARK_MAIN();
