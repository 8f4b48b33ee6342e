// What the option table is used for: reading a nines.yaml, defaults, the sample file.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config/files.hpp"
#include "config/options.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

using enum OptionType;

constexpr int64_t kSecond = 1000;
constexpr int64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB;

// The key when `path` lies directly below `prefix`, else empty.
std::string_view key_below(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return {};
  const std::string_view key = path.substr(prefix.size());
  return key.find_first_of(".[") == std::string_view::npos ? key : std::string_view();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// The choice that `word` names, by itself or by an alternative name.
std::optional<std::string_view> choice_of(const Option& option, std::string_view word) {
  for (const auto group : split(option.choices, ' ')) {
    const auto names = split(group, '=');
    if (std::find(names.begin(), names.end(), word) != names.end()) return names.front();
  }
  return std::nullopt;
}

std::vector<std::string_view> choices_of(const Option& option) {
  std::vector<std::string_view> words;
  for (const auto group : split(option.choices, ' ')) words.push_back(split(group, '=').front());
  return words;
}

std::string show(const Option& option, int64_t number) {
  if (option.type == duration) {
    return number % kSecond != 0 ? std::to_string(number) + "ms"
                                 : format_duration_s(number / kSecond);
  }
  if (option.type != size) return std::to_string(number);
  if (number % kGiB == 0) return std::to_string(number / kGiB) + "GiB";
  if (number % kMiB == 0) return std::to_string(number / kMiB) + "MiB";
  return std::to_string(number / kKiB) + "KiB";
}

std::string_view type_text(OptionType type) {
  switch (type) {
    case text: return "a text";
    case texts: return "a list of texts";
    case choice: return "a word";
    case integer: return "a whole number";
    case duration: return "a duration (500ms, 10s, 5m, 1h, 30d)";
    case size: return "a size (256KiB, 64MiB, 1GiB)";
    case offset: return "a UTC offset (+02:00, -05:30, Z)";
    case map: return "a map";
    case maps: return "a list of maps";
    case flag: return "true or false";
  }
  return "";
}

std::optional<int64_t> parse_number(const Option& option, const std::string& word) {
  switch (option.type) {
    case flag:
      if (word == "true") return 1;
      return word == "false" ? std::optional<int64_t>(0) : std::nullopt;
    case duration: return parse_duration_ms(word);
    case size: return parse_size(word);
    case offset: return parse_utc_offset(word);
    default: {
      const auto number = Decimal::parse(word);
      if (!number || number->exponent != 0) return std::nullopt;
      return number->mantissa;
    }
  }
}

std::optional<OptionValue> read_number(const Option& option, const YamlNode& node,
                                       const std::string& what, Reporter& report) {
  const auto number =
      node.kind == YamlNode::Kind::scalar ? parse_number(option, node.text) : std::nullopt;
  if (!number) {
    report.error(
        node,
        what + " must be " + std::string(type_text(option.type)) + ", found " + describe(node),
        option.type == offset ? "names of zones are unsupported in this version" : "");
    return std::nullopt;
  }
  if (option.type != flag && (*number < option.min || *number > option.max)) {
    report.error(node, what + " must be within " + show(option, option.min) + ".." +
                           show(option, option.max) + ", found " + describe(node));
    return std::nullopt;
  }
  return OptionValue{{}, {}, *number};
}

std::optional<OptionValue> read_word(const Option& option, const YamlNode& node,
                                     const std::string& what, Reporter& report) {
  if (node.kind == YamlNode::Kind::scalar) {
    if (const auto word = choice_of(option, node.text))
      return OptionValue{std::string(*word), {}, 0};
  }
  const auto words = choices_of(option);
  const auto near = nearest(node.text, words);
  report.error(node, what + " must be one of " + join(words) + ", found " + describe(node),
               near.empty() ? std::string() : "did you mean '" + std::string(near) + "'?");
  return std::nullopt;
}

std::optional<OptionValue> read_value(const Option& option, const YamlNode& node,
                                      const std::string& what, Reporter& report) {
  if (option.type == choice) return read_word(option, node, what, report);
  if (option.type == texts) {
    auto list = read_texts(node, what, report);
    return list ? std::optional(OptionValue{{}, std::move(*list), 0}) : std::nullopt;
  }
  if (option.type != text) return read_number(option, node, what, report);
  auto word = read_text(node, what, report);
  return word ? std::optional(OptionValue{std::move(*word), {}, 0}) : std::nullopt;
}

// Who reads such a file has the rights of this node elsewhere. The others are told of where they
// are used (the API's token, the key of peers), or made by somebody else (Kubernetes).
bool names_secret(std::string_view path) {
  constexpr std::array kEndings = {"token_file", "secret_file", "password_file", "key_file",
                                   "credentials_file"};
  constexpr std::array kElsewhere = {"api.token_file", "peers.key_file", "kubernetes.token_file"};
  const auto ends = [&](std::string_view ending) { return path.ends_with(ending); };
  return std::any_of(kEndings.begin(), kEndings.end(), ends) &&
         std::find(kElsewhere.begin(), kElsewhere.end(), path) == kElsewhere.end();
}

void look_at_secret(const YamlNode& node, const std::string& what, Reporter& report) {
  struct stat file {};
  const std::string path = beside(node.file->path, node.text);
  if (::stat(path.c_str(), &file) != 0 || (file.st_mode & S_IROTH) == 0) return;
  report.warning(node, what + " names " + path + ", which everybody on this machine can read",
                 "chmod o= " + path + " (and chgrp nines, so that the agent can)");
}

// One line of text about an option, for the sample file.
std::string about(const Option& option) {
  std::string out(option.doc);
  std::string facts;
  if (option.type == choice) facts = join(choices_of(option), " | ");
  if (option.min != option.max && option.type != offset) {
    facts = show(option, option.min) + ".." + show(option, option.max);
  }
  if (!option.fallback.empty()) {
    facts += std::string(facts.empty() ? "" : "; ") + "default " + std::string(option.fallback);
  }
  return facts.empty() ? out : out + " (" + facts + ")";
}

// Wraps at 100 columns; every line starts with "# ".
void append_comment(std::string& out, std::string_view text_to_wrap) {
  constexpr size_t kWidth = 97;
  while (!text_to_wrap.empty()) {
    size_t end = text_to_wrap.size();
    if (end > kWidth) end = text_to_wrap.rfind(' ', kWidth);
    out += "# " + std::string(text_to_wrap.substr(0, end)) + "\n";
    text_to_wrap.remove_prefix(std::min(end + 1, text_to_wrap.size()));
  }
}

}  // namespace

void read_options(MapReader& reader, std::string_view prefix, Draft& draft, Reporter& report,
                  std::span<const std::string_view> skip) {
  for (const auto& option : option_table()) {
    const std::string_view key = key_below(option.path, prefix);
    if (key.empty() || std::find(skip.begin(), skip.end(), key) != skip.end()) continue;
    const YamlNode* node = reader.find(key);
    if (node == nullptr || option.type == maps) continue;
    const std::string what = "'" + std::string(key) + "' of " + reader.what();
    if (option.type == map) {
      MapReader inner(*node, std::string(key) + " of " + reader.what(), report);
      read_options(inner, std::string(option.path) + ".", draft, report);
      inner.finish();
    } else if (auto value = read_value(option, *node, what, report)) {
      if (names_secret(option.path)) look_at_secret(*node, what, report);
      option.assign(draft, std::move(*value));
    }
  }
}

void apply_defaults(std::string_view prefix, Draft& draft) {
  for (const auto& option : option_table()) {
    const bool below = option.path.starts_with(prefix) && option.assign != nullptr &&
                       option.path.find('[', prefix.size()) == std::string_view::npos;
    if (!below || option.fallback.empty()) continue;
    OptionValue value;
    value.text = option.fallback;
    if (option.type != text && option.type != choice) {
      const auto number = parse_number(option, value.text);
      NINES_ASSERT(number.has_value());
      value.number = *number;
    }
    option.assign(draft, std::move(value));
  }
}

std::string sample_config() {
  std::string out =
      "# nines.yaml: every key there is, commented out, with its default. Nines needs none of "
      "them:\n"
      "# without this file it finds the logs of the node by itself. To use a key, remove the '#'.\n"
      "# Installed as /etc/nines/nines.yaml; './nines.yaml' is tried next. Check: nines slo lint\n";
  bool first_of_item = false;
  for (const auto& option : option_table()) {
    const auto levels =
        std::count_if(option.path.begin(), option.path.end(), [](char c) { return c == '.'; });
    const bool in_list = option.path.find("[].") != std::string_view::npos;
    const std::string_view key = option.path.substr(option.path.find_last_of('.') + 1);
    std::string indent(static_cast<size_t>(levels) * 2 + (in_list ? 2 : 0), ' ');
    if (first_of_item) indent.replace(indent.size() - 2, 2, "- ");
    if (levels == 0) out += "\n";
    append_comment(out, about(option));
    out += "#" + indent +
           std::string(levels == 0 ? key : option.path.substr(option.path.rfind('.') + 1));
    out += ":";
    const std::string_view value = option.sample.empty() ? option.fallback : option.sample;
    if (!value.empty()) out += " " + std::string(value);
    out += "\n";
    first_of_item = option.type == maps;
  }
  return out;
}

}  // namespace nines::agent::config
