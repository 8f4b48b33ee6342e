// Log: what the agent says about itself, on stderr, one line a message. A facade, so that one file
// only pays for the logging library. Thread-safe. Control bytes of the message are replaced: it may
// quote a hostile log line. More than max_lines_per_minute are dropped and counted (law 2: the
// agent must not become the noisiest program of the node).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::log {

enum class Level : uint8_t { trace, debug, info, warn, error, off };
Result<Level> parse_level(std::string_view text);  // "info"; the error lists the levels

struct Options {
  Level level = Level::info;
  bool timestamps = true;  // false under a journal that stamps lines itself
  bool color = false;
  uint64_t max_lines_per_minute = 600;  // errors are never dropped
  const Clock* clock = nullptr;         // must outlive the last write; null: no stamps, no limit
};
void init(const Options& options);

bool enabled(Level level) noexcept;
void write(Level level, std::string_view component, std::string_view message);
uint64_t dropped() noexcept;

inline void trace(std::string_view who, std::string_view what) { write(Level::trace, who, what); }
inline void debug(std::string_view who, std::string_view what) { write(Level::debug, who, what); }
inline void info(std::string_view who, std::string_view what) { write(Level::info, who, what); }
inline void warn(std::string_view who, std::string_view what) { write(Level::warn, who, what); }
inline void error(std::string_view who, std::string_view what) { write(Level::error, who, what); }

}  // namespace nines::agent::log
