#include "nines/log/format.hpp"

#include "log/parsers.hpp"

namespace nines::log {
namespace {

struct FormatName {
  std::string_view name;
  FormatKind kind;
};
// The first name of a kind is the one that is printed.
constexpr FormatName kFormats[] = {
    {"combined", FormatKind::combined}, {"json", FormatKind::json},
    {"logfmt", FormatKind::logfmt},     {"syslog", FormatKind::syslog},
    {"plain", FormatKind::plain},       {"regex", FormatKind::regex},
    {"nginx", FormatKind::combined},    {"apache", FormatKind::combined},
    {"common", FormatKind::combined},   {"csv", FormatKind::csv},
    {"journal", FormatKind::journal},
};

}  // namespace

Result<FormatSpec> format_from_name(std::string_view name, std::string_view pattern) {
  std::string valid;
  for (const FormatName& format : kFormats) {
    if (format.name == name) return FormatSpec{format.kind, std::string(pattern), {}};
    valid += valid.empty() ? "" : ", ";
    valid += format.name;
  }
  return Error{Errc::invalid_argument,
               "unknown log format \"" + std::string(name) + "\"; one of: " + valid};
}

std::string format_name(const FormatSpec& format) { return std::string(format_name(format.kind)); }

std::string_view format_name(FormatKind kind) noexcept {
  for (const FormatName& format : kFormats) {
    if (format.kind == kind) return format.name;
  }
  return "unknown";
}

Result<std::unique_ptr<LineParser>> make_parser(const FormatSpec& format,
                                                std::span<const std::string> wanted,
                                                const TimeContext& time) {
  switch (format.kind) {
    case FormatKind::combined: return make_combined(wanted, time);
    case FormatKind::json: return make_json(wanted, time);
    case FormatKind::logfmt: return make_logfmt(wanted, time);
    case FormatKind::syslog: return make_syslog(wanted, time);
    case FormatKind::plain: return make_plain(wanted, time);
    case FormatKind::regex: return make_regex(format, wanted, time);
    case FormatKind::csv: return make_csv(format, wanted, time);
    case FormatKind::journal: return make_journal(wanted, time);
    case FormatKind::layout: break;
  }
  return Error{Errc::invalid_argument, "unknown log format"};
}

}  // namespace nines::log
