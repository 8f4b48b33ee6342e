// PatternLayout of log4j 1, log4j 2 and logback: %[-][min][.max]name{option}..., groups in
// parentheses (logback: %highlight(%p), %clr(..){faint}) or braces (log4j 2: %highlight{%p}).
#include <algorithm>

#include "log/layout_dialects.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

enum class What : uint8_t { date, level, text, number, message, nothing, newline, map, uptime };
struct Conversion {
  std::string_view name;
  What what;
  std::string_view field;
};
// Longest names first where one begins like another: log4j reads letters as far as they go.
constexpr Conversion kConversions[] = {
    {"d", What::date, "ts"},
    {"date", What::date, "ts"},
    {"p", What::level, "level"},
    {"level", What::level, "level"},
    {"le", What::level, "level"},
    {"t", What::text, "thread"},
    {"tn", What::text, "thread"},
    {"thread", What::text, "thread"},
    {"threadName", What::text, "thread"},
    {"T", What::number, "thread_id"},
    {"tid", What::number, "thread_id"},
    {"threadId", What::number, "thread_id"},
    {"tp", What::number, "thread_priority"},
    {"threadPriority", What::number, "thread_priority"},
    {"c", What::text, "logger"},
    {"lo", What::text, "logger"},
    {"logger", What::text, "logger"},
    {"C", What::text, "class"},
    {"class", What::text, "class"},
    {"M", What::text, "function"},
    {"method", What::text, "function"},
    {"F", What::text, "file"},
    {"file", What::text, "file"},
    {"L", What::number, "lineno"},
    {"line", What::number, "lineno"},
    {"l", What::text, "location"},
    {"location", What::text, "location"},
    {"caller", What::text, "caller"},
    {"m", What::message, "message"},
    {"msg", What::message, "message"},
    {"message", What::message, "message"},
    {"n", What::newline, {}},
    {"x", What::map, "ndc"},
    {"NDC", What::map, "ndc"},
    {"X", What::map, "mdc"},
    {"mdc", What::map, "mdc"},
    {"MDC", What::map, "mdc"},
    {"K", What::map, "map"},
    {"map", What::map, "map"},
    {"MAP", What::map, "map"},
    {"marker", What::map, "marker"},
    {"markerSimpleName", What::map, "marker"},
    {"kvp", What::map, "kvp"},
    {"contextName", What::text, "context"},
    {"cn", What::text, "context"},
    {"property", What::text, "property"},
    {"r", What::uptime, "uptime_ms"},
    {"relative", What::uptime, "uptime_ms"},
    {"N", What::number, "nanotime"},
    {"nano", What::number, "nanotime"},
    {"pid", What::number, "pid"},
    {"processId", What::number, "pid"},
    {"sn", What::number, "sequence"},
    {"sequenceNumber", What::number, "sequence"},
    {"u", What::text, "uuid"},
    {"uuid", What::text, "uuid"},
    {"fqcn", What::text, "fqcn"},
    // Stack traces stand behind the message and belong to it.
    {"ex", What::nothing, {}},
    {"exception", What::nothing, {}},
    {"throwable", What::nothing, {}},
    {"xEx", What::nothing, {}},
    {"xException", What::nothing, {}},
    {"xThrowable", What::nothing, {}},
    {"rEx", What::nothing, {}},
    {"rException", What::nothing, {}},
    {"rThrowable", What::nothing, {}},
    {"rootException", What::nothing, {}},
    {"wEx", What::nothing, {}},
    {"wex", What::nothing, {}},
    {"ewEx", What::nothing, {}},
    {"nopex", What::nothing, {}},
    {"nopexception", What::nothing, {}},
};

// Around other conversions; what they add (colours) is not in files.
constexpr std::string_view kWrappers[] = {
    "highlight",    "clr",
    "style",        "color",
    "black",        "red",
    "green",        "yellow",
    "blue",         "magenta",
    "cyan",         "white",
    "gray",         "boldRed",
    "boldGreen",    "boldYellow",
    "boldBlue",     "boldMagenta",
    "boldCyan",     "boldWhite",
    "replace",      "enc",
    "encode",       "notEmpty",
    "varsNotEmpty", "variablesNotEmpty",
    "maxLen",       "maxLength",
    "prefix",
};

bool is_wrapper(std::string_view name) noexcept {
  return std::find(std::begin(kWrappers), std::end(kWrappers), name) != std::end(kWrappers);
}

const Conversion* find_conversion(std::string_view name) noexcept {
  for (const Conversion& c : kConversions) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

class Log4jCompiler {
 public:
  explicit Log4jCompiler(std::string_view text) : text_(text), builder_(true) {}

  Result<Programs> compile() {
    NINES_CHECK(read(0, text_.size()));
    NINES_TRY(Program program, builder_.finish());
    return Programs{std::move(program)};
  }

 private:
  Status read(size_t i, size_t end) {
    while (i < end) {
      if (text_[i] == '\\' && i + 1 < end) {
        builder_.literal(text_[i + 1] == 't' ? "\t" : text_.substr(i + 1, 1));
        i += 2;
      } else if (text_.substr(i, 2) == "%%") {
        builder_.literal("%");
        i += 2;
      } else if (text_[i] == '%') {
        NINES_CHECK(conversion(i, end));
      } else {
        builder_.literal(text_.substr(i++, 1));
      }
    }
    return Ok{};
  }

  // At a percent sign; moves `i` behind the conversion and its options.
  Status conversion(size_t& i, size_t end) {
    const size_t column = i + 1;
    padded_ = false;
    for (++i; i < end && (is_digit(text_[i]) || text_[i] == '-' || text_[i] == '.');) {
      padded_ = padded_ || text_[i] != '.';
      ++i;
    }
    if (i < end && text_[i] == '(') return group(i, end, '(', ')', column);  // logback
    size_t stop = i;
    while (stop < end && is_alpha(text_[stop])) ++stop;
    const std::string_view letters = text_.substr(i, stop - i);
    const std::string_view name = known_name(letters);
    if (name.empty()) {
      return pattern_error(column, "unknown conversion %" + std::string(letters),
                           "known are %d %p %t %c %m %n %X{key} %M %F %L %C %r %pid, and groups");
    }
    i += name.size();
    if (is_wrapper(name)) return wrapper(i, end, column);
    return field(*find_conversion(name), i, end, column);
  }

  // Literal letters may follow without a break: %mtext is %m and "text".
  static std::string_view known_name(std::string_view letters) noexcept {
    for (size_t size = letters.size(); size > 0; --size) {
      const std::string_view name = letters.substr(0, size);
      if (is_wrapper(name) || find_conversion(name) != nullptr) return name;
    }
    return {};
  }

  // What stands between the bracket at `i` and its partner; options behind it are skipped.
  Status group(size_t& i, size_t end, char open, char close, size_t column) {
    int depth = 0;
    size_t p = i;
    for (; p < end; ++p) {
      if (text_[p] == '\\') {
        ++p;
        continue;
      }
      depth += text_[p] == open ? 1 : text_[p] == close ? -1 : 0;
      if (depth == 0) break;
    }
    if (p >= end) {
      return pattern_error(column, std::string("a group without its ") + close, "close it");
    }
    NINES_CHECK(read(i + 1, p));
    i = p + 1;
    return Ok{};
  }
  Status wrapper(size_t& i, size_t end, size_t column) {
    if (i >= end || (text_[i] != '(' && text_[i] != '{')) {
      return pattern_error(column, "a group without its parenthesis", "write %name(...)");
    }
    const bool round = text_[i] == '(';
    NINES_CHECK(group(i, end, round ? '(' : '{', round ? ')' : '}', column));
    option(i, end);
    option(i, end);
    return Ok{};
  }
  // "{...}" at `i`, empty when there is none.
  std::string_view option(size_t& i, size_t end) const noexcept {
    if (i >= end || text_[i] != '{') return {};
    const size_t close = text_.find('}', i);
    if (close == std::string_view::npos || close >= end) return {};
    const std::string_view inside = text_.substr(i + 1, close - i - 1);
    i = close + 1;
    return inside;
  }

  Status field(const Conversion& c, size_t& i, size_t end, size_t column) {
    const size_t option_column = i + 2;
    const std::string_view first = option(i, end);
    const std::string_view second = option(i, end);
    while (!option(i, end).empty()) continue;
    Step step{.name = std::string(c.field), .alias = {}};
    step.pad_left = padded_;
    step.trim = padded_;
    switch (c.what) {
      case What::nothing: return Ok{};
      case What::newline: builder_.literal("\n"); return Ok{};
      case What::date: return date(std::move(step), first, second, column, option_column);
      case What::level: step.conv = Conv::level; break;
      case What::number:
        step.conv = Conv::number;
        if (c.field != "lineno") step.take = Take::number;
        break;
      case What::uptime:
        step.take = Take::number;
        step.conv = Conv::number;
        break;
      case What::message:
        step.take = Take::rest;
        step.conv = Conv::whole_text;
        break;
      case What::map:
        step.maybe_empty = true;
        if (!first.empty()) step.name = first.substr(0, first.find(":-"));
        if (step.name == "requestId" || step.name == "request-id") step.name = "request_id";
        break;
      case What::text: break;
    }
    builder_.field(std::move(step), column);
    return Ok{};
  }

  Status date(Step step, std::string_view pattern, std::string_view zone, size_t column,
              size_t option_column) {
    // logback: %d{"yyyy-MM-dd HH:mm:ss,SSS", UTC}
    if (const size_t comma = pattern.find("\","); comma != std::string_view::npos) {
      zone = pattern.substr(comma + 2);
      pattern = pattern.substr(0, comma);
    } else if (const size_t named = pattern.rfind(", "); named != std::string_view::npos) {
      zone = pattern.substr(named + 2);
      pattern = pattern.substr(0, named);
    }
    while (!pattern.empty() && pattern.front() == '"') pattern.remove_prefix(1);
    while (!pattern.empty() && pattern.back() == '"') pattern.remove_suffix(1);
    while (!zone.empty() && zone.front() == ' ') zone.remove_prefix(1);
    step.take = Take::time;
    step.conv = Conv::time;
    NINES_TRY(step.time, java_time_shape(pattern, option_column));
    step.time.utc = zone == "UTC" || zone == "GMT" || zone == "Z" || zone == "GMT+0";
    builder_.field(std::move(step), column);
    return Ok{};
  }

  std::string_view text_;
  ProgramBuilder builder_;
  bool padded_ = false;
};

}  // namespace

Result<Programs> compile_log4j(std::string_view text) { return Log4jCompiler(text).compile(); }

}  // namespace nines::log
