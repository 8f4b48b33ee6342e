// Reading typed values out of YAML nodes, with messages that name the key, what was expected and
// what was found. All functions report and return nullopt; none stops the reading of the rest.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"
#include "nines/base/decimal.hpp"

namespace nines::agent::config {

// The known word nearest to `word` when it is near enough to be a slip, else empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

// "500ms", "10s", "5m", "1h", "30d", "4w"; m is minutes. nullopt: not of that shape or beyond 100
// years.
std::optional<int64_t> parse_duration_ms(std::string_view text);
// "4096", "64KiB", "256MiB", "1GiB".
std::optional<int64_t> parse_size(std::string_view text);
// "+02:00", "-0530", "Z", "UTC".
std::optional<int32_t> parse_utc_offset(std::string_view text);

// One map being read: every key asked for is known; finish() reports the others.
class MapReader {
 public:
  // `what` names the map in messages ("metadata of SLO 'x'"). A node that is not a map is reported
  // and read as an empty one. The node must outlive the reader.
  MapReader(const YamlNode& node, std::string what, Reporter& report);

  // nullptr when absent or null.
  const YamlNode* find(std::string_view key);
  // Absent or null is an error.
  const YamlNode* require(std::string_view key, std::string hint = {});
  void finish();

  const YamlNode& node() const { return node_; }
  const std::string& what() const { return what_; }
  bool is_map() const { return node_.kind == YamlNode::Kind::map; }

 private:
  const YamlNode& node_;
  std::string what_;
  Reporter& report_;
  std::vector<std::string_view> known_;  // string literals and table entries
};

std::optional<std::string> read_text(const YamlNode& node, std::string_view what, Reporter& report);
// One text or a list of texts.
std::optional<std::vector<std::string>> read_texts(const YamlNode& node, std::string_view what,
                                                   Reporter& report);
std::optional<bool> read_bool(const YamlNode& node, std::string_view what, Reporter& report);
std::optional<int64_t> read_integer(const YamlNode& node, std::string_view what, int64_t min,
                                    int64_t max, Reporter& report);
std::optional<Decimal> read_decimal(const YamlNode& node, std::string_view what, Reporter& report);
// Durations in whole seconds; calendar units (M, Q, Y) get their own message.
std::optional<int64_t> read_duration_s(const YamlNode& node, std::string_view what, int64_t min_s,
                                       int64_t max_s, Reporter& report);
std::optional<std::string> read_choice(const YamlNode& node, std::string_view what,
                                       std::initializer_list<std::string_view> choices,
                                       Reporter& report);
// Items of a list; a single map counts as a list of one only if `lenient`.
std::vector<const YamlNode*> read_list(const YamlNode& node, std::string_view what,
                                       Reporter& report);
// An expression of core; the message points at the place inside the text.
std::optional<std::string> read_expression(const YamlNode& node, std::string_view what,
                                           Reporter& report);

// Of an error of the expression or query language: "line 1, column 8: ..." is taken off `message`,
// and becomes an offset into `text`.
size_t take_place(std::string_view text, std::string& message);

// Where to point for `key` of a map: its value when there, else the map.
const YamlNode& place_of(const YamlNode& map, std::string_view key);

// "Fast enough" -> "fast-enough", to make a name of a display name.
std::string slug(std::string_view text);
std::string join(const std::vector<std::string_view>& words, std::string_view separator = ", ");

}  // namespace nines::agent::config
