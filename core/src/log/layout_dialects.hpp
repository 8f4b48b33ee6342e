// The front-ends: pattern languages to programs. Errors name what is wrong, its column in the
// pattern and the way out. Where a language leaves parts out of some lines there are several
// programs, the longest first.
#pragma once

#include <string_view>
#include <vector>

#include "log/layout_program.hpp"

namespace nines::log {

using Programs = std::vector<Program>;

// nginx log_format: the bare format, its quoted parts, or the whole directive with escape=.
Result<Programs> compile_nginx(std::string_view text);
// Apache LogFormat, its directive, or a nickname (common, combined, combinedio, vhost_combined).
Result<Programs> compile_apache(std::string_view text);
// Envoy access log format strings.
Result<Programs> compile_envoy(std::string_view text);
// PatternLayout of log4j 1, log4j 2 and logback.
Result<Programs> compile_log4j(std::string_view text);
// Formats of Python's logging: %(name)s, {name} and ${name}; loguru's {time:...} too.
Result<Programs> compile_python(std::string_view text);
// log_line_prefix of PostgreSQL; severity and message follow it.
Result<Programs> compile_postgres(std::string_view text);
// Our own notation, for built-in layouts:  <name:kind>  with kinds text logger dotted dash number
// ms us s level level1 redis_level time time=STRPTIME clf request address request_message rest; '!'
// behind the kind: firm, '_': padded with blanks. '\' takes the next character literally.
Result<Programs> compile_native(std::string_view text, bool soft);

// Java date patterns (yyyy-MM-dd HH:mm:ss,SSS) and their names (ISO8601, ABSOLUTE).
Result<TimeShape> java_time_shape(std::string_view pattern, size_t column);
// A strptime pattern that our faster ISO reader knows as well becomes `any`.
TimeShape shape_of_format(std::string format);

// "X-Request-Id" as nginx names it: "x_request_id".
std::string header_name(std::string_view header);
// The field of a request header, the same in all dialects.
Step request_header(std::string_view header);

}  // namespace nines::log
