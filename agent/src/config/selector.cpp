#include "config/selector.hpp"

#include <algorithm>

#include "config/options.hpp"
#include "nines/log/format.hpp"
#include "nines/log/multiline.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::agent::config {
namespace {

constexpr std::string_view kInputKeys[] = {"paths", "kubernetes", "journal", "syslog",
                                           "kmsg",  "stdin",      "scrape",  "vitals"};

constexpr std::string_view kListenSchemes[] = {"udp://", "tcp://", "unix://", "unix-stream://"};

bool is_given(const YamlNode& map, std::string_view key) {
  const YamlNode* value = map.get(key);
  return value != nullptr && !value->is_null() && value->text != "false";
}

}  // namespace

bool names_logs(const slo::SourceSelector& s) {
  return !s.name.empty() || s.input != slo::InputKind::files || !s.paths.empty() ||
         !s.k8s_namespace.empty() || !s.k8s_pod.empty() || !s.k8s_container.empty() ||
         !s.k8s_labels.empty();
}

void infer_input(const YamlNode& map, slo::SourceSelector& selector, Reporter& report) {
  std::vector<std::string_view> given;
  for (const std::string_view key : kInputKeys) {
    if (is_given(map, key)) given.push_back(key);
  }
  const bool files = given.size() == 2 && given[0] == "paths" && given[1] == "kubernetes";
  if (given.size() > 1 && !files) {
    report.error(*map.get(given.back()), "a source is one kind of input, found " + join(given),
                 "make a source of each");
  }
  if (given.empty()) return;
  if (given.back() == "journal") selector.input = slo::InputKind::journal;
  if (given.back() == "syslog") selector.input = slo::InputKind::syslog;
  if (given.back() == "scrape") selector.input = slo::InputKind::scrape;
  if (given.back() == "vitals") selector.input = slo::InputKind::vitals;
  if (given.back() == "kmsg") selector.input = slo::InputKind::kmsg;
  if (given.back() == "stdin") selector.input = slo::InputKind::standard_input;
}

namespace {

void check_format(const slo::SourceSelector& selector, const YamlNode& at, const std::string& what,
                  Reporter& report) {
  if (selector.format == "auto") {
    if (selector.pattern.empty()) return;
    report.error(place_of(at, "pattern"), what + " has a pattern, but its format is auto",
                 "set the format that the pattern belongs to, for example format: regex");
    return;
  }
  if (selector.format == "regex" && selector.pattern.empty()) {
    report.error(place_of(at, "format"), what + " has format regex but no pattern",
                 "add pattern: '^(?P<ts>\\S+) (?P<message>.*)$'");
    return;
  }
  const auto format = log::format_from_name(selector.format, selector.pattern);
  if (!format.ok()) {
    report.error(place_of(at, selector.pattern.empty() ? "format" : "pattern"),
                 what + ": " + format.error().message);
    return;
  }
  if (log::wants_header(*format)) return;
  const auto parser = log::make_parser(*format, {}, {});
  if (!parser.ok()) report.error(place_of(at, "pattern"), what + ": " + parser.error().message);
}

void check_start(const slo::SourceSelector& selector, const YamlNode& at, const std::string& what,
                 Reporter& report) {
  const std::string& start = selector.start;
  if (start == "beginning" || start == "end") return;
  const auto time = log::parse_iso_time(start, {});
  if (time && time->length == start.size()) return;
  report.error(place_of(at, "start"), "start of " + what + " is '" + start + "'",
               "beginning, end, or a time like 2026-11-21T00:00:00Z");
}

void check_multiline(const slo::SourceSelector& selector, const YamlNode& at,
                     const std::string& what, Reporter& report) {
  if (selector.multiline == "auto" || selector.multiline == "none") return;
  const auto pattern = log::StartPattern::compile(selector.multiline);
  if (pattern.ok()) return;
  report.error(place_of(at, "multiline"), "multiline of " + what + ": " + pattern.error().message,
               "auto, none, or an RE2 that the first line of a record matches");
}

void check_label(const std::string& label, const YamlNode& at, const std::string& what,
                 Reporter& report) {
  const size_t equals = label.find('=');
  if (equals != std::string::npos && equals > 0) return;
  report.error(place_of(at, "kubernetes"),
               "label '" + label + "' of " + what + " is not KEY=VALUE");
}

// What belongs to an input that the source is not.
void check_input(const slo::SourceSelector& s, const YamlNode& at, const std::string& what,
                 Reporter& report) {
  if (s.input == slo::InputKind::syslog && s.listen.empty()) {
    report.error(place_of(at, "syslog"), what + " listens nowhere",
                 "syslog: {listen: [udp://127.0.0.1:5514]}");
  }
  if (s.input == slo::InputKind::scrape && s.url.empty()) {
    report.error(place_of(at, "scrape"), what + " has no url",
                 "scrape: {url: http://127.0.0.1:9100/metrics}");
  }
  for (const std::string& listen : s.listen) {
    const bool known =
        std::any_of(std::begin(kListenSchemes), std::end(kListenSchemes),
                    [&](std::string_view scheme) { return listen.starts_with(scheme); });
    if (known) continue;
    report.error(place_of(at, "syslog"), what + " cannot listen on '" + listen + "'",
                 "udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH or unix-stream:///PATH");
  }
}

}  // namespace

void check_selector(const slo::SourceSelector& selector, const YamlNode& at,
                    const std::string& what, Reporter& report) {
  check_format(selector, at, what, report);
  check_start(selector, at, what, report);
  check_multiline(selector, at, what, report);
  check_input(selector, at, what, report);
  for (const auto& label : selector.k8s_labels) check_label(label, at, what, report);
  for (const auto& path : selector.paths) {
    if (path.empty()) report.error(place_of(at, "paths"), what + " has an empty path");
  }
}

bool read_selector(MapReader& reader, std::span<const SourceConfig> sources,
                   slo::SourceSelector& base, Reporter& report) {
  constexpr std::string_view kNotHere[] = {"name", "service"};
  constexpr std::string_view kKeys[] = {
      "paths",        "exclude",  "format",     "pattern",    "multiline", "start",
      "ignore_older", "catch_up", "rate_limit", "kubernetes", "journal",   "syslog",
      "kmsg",         "stdin",    "scrape",     "vitals",     "timezone"};
  const auto given = std::find_if(std::begin(kKeys), std::end(kKeys), [&](std::string_view key) {
    const YamlNode* value = reader.node().get(key);
    return value != nullptr && !value->is_null();
  });
  const bool has_keys = given != std::end(kKeys);
  Draft draft;
  draft.node.sources.push_back({{}, {}, base});
  read_options(reader, "sources[].", draft, report, kNotHere);
  base = std::move(draft.node.sources.back().selector);
  infer_input(reader.node(), base, report);

  const YamlNode* source = reader.find("source");
  if (source == nullptr) return has_keys;
  const auto name = read_text(*source, "'source' of " + reader.what(), report);
  if (!name) return true;
  if (has_keys) {
    report.error(*reader.node().get(*given),
                 "'" + std::string(*given) + "' cannot be combined with source: " + *name,
                 "source '" + *name + "' of nines.yaml says how to read it: change it there");
  }
  std::vector<std::string_view> known;
  for (const auto& candidate : sources) {
    known.push_back(candidate.name);
    if (candidate.name == *name) base = candidate.selector;
  }
  if (base.name == *name) return true;
  const auto near = nearest(*name, known);
  report.error(*source, "there is no source '" + *name + "' in nines.yaml",
               !near.empty()   ? "did you mean '" + std::string(near) + "'?"
               : known.empty() ? "it has no sources: name paths: [GLOB...] here instead"
                               : "its sources: " + join(known));
  base.name = *name;  // so that the missing source is told once
  return true;
}

}  // namespace nines::agent::config
