// Formats of Python's logging in its three styles, and loguru's.
#include <algorithm>

#include "log/layout_dialects.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

struct Attribute {
  std::string_view name;
  std::string_view field;
  Take take;
  Conv conv;
};
constexpr Attribute kAttributes[] = {
    {"asctime", "ts", Take::time, Conv::time},
    {"time", "ts", Take::time, Conv::time},  // loguru
    {"created", "ts", Take::number, Conv::time},
    {"levelname", "level", Take::until, Conv::level},
    {"level", "level", Take::until, Conv::level},
    {"level.name", "level", Take::until, Conv::level},
    {"message", "message", Take::rest, Conv::whole_text},
    {"name", "logger", Take::until, Conv::text},
    {"module", "module", Take::until, Conv::text},
    {"filename", "file", Take::until, Conv::text},
    {"file", "file", Take::until, Conv::text},
    {"pathname", "path_name", Take::until, Conv::text},
    {"funcName", "function", Take::until, Conv::text},
    {"function", "function", Take::until, Conv::text},
    {"lineno", "lineno", Take::number, Conv::number},
    {"line", "lineno", Take::number, Conv::number},
    {"levelno", "levelno", Take::number, Conv::number},
    {"msecs", "msecs", Take::number, Conv::number},
    {"relativeCreated", "uptime_ms", Take::number, Conv::number},
    {"process", "pid", Take::number, Conv::number},
    {"thread", "thread_id", Take::number, Conv::number},
    {"threadName", "thread", Take::until, Conv::text},
    {"processName", "process_name", Take::until, Conv::text},
    {"taskName", "task", Take::until, Conv::text},
};

struct Placeholder {
  std::string_view name;
  std::string_view format;  // what stands behind a colon, or flags and width
  size_t end;               // index behind it
};

class PythonCompiler {
 public:
  explicit PythonCompiler(std::string_view text) : text_(text), builder_(true) {}

  Result<Programs> compile() {
    percent_ = text_.find("%(") != std::string_view::npos;
    braces_ = !percent_ && text_.find('{') != std::string_view::npos &&
              text_.find("${") == std::string_view::npos;
    for (size_t i = 0; i < text_.size();) {
      NINES_CHECK(next(i));
    }
    NINES_TRY(Program program, builder_.finish());
    return Programs{std::move(program)};
  }

 private:
  Status next(size_t& i) {
    if (escaped_sign(i)) {
      builder_.literal(text_.substr(i, 1));
      i += 2;
      return Ok{};
    }
    const char sign = percent_ ? '%' : braces_ ? '{' : '$';
    if (text_[i] != sign) {
      builder_.literal(text_.substr(i++, 1));
      return Ok{};
    }
    NINES_TRY(const Placeholder found, percent_  ? percent_style(i)
                                       : braces_ ? brace_style(i)
                                                 : dollar_style(i));
    const size_t column = i + 1;
    i = found.end;
    return field(found, column);
  }

  bool escaped_sign(size_t i) const noexcept {
    const std::string_view two = text_.substr(i, 2);
    return (percent_ && two == "%%") || (braces_ && (two == "{{" || two == "}}")) ||
           (!percent_ && !braces_ && two == "$$");
  }

  Result<Placeholder> percent_style(size_t i) const {
    const size_t close = text_.find(')', i);
    if (text_.substr(i, 2) != "%(" || close == std::string_view::npos) {
      return pattern_error(i + 1, "a % without (name)", "write %(name)s, and %% for a percent");
    }
    size_t end = close + 1;
    while (end < text_.size() && !is_alpha(text_[end])) {
      const char c = text_[end];
      if (!is_digit(c) && c != '-' && c != '.' && c != '+' && c != ' ' && c != '#') break;
      ++end;
    }
    if (end == text_.size() || !is_alpha(text_[end])) {
      return pattern_error(i + 1, "%(name) without its letter", "write %(name)s");
    }
    return Placeholder{text_.substr(i + 2, close - i - 2), text_.substr(close + 1, end - close - 1),
                       end + 1};
  }
  Result<Placeholder> brace_style(size_t i) const {
    const size_t close = text_.find('}', i);
    if (close == std::string_view::npos) {
      return pattern_error(i + 1, "{ without }", "close the brace, or write {{ for one");
    }
    const std::string_view inside = text_.substr(i + 1, close - i - 1);
    const size_t colon = std::min(inside.find_first_of(":!"), inside.size());
    return Placeholder{inside.substr(0, colon), inside.substr(std::min(colon + 1, inside.size())),
                       close + 1};
  }
  Result<Placeholder> dollar_style(size_t i) const {
    const bool braces = text_.substr(i + 1).starts_with('{');
    size_t end = i + 1 + (braces ? 1 : 0);
    const size_t begin = end;
    while (end < text_.size() && (is_alnum(text_[end]) || text_[end] == '_')) ++end;
    if (begin == end || (braces && (end == text_.size() || text_[end] != '}'))) {
      return pattern_error(i + 1, "a $ without a name", "write ${name}, and $$ for a dollar");
    }
    return Placeholder{text_.substr(begin, end - begin), {}, end + (braces ? 1u : 0u)};
  }

  // "%(asctime)s.%(msecs)03d" is one time stamp: our readers take the fraction with it.
  bool joins_time(std::string_view name) {
    Step* before = builder_.last();
    if (name != "msecs" || before == nullptr || before->take != Take::time) return false;
    if (before->literal != "." && before->literal != ",") return false;
    before->literal.clear();
    return true;
  }

  Status field(const Placeholder& p, size_t column) {
    if (p.name.empty()) {
      return pattern_error(column, "a field without a name", "name an attribute of LogRecord");
    }
    if (joins_time(p.name)) return Ok{};
    Step step{.name = std::string(p.name), .alias = {}};
    for (const Attribute& a : kAttributes) {
      if (a.name != p.name) continue;
      step.name = a.field;
      step.take = a.take;
      step.conv = a.conv;
    }
    if (p.name == "time" && !p.format.empty()) {
      NINES_TRY(step.time, loguru_time(p.format, column));
    }
    // "%-8s", "{: <8}"; the digits of "%03d" are no blanks.
    const bool padded = step.take != Take::time && std::any_of(p.format.begin(), p.format.end(),
                                                               [](char c) { return is_digit(c); });
    step.pad_left = padded;
    step.trim = padded;
    builder_.field(std::move(step), column);
    return Ok{};
  }

  // YYYY-MM-DD HH:mm:ss.SSS
  static Result<TimeShape> loguru_time(std::string_view format, size_t column) {
    std::string java(format);
    for (size_t i = 0; i < java.size(); ++i) {
      if (java[i] == 'D') java[i] = 'd';
      if (java[i] == 'A') java[i] = 'a';
    }
    const bool utc = java.ends_with("!UTC");
    if (utc) java.resize(java.size() - 4);
    NINES_TRY(TimeShape shape, java_time_shape(java, column));
    shape.utc = utc;
    return shape;
  }

  std::string_view text_;
  ProgramBuilder builder_;
  bool percent_ = false;
  bool braces_ = false;
};

}  // namespace

Result<Programs> compile_python(std::string_view text) { return PythonCompiler(text).compile(); }

}  // namespace nines::log
