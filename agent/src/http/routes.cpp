#include "http/routes.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

namespace nines::agent::http {

namespace {

using nlohmann::json;

constexpr int64_t kMaxText = 2000;  // bytes of a parameter, unless its schema says less

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

bool is_method(const std::string& key) {
  return key == "get" || key == "post" || key == "patch" || key == "put" || key == "delete";
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

struct RouteReader {
  const json& root;

  static RouteTable::Parameter parameter(const json& from) {
    RouteTable::Parameter out;
    out.name = from.at("name");
    out.required = from.value("required", false);
    const json& schema = from.at("schema");
    if (schema.contains("enum")) {
      out.type = RouteTable::Type::choice;
      for (const json& one : schema["enum"]) out.choices.push_back(one);
    } else if (schema.value("type", "") == "integer") {
      out.type = RouteTable::Type::integer;
      out.min = schema.value("minimum", INT64_MIN);
      out.max = schema.value("maximum", INT64_MAX);
    } else {
      out.max = schema.value("maxLength", kMaxText);
    }
    return out;
  }

  // A parameter may stand in components.parameters.
  const json& resolved(const json& from) const {
    if (!from.contains("$ref")) return from;
    const std::string ref = from["$ref"];
    return root.at(json::json_pointer(ref.substr(1)));
  }

  void add_parameters(const json& from, RouteTable::Operation& to) const {
    if (!from.contains("parameters")) return;
    for (const json& one : from["parameters"]) {
      const json& whole = resolved(one);
      if (whole.at("in") == "query") to.parameters.push_back(parameter(whole));
    }
  }

  RouteTable::Path path(const std::string& pattern, const json& item) const {
    RouteTable::Path out;
    const size_t open = pattern.find('{'), close = pattern.find('}');
    out.has_parameter = open != std::string::npos && close != std::string::npos;
    out.before = pattern.substr(0, open);
    if (out.has_parameter) out.after = pattern.substr(close + 1);
    out.instead = item.value("x-instead", "");
    for (const auto& [key, operation] : item.items()) {
      if (!is_method(key)) continue;
      RouteTable::Operation one{upper(key), {}};
      add_parameters(item, one);
      add_parameters(operation, one);
      out.operations.push_back(std::move(one));
    }
    return out;
  }
};

Result<RouteTable> RouteTable::parse(std::string_view openapi) {
  RouteTable table;
  try {
    const json root = json::parse(openapi);
    const RouteReader reader{root};
    for (const auto& [pattern, item] : root.at("paths").items()) {
      table.paths_.push_back(reader.path(pattern, item));
    }
  } catch (const json::exception& e) {
    return Error{Errc::invalid_argument, std::string("no OpenAPI document: ") + e.what()};
  }
  return table;
}

// Of those that fit, the one that says most.
const RouteTable::Path* RouteTable::find(std::string_view path) const {
  const Path* best = nullptr;
  size_t said = 0;
  for (const Path& one : paths_) {
    const size_t length = one.before.size() + one.after.size();
    if (!one.has_parameter) {
      if (path == one.before) return &one;
      continue;
    }
    const bool fits = path.size() > length && path.starts_with(one.before) &&
                      path.ends_with(one.after) && length >= said;
    if (!fits) continue;
    best = &one;
    said = length;
  }
  return best;
}

std::string RouteTable::methods_of(const Path& path) {
  std::string out;
  for (const Operation& one : path.operations) {
    out += (out.empty() ? "" : ", ") + (one.method == "GET" ? "GET, HEAD" : one.method);
  }
  return out;
}

std::string RouteTable::allowed(std::string_view path) const {
  const Path* const found = find(path);
  return found == nullptr ? "" : methods_of(*found);
}

std::optional<HttpResponse> RouteTable::refuse(const HttpRequest& request) const {
  const Path* const path = find(request.path);
  if (path == nullptr) {
    return problem(404, "nothing is served at '" + request.path +
                            "'; /api/openapi.json describes all that is");
  }
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  const auto operation = std::find_if(path->operations.begin(), path->operations.end(),
                                      [&](const Operation& one) { return one.method == method; });
  if (operation == path->operations.end()) {
    const std::string allow = methods_of(*path);
    std::string why = "'" + request.path + "' takes no " + request.method;
    why += path->instead.empty() ? ", only " + allow : ": " + path->instead;
    HttpResponse refused = problem(405, why);
    refused.headers.emplace_back("Allow", allow);
    return refused;
  }
  if (auto wrong = trouble(*operation, request.query)) return problem(400, *wrong);
  return std::nullopt;
}

std::optional<std::string> RouteTable::trouble(const Operation& operation, std::string_view query) {
  std::set<std::string_view> given;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::string_view name = pair.substr(0, pair.find('='));
    const auto known = std::find_if(operation.parameters.begin(), operation.parameters.end(),
                                    [&](const Parameter& one) { return one.name == name; });
    if (known == operation.parameters.end()) {
      std::vector<std::string> names;
      for (const Parameter& one : operation.parameters) names.push_back(one.name);
      return "there is no parameter '" + std::string(name) + "' here; there " +
             (names.empty() ? "are none" : "are " + listed(names));
    }
    if (!given.insert(known->name).second) return known->name + " is given twice";
    std::string value;
    const size_t equals = pair.find('=');
    const std::string_view raw =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (!percent_decode(raw, value)) return known->name + " has a broken %-escape";
    if (value.empty()) continue;  // as if it were not there
    if (auto wrong = trouble(*known, value)) return wrong;
  }
  for (const Parameter& one : operation.parameters) {
    if (one.required && !given.contains(one.name)) return one.name + " is missing";
  }
  return std::nullopt;
}

std::optional<std::string> RouteTable::trouble(const Parameter& parameter,
                                               const std::string& value) {
  if (parameter.type == Type::choice) {
    const auto& all = parameter.choices;
    if (std::find(all.begin(), all.end(), value) != all.end()) return std::nullopt;
    return parameter.name + " must be one of " + listed(all) + "; found '" + value + "'";
  }
  if (parameter.type == Type::text) {
    if (static_cast<int64_t>(value.size()) <= parameter.max) return std::nullopt;
    return parameter.name + " is longer than " + std::to_string(parameter.max) + " bytes";
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  if (whole && number >= parameter.min && number <= parameter.max) return std::nullopt;
  return parameter.name + " must lie within " + std::to_string(parameter.min) + ".." +
         std::to_string(parameter.max) + ", found '" + value + "'";
}

}  // namespace nines::agent::http
