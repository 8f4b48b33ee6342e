#include "config/options.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

using enum OptionType;

constexpr int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
constexpr int64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB;
constexpr int32_t kMaxOffset = 14 * 3600;

slo::SourceSelector& selector(Draft& d) { return d.node.sources.back().selector; }

// The order is that of the sample file. Ranges are inclusive.
constexpr Option kOptions[] = {
    {"node", text, "", 0, 0, "",
     "Name of this node in status, alerts and metrics. Default: the host name.", "node-1",
     [](Draft& d, OptionValue v) { d.node.node = std::move(v.text); }},

    {"sources", maps, "", 0, 0, "",
     "Logs that SLOs refer to by name (metricSource.spec: {source: NAME}).", "", nullptr},
    {"sources[].name", text, "", 0, 0, "", "Name, unique among the sources. Required.", "nginx",
     [](Draft& d, OptionValue v) { d.node.sources.back().name = std::move(v.text); }},
    {"sources[].service", text, "", 0, 0, "",
     "Service of the records that do not name one themselves.", "web",
     [](Draft& d, OptionValue v) { d.node.sources.back().service = std::move(v.text); }},
    {"sources[].paths", texts, "", 0, 0, "",
     "Files, as globs (*, ?, [a-z], ** for any folders). Rotated files are followed.",
     "[/var/log/nginx/access.log]",
     [](Draft& d, OptionValue v) { selector(d).paths = std::move(v.texts); }},
    {"sources[].exclude", texts, "", 0, 0, "", "Files to leave out, as globs.",
     "[\"/var/log/nginx/*debug*\"]",
     [](Draft& d, OptionValue v) { selector(d).exclude = std::move(v.texts); }},
    {"sources[].format", choice, "auto", 0, 0,
     "auto nginx=combined=common=apache=nginx-combined=apache-combined json=jsonl=ndjson logfmt "
     "syslog=rfc3164=rfc5424 plain regex",
     "Format of a line; auto looks at the first lines of each file.", "",
     [](Draft& d, OptionValue v) { selector(d).format = std::move(v.text); }},
    {"sources[].pattern", text, "", 0, 0, "",
     "For format regex: RE2 with named groups; ts and level are special.",
     "'^(?P<ts>\\S+) (?P<level>\\w+) (?P<message>.*)$'",
     [](Draft& d, OptionValue v) { selector(d).pattern = std::move(v.text); }},
    {"sources[].kubernetes", map, "", 0, 0, "",
     "Container logs of this node instead of paths; globs on names.", "", nullptr},
    {"sources[].kubernetes.namespace", text, "", 0, 0, "", "Namespace.", "shop",
     [](Draft& d, OptionValue v) { selector(d).k8s_namespace = std::move(v.text); }},
    {"sources[].kubernetes.pod", text, "", 0, 0, "", "Pod.", "web-*",
     [](Draft& d, OptionValue v) { selector(d).k8s_pod = std::move(v.text); }},
    {"sources[].kubernetes.container", text, "", 0, 0, "", "Container.", "nginx",
     [](Draft& d, OptionValue v) { selector(d).k8s_container = std::move(v.text); }},
    {"sources[].timezone", offset, "+00:00", -kMaxOffset, kMaxOffset, "",
     "UTC offset of time stamps that carry no zone.", "",
     [](Draft& d, OptionValue v) { selector(d).utc_offset_s = static_cast<int32_t>(v.number); }},

    {"slos", texts, "", 0, 0, "",
     "Files and folders of SLO documents (*.yaml, *.yml, *.json), relative to this file. "
     "Default: the folder slos/ beside this file, when there is one.",
     "[slos/]", [](Draft& d, OptionValue v) { d.node.slo_paths = std::move(v.texts); }},

    {"webhooks", maps, "", 0, 0, "", "Where alerts are sent as JSON, beside the log.", "", nullptr},
    {"webhooks[].name", text, "", 0, 0, "", "Name, unique among the webhooks. Required.", "on-call",
     [](Draft& d, OptionValue v) { d.node.webhooks.back().name = std::move(v.text); }},
    {"webhooks[].url", text, "", 0, 0, "", "http:// or https:// address. Required.",
     "https://alerts.example.org/nines",
     [](Draft& d, OptionValue v) { d.node.webhooks.back().url = std::move(v.text); }},
    {"webhooks[].bearer_token", text, "", 0, 0, "",
     "Sent as 'Authorization: Bearer ...'. Give it or token_file, not both.", "change-me",
     [](Draft& d, OptionValue v) { d.node.webhooks.back().bearer_token = std::move(v.text); }},
    {"webhooks[].token_file", text, "", 0, 0, "",
     "File that holds the token, so that this file need not be secret.", "/etc/nines/webhook.token",
     [](Draft& d, OptionValue v) { d.token_file = std::move(v.text); }},
    {"webhooks[].timeout", duration, "5s", 100, 5 * kMinute, "",
     "After this long a delivery counts as failed and is tried again later.", "",
     [](Draft& d, OptionValue v) { d.node.webhooks.back().timeout_ms = v.number; }},

    {"listen", text, "127.0.0.1:9990", 0, 0, "",
     "Address of the dashboard, API and /metrics. Not encrypted: keep it on loopback.", "",
     [](Draft& d, OptionValue v) { d.node.listen = std::move(v.text); }},
    {"evaluate", duration, "10s", kSecond, 5 * kMinute, "",
     "How often budgets, burn rates and alerts are evaluated.", "",
     [](Draft& d, OptionValue v) { d.node.evaluate_s = v.number / kSecond; }},
    {"flush", duration, "60s", kSecond, kHour, "",
     "How often counts and file positions are saved; alerts are saved at once. Nothing is lost "
     "in between: lines are read again from the saved position.",
     "", [](Draft& d, OptionValue v) { d.node.flush_s = v.number / kSecond; }},

    {"limits", map, "", 0, 0, "", "Bounds on what Nines uses.", "", nullptr},
    {"limits.files", integer, "4096", 1, 65536, "", "Files followed at a time.", "",
     [](Draft& d, OptionValue v) { d.node.max_files = v.number; }},
    {"limits.slos", integer, "64", 1, 1024, "", "SLOs (about 300 KiB of memory each).", "",
     [](Draft& d, OptionValue v) { d.node.max_slos = v.number; }},
    {"limits.line_bytes", size, "256KiB", 1 * kKiB, 16 * kMiB, "",
     "Longer lines are cut and counted.", "",
     [](Draft& d, OptionValue v) { d.node.max_line_bytes = v.number; }},
    {"limits.store_bytes", size, "256MiB", 16 * kMiB, 64 * kGiB, "",
     "Size of the state file on disk.", "",
     [](Draft& d, OptionValue v) { d.node.store_max_bytes = v.number; }},

    {"log_level", choice, "info", 0, 0, "debug info warn error",
     "What Nines writes about itself to stderr.", "",
     [](Draft& d, OptionValue v) { d.node.log_level = std::move(v.text); }},
};

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
  }
  return "";
}

std::optional<int64_t> parse_number(const Option& option, const std::string& word) {
  switch (option.type) {
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
  if (*number < option.min || *number > option.max) {
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

std::span<const Option> option_table() { return kOptions; }

void read_options(MapReader& reader, std::string_view prefix, Draft& draft, Reporter& report,
                  std::span<const std::string_view> skip) {
  for (const auto& option : kOptions) {
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
      option.assign(draft, std::move(*value));
    }
  }
}

void apply_defaults(std::string_view prefix, Draft& draft) {
  for (const auto& option : kOptions) {
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
  for (const auto& option : kOptions) {
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
