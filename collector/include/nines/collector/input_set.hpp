// InputSet: all inputs of one reading thread, waited for together and read fairly. One loop, one
// wake-up for a burst of lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/input.hpp"

namespace nines::collector {

// A stream and the input that reads it. Valid until that input reads, rescans or is destroyed.
struct StreamRef {
  Input* input = nullptr;
  LogStream* stream = nullptr;
};

class InputSet {
 public:
  // Wake-ups closer together than `coalesce_ms` become one. `clock` must outlive the set.
  static Result<std::unique_ptr<InputSet>> create(const Clock& clock, int64_t coalesce_ms = 50);
  virtual ~InputSet() = default;

  virtual Input& add(std::unique_ptr<Input> input) = 0;

  // Waits at most timeout_ms (returns early on wake()), then gives every input that is ready or due
  // its share of `max_bytes`. True: more is ready now.
  virtual bool poll(int timeout_ms, size_t max_bytes) = 0;
  // Reads nothing for so long; returns early on wake().
  virtual void pause(int timeout_ms) = 0;
  virtual void wake() noexcept = 0;  // thread-safe, async-signal-safe

  virtual void rescan() = 0;
  virtual std::vector<StreamRef> list() = 0;
  virtual bool caught_up() const noexcept = 0;
  virtual void take_positions(std::vector<slo::Position>& out) = 0;
  virtual std::vector<InputStats> describe() const = 0;
  virtual uint64_t wakeups() const noexcept = 0;  // returns from waiting for the kernel
};

}  // namespace nines::collector
