#include "nines/log/format.hpp"

#include "log/layout.hpp"
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
    {"csv", FormatKind::csv},           {"journal", FormatKind::journal},
    {"nginx", FormatKind::combined},    {"apache", FormatKind::combined},
    {"common", FormatKind::combined},   {"containerd", FormatKind::logfmt},
};
// Layouts that take a pattern. nginx and apache have a default of their own (combined).
constexpr std::string_view kDialects[] = {"nginx", "apache", "envoy",
                                          "log4j", "python", "postgres"};

bool takes_pattern(std::string_view name) noexcept {
  for (const std::string_view dialect : kDialects) {
    if (dialect == name) return true;
  }
  return false;
}

bool is_layout(std::string_view name) noexcept {
  for (const BuiltinLayout& layout : builtin_layouts()) {
    if (layout.name == name) return true;
  }
  return false;
}

std::string valid_names() {
  std::string names;
  const auto add = [&](std::string_view name) {
    names += names.empty() ? "" : ", ";
    names += name;
  };
  for (const FormatName& format : kFormats) add(format.name);
  add("tsv");
  for (const BuiltinLayout& layout : builtin_layouts()) add(layout.name);
  return names;
}

Result<FormatSpec> checked_layout(std::string pattern) {
  FormatSpec format{FormatKind::layout, std::move(pattern), {}};
  auto parser = make_layout(format, {}, {});
  if (!parser.ok()) return parser.error();
  return format;
}

}  // namespace

Result<FormatSpec> format_from_name(std::string_view name, std::string_view pattern) {
  if (!pattern.empty() && takes_pattern(name)) {
    return checked_layout(std::string(name) + ":" + std::string(pattern));
  }
  const bool table = name == "csv" || name == "tsv";
  if (!pattern.empty() && !table && name != "regex") {
    return Error{Errc::invalid_argument,
                 "log format \"" + std::string(name) +
                     "\" takes no pattern; those that do are regex, csv, tsv, nginx, apache, "
                     "envoy, log4j, python and postgres"};
  }
  if (table) {
    std::string header(name == "csv" ? "," : "\t");
    if (!pattern.empty()) header += pattern;
    return FormatSpec{FormatKind::csv, std::move(header), {}};
  }
  if (is_layout(name)) return FormatSpec{FormatKind::layout, std::string(name), {}};
  for (const FormatName& format : kFormats) {
    if (format.name == name) return FormatSpec{format.kind, std::string(pattern), {}};
  }
  return Error{Errc::invalid_argument,
               "unknown log format \"" + std::string(name) + "\"; one of: " + valid_names()};
}

std::string format_name(const FormatSpec& format) {
  if (format.kind == FormatKind::layout) return std::string(layout_name(format.pattern));
  if (format.kind == FormatKind::csv && format.pattern.starts_with('\t')) return "tsv";
  return std::string(format_name(format.kind));
}

std::string_view format_name(FormatKind kind) noexcept {
  for (const FormatName& format : kFormats) {
    if (format.kind == kind) return format.name;
  }
  return kind == FormatKind::layout ? "layout" : "unknown";
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
    case FormatKind::layout: return make_layout(format, wanted, time);
    case FormatKind::csv: return make_csv(format, wanted, time);
    case FormatKind::journal: return make_journal(wanted, time);
  }
  return Error{Errc::invalid_argument, "unknown log format"};
}

}  // namespace nines::log
