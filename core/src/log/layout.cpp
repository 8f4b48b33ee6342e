#include "log/layout.hpp"

#include "log/layout_builtin.hpp"
#include "log/layout_dialects.hpp"
#include "log/layout_run.hpp"
#include "log/scan.hpp"

namespace nines::log {
namespace {

constexpr size_t kMaxPattern = 16 * 1024;

struct Dialect {
  std::string_view name;
  Result<Programs> (*compile)(std::string_view);
};
constexpr Dialect kDialects[] = {
    {"nginx", compile_nginx}, {"apache", compile_apache}, {"envoy", compile_envoy},
    {"log4j", compile_log4j}, {"python", compile_python}, {"postgres", compile_postgres},
};

bool is_builtin(std::string_view name) noexcept {
  for (const BuiltinLayout& layout : builtin_layouts()) {
    if (layout.name == name) return true;
  }
  return false;
}

std::string known_layouts() {
  std::string names;
  for (const BuiltinLayout& layout : builtin_layouts()) {
    names += (names.empty() ? "" : ", ") + std::string(layout.name);
  }
  for (const Dialect& dialect : kDialects) names += ", " + std::string(dialect.name) + ":PATTERN";
  return names;
}

Result<Programs> compile(std::string_view pattern) {
  if (pattern.size() > kMaxPattern) {
    return Error{Errc::invalid_argument, "log layout: the pattern is longer than 16 KiB"};
  }
  if (is_builtin(pattern)) return compile_builtin(pattern);
  const size_t colon = pattern.find(':');
  for (const Dialect& dialect : kDialects) {
    if (colon == std::string_view::npos || dialect.name != pattern.substr(0, colon)) continue;
    auto programs = dialect.compile(pattern.substr(colon + 1));
    if (programs.ok()) return programs;
    return Error{Errc::invalid_argument, "log layout \"" + std::string(pattern.substr(0, 200)) +
                                             "\": " + programs.error().message};
  }
  return Error{Errc::invalid_argument, "unknown log layout \"" +
                                           std::string(pattern.substr(0, 200)) +
                                           "\"; one of: " + known_layouts()};
}

// K3s writes its own lines as logfmt, and those of the Kubernetes it embeds as klog.
class EitherParser final : public LineParser {
 public:
  EitherParser(std::unique_ptr<LineParser> first, std::unique_ptr<LineParser> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    const ParseOutcome outcome = first_->parse(line, out);
    return outcome == ParseOutcome::no_match ? second_->parse(line, out) : outcome;
  }
  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override {
    const ParseOutcome outcome = first_->parse_all(line, ts, has_ts, out);
    return outcome == ParseOutcome::no_match ? second_->parse_all(line, ts, has_ts, out) : outcome;
  }
  void set_reference(WallTime now) noexcept override {
    first_->set_reference(now);
    second_->set_reference(now);
  }
  bool leads(std::string_view line) const noexcept override {
    // logfmt has no beginning to tell; K3s always starts with the time.
    return first_->leads(line) || line.starts_with("time=");
  }

 private:
  std::unique_ptr<LineParser> first_, second_;
};

}  // namespace

Result<std::unique_ptr<LineParser>> make_layout(const FormatSpec& format, Wanted wanted,
                                                const TimeContext& time) {
  const bool mixed = format.pattern == "k3s";
  NINES_TRY(Programs programs, compile(mixed ? "klog" : format.pattern));
  auto shared = std::make_shared<const Programs>(std::move(programs));
  auto parser = run_programs(std::move(shared), wanted, time);
  if (!mixed) return parser;
  return std::unique_ptr<LineParser>(
      std::make_unique<EitherParser>(std::move(parser), make_logfmt(wanted, time)));
}

std::string_view layout_name(std::string_view pattern) noexcept {
  return pattern.substr(0, pattern.find(':'));
}

}  // namespace nines::log
