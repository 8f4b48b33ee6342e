#include "config/templates.hpp"

#include <algorithm>
#include <map>

#include "config/alerting.hpp"
#include "config/documents.hpp"
#include "config/indicator.hpp"
#include "config/objectives.hpp"
#include "config/policy.hpp"

namespace nines::agent::config {

// Made by the build from packaging/examples/templates: name, text, name, text..., null.
extern const char* const kEmbeddedTemplates[];

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "KEY DEFAULT | meaning"
TemplateKey key_of(std::string_view line) {
  TemplateKey key;
  const size_t space = line.find(' ');
  const size_t bar = line.rfind(" | ");
  key.name = line.substr(0, space);
  key.usual = trimmed(line.substr(space, bar - space));
  key.meaning = trimmed(line.substr(bar + 3));
  return key;
}

Template template_of(std::string_view name, std::string_view text) {
  Template out;
  out.name = name;
  while (text.starts_with("#")) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.starts_with("#: ")) out.summary = line.substr(3);
    if (line.starts_with("#= ")) out.keys.push_back(key_of(line.substr(3)));
    text.remove_prefix(end + 1);
  }
  out.body = text;
  return out;
}

std::string names_of(const std::vector<Template>& all) {
  std::vector<std::string_view> names;
  for (const Template& t : all) names.push_back(t.name);
  return join(names);
}

Result<std::map<std::string, std::string, std::less<>>> values_of(
    const Template& chosen, std::span<const std::string> settings) {
  std::map<std::string, std::string, std::less<>> values;
  std::vector<std::string_view> names;
  for (const TemplateKey& key : chosen.keys) {
    values.emplace(key.name, key.usual);
    names.push_back(key.name);
  }
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const auto known = values.find(name);
    if (equals == std::string::npos || known == values.end()) {
      return Error{Errc::invalid_argument, "template " + std::string(chosen.name) +
                                               " has no key '" + name +
                                               "'; its keys: " + join(names)};
    }
    const std::string value = setting.substr(equals + 1);
    const bool control = std::any_of(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (control) {
      return Error{Errc::invalid_argument, "the value of '" + name + "' has control characters"};
    }
    known->second = value;
  }
  return values;
}

std::string filled(const Template& chosen,
                   const std::map<std::string, std::string, std::less<>>& values) {
  std::string out;
  std::string_view rest = chosen.body;
  while (true) {
    const size_t at = rest.find("${");
    out += rest.substr(0, at);
    if (at == std::string_view::npos) return out;
    const size_t end = rest.find('}', at);
    for (const char c : values.find(rest.substr(at + 2, end - at - 2))->second) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    rest.remove_prefix(end + 1);
  }
}

void load(const std::string& name, Rendered& out) {
  Reporter report(out.diagnostics);
  Documents documents(report);
  documents.add_file(parse_yaml(name, out.text, report));
  Indicators indicators(documents, {}, report);
  indicators.read_all();
  check_alert_documents(documents, report);
  auto drafts = read_slos(documents, indicators, report);
  apply_policies(documents, drafts, report);
  for (DraftSlo& draft : drafts) out.slos.push_back(std::move(draft.spec));
}

}  // namespace

const std::vector<Template>& templates() {
  static const std::vector<Template> all = [] {
    std::vector<Template> out;
    for (const char* const* at = kEmbeddedTemplates; *at != nullptr; at += 2) {
      out.push_back(template_of(at[0], at[1]));
    }
    std::sort(out.begin(), out.end(),
              [](const Template& a, const Template& b) { return a.name < b.name; });
    return out;
  }();
  return all;
}

Result<Rendered> render_template(std::string_view name, std::span<const std::string> settings) {
  const auto& all = templates();
  const auto chosen =
      std::find_if(all.begin(), all.end(), [&](const Template& t) { return t.name == name; });
  if (chosen == all.end()) {
    return Error{Errc::invalid_argument,
                 "there is no template '" + std::string(name) + "'; there are " + names_of(all)};
  }
  NINES_TRY(const auto values, values_of(*chosen, settings));
  Rendered out;
  out.text = filled(*chosen, values);
  load("template " + std::string(name), out);
  return out;
}

}  // namespace nines::agent::config
