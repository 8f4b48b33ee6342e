#include "config/reader.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "nines/base/time.hpp"
#include "nines/expr/expression.hpp"

namespace nines::agent::config {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Levenshtein distance with swaps of neighbours, case ignored.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> above(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t same = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + same});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

struct Unit {
  std::string_view name;
  int64_t factor;
};

// "<whole number><unit>"; the number alone counts as the unit named "".
std::optional<int64_t> parse_with_unit(std::string_view text, std::initializer_list<Unit> units,
                                       int64_t max) {
  int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view name(rest, static_cast<size_t>(text.data() + text.size() - rest));
  for (const auto& unit : units) {
    if (unit.name != name) continue;
    if (number > max / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

std::string of(std::string_view what, std::string_view expected, const YamlNode& found) {
  return std::string(what) + " must be " + std::string(expected) + ", found " + describe(found);
}

// "line 1, column 8: ..." of the expression language: splits the place from the message.
struct Placed {
  size_t line = 1, column = 1;
  std::string_view message;
};
Placed split_place(std::string_view text) {
  Placed placed;
  placed.message = text;
  const auto number_after = [](std::string_view s, std::string_view label, size_t& out,
                               std::string_view& rest) {
    if (!s.starts_with(label)) return false;
    s.remove_prefix(label.size());
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), out);
    rest = s.substr(static_cast<size_t>(end - s.data()));
    return error == std::errc();
  };
  size_t line = 1;
  size_t column = 1;
  std::string_view rest;
  if (!number_after(text, "line ", line, rest) || !number_after(rest, ", column ", column, rest) ||
      !rest.starts_with(": ")) {
    return placed;
  }
  return {line, column, rest.substr(2)};
}

// Byte offset of a 1-based line and column (in characters) of a text.
size_t offset_of(std::string_view text, size_t line, size_t column) {
  size_t i = 0;
  for (; line > 1 && i < text.size(); ++i) line -= text[i] == '\n';
  for (; column > 1 && i < text.size(); --column) {
    ++i;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) ++i;
  }
  return i;
}

}  // namespace

size_t take_place(std::string_view text, std::string& message) {
  const Placed placed = split_place(message);
  const size_t offset = offset_of(text, placed.line, placed.column);
  message = std::string(placed.message);
  return offset;
}

const YamlNode& place_of(const YamlNode& map, std::string_view key) {
  const YamlNode* value = map.get(key);
  return value != nullptr ? *value : map;
}

std::string slug(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (keep) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

std::string join(const std::vector<std::string_view>& words, std::string_view separator) {
  std::string out;
  for (const auto word : words) {
    if (!out.empty()) out += separator;
    out += word;
  }
  return out;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  constexpr size_t kMaxWord = 64;  // the distance is quadratic
  if (word.size() > kMaxWord) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 2) + 1;
  for (const auto candidate : known) {
    const size_t d = distance(word, candidate.substr(0, kMaxWord));
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::optional<int64_t> parse_duration_ms(std::string_view text) {
  constexpr int64_t kDay = 86'400'000;
  return parse_with_unit(
      text, {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", kDay}, {"w", 7 * kDay}},
      36'525 * kDay);
}

std::optional<int64_t> parse_size(std::string_view text) {
  return parse_with_unit(text,
                         {{"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}},
                         int64_t{1} << 50);
}

std::optional<int32_t> parse_utc_offset(std::string_view text) {
  if (text == "Z" || text == "UTC" || text == "utc") return 0;
  if (text.size() == 6 && text[3] == ':') {
    return parse_utc_offset(std::string(text.substr(0, 3)) + std::string(text.substr(4)));
  }
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  if (!std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  const int32_t hours = (text[1] - '0') * 10 + (text[2] - '0');
  const int32_t minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (hours > 14 || minutes > 59) return std::nullopt;
  const int32_t seconds = hours * 3600 + minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

MapReader::MapReader(const YamlNode& node, std::string what, Reporter& report)
    : node_(node), what_(std::move(what)), report_(report) {
  if (!is_map())
    report_.error(node_, of(what_, "a map", node_),
                  "write its keys as indented 'key: value' lines");
}

const YamlNode* MapReader::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  const YamlNode* value = node_.get(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const YamlNode* MapReader::require(std::string_view key, std::string hint) {
  const YamlNode* value = find(key);
  if (value == nullptr && is_map()) {
    report_.error(node_, what_ + " has no '" + std::string(key) + "'", std::move(hint));
  }
  return value;
}

void MapReader::finish() {
  for (const auto& entry : node_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    const std::string_view near = nearest(entry.key, known_);
    report_.add(
        Diagnostic::Severity::error, node_.file->path, entry.at,
        "unknown key '" + entry.key + "' in " + what_,
        near.empty() ? "known keys: " + join(known_) : "did you mean '" + std::string(near) + "'?");
  }
}

std::optional<std::string> read_text(const YamlNode& node, std::string_view what,
                                     Reporter& report) {
  if (node.kind == YamlNode::Kind::scalar) return node.text;
  report.error(node, of(what, "a text", node),
               "write one text; quote it when it holds ': ' or starts with a sign");
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_texts(const YamlNode& node, std::string_view what,
                                                   Reporter& report) {
  if (node.kind == YamlNode::Kind::scalar) return std::vector<std::string>{node.text};
  if (node.kind != YamlNode::Kind::sequence) {
    report.error(node, of(what, "a list of texts", node), "write [\"first\", \"second\"]");
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const auto& item : node.items) {
    auto text =
        read_text(item, std::string(what) + "[" + std::to_string(texts.size()) + "]", report);
    if (!text) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::optional<bool> read_bool(const YamlNode& node, std::string_view what, Reporter& report) {
  if (node.kind == YamlNode::Kind::scalar && !node.quoted) {
    if (node.text == "true" || node.text == "True" || node.text == "TRUE") return true;
    if (node.text == "false" || node.text == "False" || node.text == "FALSE") return false;
  }
  report.error(node, of(what, "true or false", node), "write true or false without quotes");
  return std::nullopt;
}

std::optional<int64_t> read_integer(const YamlNode& node, std::string_view what, int64_t min,
                                    int64_t max, Reporter& report) {
  int64_t number = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [rest, error] = std::from_chars(node.text.data(), end, number);
  if (node.kind != YamlNode::Kind::scalar || error != std::errc() || rest != end) {
    report.error(node, of(what, "a whole number", node), "write digits only, e.g. 3");
    return std::nullopt;
  }
  if (number >= min && number <= max) return number;
  report.error(node, std::string(what) + " must be within " + std::to_string(min) + ".." +
                         std::to_string(max) + ", found " + describe(node));
  return std::nullopt;
}

std::optional<Decimal> read_decimal(const YamlNode& node, std::string_view what, Reporter& report) {
  if (node.kind == YamlNode::Kind::scalar) {
    if (auto number = Decimal::parse(node.text)) return number;
  }
  report.error(node, of(what, "a number", node), "write one plain number, e.g. 0.999");
  return std::nullopt;
}

std::optional<int64_t> read_duration_s(const YamlNode& node, std::string_view what, int64_t min_s,
                                       int64_t max_s, Reporter& report) {
  const bool text = node.kind == YamlNode::Kind::scalar && !node.text.empty();
  const auto ms = text ? parse_duration_ms(node.text) : std::nullopt;
  if (text && !ms && std::string_view("MQY").find(node.text.back()) != std::string_view::npos &&
      std::isdigit(static_cast<unsigned char>(node.text.front())) != 0) {
    report.error(node,
                 std::string(what) + " " + describe(node) + " is a calendar period (M months, " +
                     "Q quarters, Y years), which does not roll",
                 "use m (minutes), h, d or w, for example 30d; for a calendar month isRolling: "
                 "false and a calendar");
    return std::nullopt;
  }
  if (!ms || *ms % 1000 != 0) {
    report.error(node, of(what, "a duration", node),
                 "write a whole number and a unit: 10s, 5m (minutes), 1h, 30d, 4w");
    return std::nullopt;
  }
  const int64_t seconds = *ms / 1000;
  if (seconds >= min_s && seconds <= max_s) return seconds;
  report.error(node, std::string(what) + " must be within " + format_duration_s(min_s) + ".." +
                         format_duration_s(max_s) + ", found " + describe(node));
  return std::nullopt;
}

std::optional<std::string> read_choice(const YamlNode& node, std::string_view what,
                                       std::initializer_list<std::string_view> choices,
                                       Reporter& report) {
  if (node.kind == YamlNode::Kind::scalar &&
      std::find(choices.begin(), choices.end(), node.text) != choices.end()) {
    return node.text;
  }
  const std::string_view near = nearest(node.text, choices);
  report.error(node, of(what, "one of " + join(choices), node),
               near.empty() ? std::string() : "did you mean '" + std::string(near) + "'?");
  return std::nullopt;
}

std::vector<const YamlNode*> read_list(const YamlNode& node, std::string_view what,
                                       Reporter& report) {
  std::vector<const YamlNode*> items;
  if (node.kind != YamlNode::Kind::sequence) {
    report.error(node, of(what, "a list", node), "start each item with '- '");
    return items;
  }
  for (const auto& item : node.items) items.push_back(&item);
  return items;
}

std::optional<std::string> read_expression(const YamlNode& node, std::string_view what,
                                           Reporter& report) {
  auto text = read_text(node, what, report);
  if (!text) return std::nullopt;
  auto parsed = expr::Expression::parse(*text);
  if (parsed.ok()) return text;
  std::string message = parsed.error().message;
  const size_t offset = take_place(*text, message);
  report.add(Diagnostic::Severity::error, node.file->path, position_within(node, offset),
             std::string(what) + ": " + message,
             "an expression compares fields, e.g. status < 500 AND path NOT LIKE '/healthz%'");
  return std::nullopt;
}

}  // namespace nines::agent::config
