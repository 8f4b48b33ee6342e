// Our own notation for built-in layouts.
#include "log/layout_dialects.hpp"

namespace nines::log {
namespace {

struct Kind {
  std::string_view name;
  Take take;
  Conv conv;
};
constexpr Kind kKinds[] = {
    {"text", Take::until, Conv::text},
    {"logger", Take::until, Conv::text},
    {"dotted", Take::until, Conv::text},
    {"dash", Take::until, Conv::dash_text},
    {"number", Take::number, Conv::number},
    {"s", Take::number, Conv::seconds},
    {"level", Take::until, Conv::level},
    {"level1", Take::fixed, Conv::level},
    {"redis_level", Take::fixed, Conv::redis_level},
    {"time", Take::time, Conv::time},
    {"clf", Take::clf, Conv::time},
    {"request", Take::until, Conv::request},
    {"address", Take::until, Conv::address},
    {"rest", Take::rest, Conv::whole_text},
};

Result<Step> native_step(std::string_view inside, size_t column) {
  const size_t colon = inside.find(':');
  if (colon == std::string_view::npos) {
    return pattern_error(column, "a field without a kind", "write <name:kind>");
  }
  Step step{.name = std::string(inside.substr(0, colon)), .alias = {}};
  std::string_view kind = inside.substr(colon + 1);
  std::string_view format;
  if (const size_t equals = kind.find('='); equals != std::string_view::npos) {
    format = kind.substr(equals + 1);
    kind = kind.substr(0, equals);
  }
  for (; !kind.empty() && (kind.back() == '!' || kind.back() == '_'); kind.remove_suffix(1)) {
    step.firm = step.firm || kind.back() == '!';
    step.pad_left = step.trim = step.pad_left || kind.back() == '_';
  }
  bool known = false;
  for (const Kind& k : kKinds) {
    if (k.name != kind) continue;
    known = true;
    step.take = k.take;
    step.conv = k.conv;
  }
  if (!known) {
    return pattern_error(column, "unknown kind \"" + std::string(kind) + "\"", "see the list");
  }
  step.strict = step.conv == Conv::level || step.conv == Conv::redis_level || kind == "logger" ||
                kind == "dotted";
  if (kind == "dotted") step.needs = '.';
  step.width = step.take == Take::fixed ? 1 : 0;
  step.escapes = true;
  if (step.conv == Conv::request) step.alias = "request";
  if (!format.empty()) step.time = shape_of_format(std::string(format));
  return step;
}

}  // namespace

Result<Programs> compile_native(std::string_view text, bool soft) {
  ProgramBuilder builder(soft);
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      builder.literal(text.substr(i + 1, 1));
      i += 2;
    } else if (text[i] != '<') {
      builder.literal(text.substr(i++, 1));
    } else {
      const size_t close = text.find('>', i);
      if (close == std::string_view::npos) {
        return pattern_error(i + 1, "< without >", "close the field");
      }
      NINES_TRY(Step step, native_step(text.substr(i + 1, close - i - 1), i + 1));
      builder.field(std::move(step), i + 1);
      i = close + 1;
    }
  }
  NINES_TRY(Program program, builder.finish());
  return Programs{std::move(program)};
}

}  // namespace nines::log
