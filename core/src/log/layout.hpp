// Layouts: lines whose fields stand between literals that never change. One engine runs them all;
// front-ends compile the pattern languages of the programs that wrote the lines (nginx log_format,
// Apache LogFormat, Envoy, log4j, Python, PostgreSQL prefixes) into its steps.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "log/parsers.hpp"
#include "nines/log/format.hpp"

namespace nines::log {

struct BuiltinLayout {
  std::string_view name;  // FormatSpec{FormatKind::layout, name}
  std::string_view what;  // "12 of 20 sampled lines " + what
  // Its lines cannot be taken for plain text or an access log of another program by chance, so
  // that detection may choose it. Others have to be asked for by name.
  bool distinctive;
};
// Strictest first: of equal votes the first one is right. A line votes for a layout when
// make_layout()'s parser gives anything but no_match.
std::span<const BuiltinLayout> builtin_layouts() noexcept;

// `format.pattern` is the name of a built-in layout or DIALECT:TEXT. Errors say where in the text.
Result<std::unique_ptr<LineParser>> make_layout(const FormatSpec& format, Wanted wanted,
                                                const TimeContext& time);
// The built-in's name or the dialect: "redis", "nginx".
std::string_view layout_name(std::string_view pattern) noexcept;

}  // namespace nines::log
