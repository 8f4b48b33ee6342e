// The agent without its threads: real tailer, pipeline, judge and store on a temp directory, with a
// clock that stands still until told. What the tests of the composition share.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "app/once.hpp"
#include "app/wiring.hpp"
#include "manual_clock.hpp"
#include "tail_fixture.hpp"
#include "view/status_json.hpp"

namespace nines::test {

using collector::testing::append;
using collector::testing::TempDir;

inline constexpr int64_t kMidnight = 1772323200;  // 2026-03-01T00:00:00Z

inline std::string access_line(int64_t unix_s, int status, int duration_ms = 10) {
  const std::time_t t = unix_s;
  std::tm parts{};
  ::gmtime_r(&t, &parts);
  char stamp[64], line[256];
  std::strftime(stamp, sizeof stamp, "%d/%b/%Y:%H:%M:%S +0000", &parts);
  std::snprintf(line, sizeof line,
                "10.0.0.1 - - [%s] \"GET /a HTTP/1.1\" %d 12 \"-\" \"t\" %d.%03d\n", stamp, status,
                duration_ms / 1000, duration_ms % 1000);
  return line;
}

inline slo::SourceSelector access_log(const std::string& path) {
  slo::SourceSelector source;
  source.paths = {path};
  source.format = "nginx";
  return source;
}

// Share of answers below 500, with the default alerts of a day.
inline slo::SloSpec availability(const std::string& name, const std::string& path,
                                 const char* target = "0.99") {
  slo::SloSpec spec;
  spec.name = name;
  spec.service = name;
  spec.target = *Decimal::parse(target);
  spec.window_s = 86400;
  spec.indicator.total.source = access_log(path);
  spec.indicator.part.source = access_log(path);
  spec.indicator.part.where = "status < 500";
  spec.alerts = slo::default_policy(spec.window_s, spec.target);
  return spec;
}

inline slo::SloSpec latency(const std::string& name, const std::string& path) {
  slo::SloSpec spec = availability(name, path);
  spec.indicator.kind = slo::SliKind::threshold;
  spec.indicator.part = {};
  spec.indicator.value = "duration_ms";
  spec.indicator.unit = "ms";
  spec.op = slo::CompareOp::lte;
  spec.threshold = Decimal{300, 0};
  return spec;
}

// One life of the agent; several with one state directory are one history.
class Life {
 public:
  Life(const agent::Setup& setup, const std::string& state, const Clock& clock) : clock_(clock) {
    if (!state.empty()) {
      auto opened = agent::open_store(state, setup.config);
      if (!opened.ok()) throw std::runtime_error(opened.error().message);
      store_ = std::move(*opened);
    }
    auto wired = agent::wire(setup, store_.get(), clock);
    if (!wired.ok()) throw std::runtime_error(wired.error().message);
    halves_ = std::move(*wired);
  }

  // As `agent --once`; gives the alert transitions as lines of text.
  std::vector<std::string> run_once(bool log_clock) {
    std::vector<std::string> told;
    agent::OnceOptions options;
    options.log_clock = log_clock;
    options.on_alert = [&](const slo::AlertEvent& e) { told.push_back(text(e)); };
    require(agent::run_once(*halves_.ingest, judge(), nullptr, store_.get(), clock_, options));
    return told;
  }

  // As the live agent at a tick: reads what there is, judges at the clock's time.
  std::vector<slo::AlertEvent> tick() {
    while (halves_.ingest->inputs().poll(0, SIZE_MAX)) {
    }
    judge().take(halves_.ingest->hand_over(clock_.wall()), clock_.wall());
    for (const uint32_t row : judge().take_new_rows()) {
      if (store_ != nullptr) require(agent::attach_row(*store_, judge(), row));
    }
    return judge().evaluate(clock_.wall(), clock_.wall());
  }
  void look_for_files() { halves_.ingest->inputs().rescan(); }

  void commit() {
    auto pending = judge().take_commit(clock_.wall());
    require(store_->commit(pending));
    judge().let_rows_go();
  }

  static std::string text(const slo::AlertEvent& e) {
    return format_rfc3339(e.at) +
           (e.kind == slo::AlertEvent::Kind::fired ? " fired " : " resolved ") + e.slo + " " +
           e.rule + ": " + e.summary;
  }
  std::string status_json() const { return agent::view::slos_json(halves_.judge->snapshot()); }
  const slo::SloStatus& status(uint32_t slo = 0) const {
    return halves_.judge->engine().status(slo);
  }
  int64_t covered_s(int64_t from_s, int64_t until_s, uint32_t slo = 0) const {
    return halves_.judge->engine()
        .window(slo, WallTime::from_s(until_s), until_s - from_s)
        .covered_s;
  }
  agent::Judge& judge() { return *halves_.judge; }
  agent::Ingest& ingest() { return *halves_.ingest; }
  store::StateStore& store() { return *store_; }

 private:
  static void require(const Status& status) {
    if (!status.ok()) throw std::runtime_error(status.error().message);
  }

  const Clock& clock_;
  std::unique_ptr<store::StateStore> store_;
  agent::Halves halves_;
};

}  // namespace nines::test
