// A scripted endpoint, a consumer that keeps lines, and what a store would keep, for tests of the
// inputs that make their own lines.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "manual_clock.hpp"
#include "nines/collector/metrics_inputs.hpp"

namespace nines::collector::test {

inline constexpr int64_t kStartS = 1'795'000'000;

// Takes whole lines; `per_call` at most in one call, `quota` in all before it declines.
class KeepingConsumer final : public RecordConsumer {
 public:
  size_t per_call = SIZE_MAX, quota = SIZE_MAX;
  std::vector<std::string> lines;
  size_t calls = 0;

  Taken consume(LogStream&, std::string_view data, Reading) override {
    ++calls;
    Taken taken;
    for (size_t n = 0; n < per_call; ++n) {
      const size_t stop = data.find('\n', taken.bytes);
      if (stop == std::string_view::npos) break;
      if (quota == 0) {
        taken.rest = Taken::Rest::declined;
        break;
      }
      --quota;
      lines.emplace_back(data.substr(taken.bytes, stop - taken.bytes));
      taken.bytes = stop + 1;
    }
    return taken;
  }
  void opened(LogStream&) override {}
  void closed(LogStream&) override {}

  // Lines of one metric without their time: METRIC,LABELS... VALUE [+DELTA].
  std::vector<std::string> of(const std::string& metric) const {
    std::vector<std::string> out;
    for (const std::string& line : lines) {
      const std::string head = "\"metric\":\"" + metric + "\"";
      const size_t at = line.find(head);
      if (at == std::string::npos) continue;
      out.push_back(line.substr(at + head.size(), line.size() - at - head.size() - 1));
    }
    return out;
  }
};

inline std::string key_of_line(const std::string& line) {
  const size_t from = line.find("\"metric\":");
  return line.substr(from, line.find(",\"value\":") - from);
}
inline std::optional<double> delta_of_line(const std::string& line) {
  const size_t at = line.find("\"delta\":");
  if (at == std::string::npos) return std::nullopt;
  return std::stod(line.substr(at + 8));
}

// One life after the other of a scrape input, with a store that keeps what was committed.
class ScrapeRig {
 public:
  nines::test::ManualClock clock{WallTime::from_s(kStartS)};
  ScrapeOptions options;
  KeepingConsumer consumer;
  std::unique_ptr<ScrapeInput> input;
  Result<std::string> answer{std::string()};
  bool silent = false;  // the endpoint never answers
  std::vector<std::function<void(Result<std::string>)>> unanswered;
  std::map<std::string, std::string> store;
  std::map<std::string, double> totals;  // sums of the committed deltas, by series
  size_t committed_bytes = 0;

  ScrapeRig() {
    options.url = "http://127.0.0.1:9100/metrics";
    start();
  }

  void start() {
    std::vector<slo::Position> saved;
    for (const auto& [key, state] : store) saved.push_back({key, state});
    input = std::move(*ScrapeInput::create(
        options,
        [this](const ScrapeRequest&, std::function<void(Result<std::string>)> done) {
          if (silent) {
            unanswered.push_back(std::move(done));
          } else {
            done(answer);
          }
        },
        consumer, saved, clock));
  }

  // Asks for `body` now and hands over what came, as far as the consumer goes.
  void scrape(Result<std::string> body) {
    answer = std::move(body);
    clock.advance_s(std::max<int64_t>(
        0, (input->due().ns - clock.mono().ns + kNsPerSecond - 1) / kNsPerSecond));
    for (int i = 0; i < 1000 && input->read(1 << 20) && consumer.quota > 0; ++i) continue;
    clock.advance_s(1);
  }
  void commit() {
    for (const std::string& line : consumer.lines) {
      if (const auto delta = delta_of_line(line)) totals[key_of_line(line)] += *delta;
    }
    consumer.lines.clear();
    std::vector<slo::Position> positions;
    input->take_positions(positions);
    committed_bytes = 0;
    for (slo::Position& p : positions) {
      committed_bytes += p.key.size() + p.state.size();
      store[p.key] = p.state;
    }
  }
  // kill -9: what was not committed is gone.
  void crash() {
    consumer.lines.clear();
    consumer.quota = SIZE_MAX;
    start();
  }
};

}  // namespace nines::collector::test
