#include "app/log.hpp"

#include <atomic>
#include <memory>
#include <mutex>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ansicolor_sink.h>
#pragma GCC diagnostic pop

namespace nines::agent::log {
namespace {

// spdlog formats and writes; the time stamp comes from the injected clock and is part of the text.
struct Sink {
  Options options;
  std::shared_ptr<spdlog::logger> logger;
  std::mutex mutex;  // the rate window
  int64_t minute = 0;
  uint64_t lines = 0;
};

std::atomic<Level> threshold{Level::info};
std::atomic<uint64_t> dropped_lines{0};

std::shared_ptr<spdlog::logger> make_logger(const Options& options) {
  auto mode = options.color ? spdlog::color_mode::always : spdlog::color_mode::never;
  auto logger = std::make_shared<spdlog::logger>(
      "nines", std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(mode));
  logger->set_level(spdlog::level::trace);
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%^%-7l%$ %v"));
  return logger;
}

Sink& sink() {
  static Sink the_sink{{}, make_logger({}), {}, 0, 0};
  return the_sink;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: break;
  }
  return spdlog::level::off;
}

// False: over the limit of this minute.
bool admit(Sink& s, Level level) {
  if (!s.options.clock || level >= Level::error) return true;
  const int64_t minute = s.options.clock->mono().ns / (60 * kNsPerSecond);
  if (minute != s.minute) {
    s.minute = minute;
    s.lines = 0;
  }
  if (s.lines >= s.options.max_lines_per_minute) {
    dropped_lines.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  ++s.lines;
  return true;
}

std::string line_of(const Sink& s, std::string_view component, std::string_view message) {
  std::string line;
  if (s.options.timestamps && s.options.clock)
    line += format_rfc3339(to_ms(s.options.clock->wall())) + " ";
  line.append(component).append(": ").append(message);
  for (char& c : line) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20 || u == 0x7F) c = '?';
  }
  return line;
}

}  // namespace

Result<Level> parse_level(std::string_view text) {
  constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error", "off"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (text == kNames[i]) return static_cast<Level>(i);
  }
  return Error{Errc::invalid_argument,
               "'" + std::string(text) +
                   "' is not a log level; there are trace, debug, info, warn, error, off"};
}

void init(const Options& options) {
  Sink& s = sink();
  const std::lock_guard lock(s.mutex);
  s.options = options;
  s.logger = make_logger(options);
  threshold.store(options.level, std::memory_order_relaxed);
}

bool enabled(Level level) noexcept {
  return level >= threshold.load(std::memory_order_relaxed) && level != Level::off;
}

void write(Level level, std::string_view component, std::string_view message) {
  if (!enabled(level)) return;
  Sink& s = sink();
  const std::lock_guard lock(s.mutex);
  if (!admit(s, level)) return;
  s.logger->log(to_spdlog(level), line_of(s, component, message));
}

uint64_t dropped() noexcept { return dropped_lines.load(std::memory_order_relaxed); }

}  // namespace nines::agent::log
