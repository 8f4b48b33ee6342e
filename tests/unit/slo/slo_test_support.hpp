// Small builders for the tests of the engine.
#pragma once

#include <string>
#include <vector>

#include "nines/slo/engine.hpp"

namespace nines::slo::test {

inline constexpr int64_t kT0 = 1'767'225'600;  // 2026-01-01T00:00:00Z

// 32-bit ARM is only ever emulated here, five times slower than arm64: shorter histories for it.
inline constexpr bool kSlowMachine = sizeof(void*) == 4;

inline Decimal dec(const char* text) { return *Decimal::parse(text); }

inline SloSpec spec_of(const std::string& name, const char* target = "0.999",
                       int64_t window_s = 30 * 86400) {
  SloSpec spec;
  spec.name = name;
  spec.service = "shop";
  spec.target = dec(target);
  spec.window_s = window_s;
  spec.alerts = default_policy(window_s, spec.target);
  return spec;
}

inline SlotDelta delta(int64_t at_s, int64_t good, int64_t bad, uint32_t covered_s = 10,
                       uint32_t slo = 0) {
  return {slo, slot_of(WallTime::from_s(at_s)), good, bad, covered_s};
}

inline Batch batch_of(std::vector<SlotDelta> slots) {
  Batch batch;
  batch.slots = std::move(slots);
  batch.normalize();
  return batch;
}

// An engine with one SLO and a clock of its own that feeds a slot and evaluates every 10 s.
class World {
 public:
  explicit World(SloSpec spec, int64_t start_s = kT0) : now_s_(start_s) {
    index_ = *engine_.add(std::move(spec));
  }

  // Lets `seconds` pass with so many good and bad events in each 10 s slot.
  void run(int64_t seconds, int64_t good, int64_t bad, uint32_t covered_s = 10) {
    for (const int64_t end = now_s_ + seconds; now_s_ < end;) {
      engine_.apply(batch_of({delta(now_s_, good, bad, covered_s, index_)}));
      now_s_ += 10;
      evaluate();
    }
  }
  // The same as history: counted in one batch, evaluated at its end only.
  void fill(int64_t seconds, int64_t good, int64_t bad) {
    Batch batch;
    for (const int64_t end = now_s_ + seconds; now_s_ < end; now_s_ += 10) {
      batch.slots.push_back(delta(now_s_, good, bad, 10, index_));
    }
    batch.max_event_time = WallTime::from_s(now_s_ - 1);
    engine_.apply(batch);
    evaluate();
  }
  // Time passes and nobody reads the logs.
  void blind(int64_t seconds) {
    for (const int64_t end = now_s_ + seconds; now_s_ < end;) {
      now_s_ += 10;
      evaluate();
    }
  }
  void evaluate() { engine_.evaluate(WallTime::from_s(now_s_), WallTime::from_s(now_s_), events_); }

  SloEngine& engine() { return engine_; }
  const SloStatus& status() const { return engine_.status(index_); }
  const std::vector<AlertEvent>& events() const { return events_; }
  int64_t now_s() const { return now_s_; }
  WallTime now() const { return WallTime::from_s(now_s_); }
  // "+fast -fast": transitions in order.
  std::string story() const {
    std::string text;
    for (const AlertEvent& e : events_) {
      text += (text.empty() ? "" : " ") +
              std::string(e.kind == AlertEvent::Kind::fired ? "+" : "-") + e.rule;
    }
    return text;
  }

 private:
  SloEngine engine_;
  uint32_t index_ = 0;
  int64_t now_s_;
  std::vector<AlertEvent> events_;
};

}  // namespace nines::slo::test
