#include "http/json_body.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::agent::http {
namespace {

using nlohmann::json;

Error bad(std::string what) { return {Errc::invalid_argument, std::move(what)}; }

}  // namespace

struct JsonBody::Tree {
  json root;
  // Null: not there.
  const json* member(const char* key) const {
    const auto it = root.find(key);
    return it == root.end() || it->is_null() ? nullptr : &*it;
  }
};

Result<JsonBody> JsonBody::parse(const std::string& text,
                                 std::initializer_list<std::string_view> known) {
  auto tree = std::make_shared<Tree>();
  tree->root = json::parse(text, nullptr, false);
  if (!tree->root.is_object()) return bad("the body must be one JSON object");
  for (const auto& [key, value] : tree->root.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known)
      names += (names.empty() ? "" : ", ") + std::string(name);
    return bad("the body has an unknown member '" + key + "'; there are " + names);
  }
  JsonBody body;
  body.tree_ = std::move(tree);
  return body;
}

Result<std::string> JsonBody::text(const char* key) const {
  const json* const value = tree_->member(key);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return bad(std::string("'") + key + "' must be a text");
  return value->get<std::string>();
}

Result<bool> JsonBody::flag(const char* key) const {
  const json* const value = tree_->member(key);
  if (value == nullptr) return false;
  if (!value->is_boolean()) return bad(std::string("'") + key + "' must be true or false");
  return value->get<bool>();
}

std::optional<WallTime> zoned_time(std::string_view given) {
  const auto parsed = log::parse_iso_time(given, {});
  const bool zoned =
      given.find('T') != std::string_view::npos &&
      (given.back() == 'Z' || given.find_first_of("+-", 11) != std::string_view::npos);
  return parsed && parsed->length == given.size() && zoned ? std::optional(parsed->ts)
                                                           : std::nullopt;
}

Result<WallTime> JsonBody::time(const char* key) const {
  NINES_TRY(const std::string given, text(key));
  if (given.empty()) return WallTime{};
  const auto parsed = zoned_time(given);
  if (!parsed) {
    return bad(std::string("'") + key +
               "' must be an RFC 3339 time with its zone, such as "
               "2026-11-21T10:00:00Z, found '" +
               given + "'");
  }
  return *parsed;
}

Result<slo::Details> JsonBody::details() const {
  slo::Details out;
  const json* const value = tree_->member("details");
  if (value == nullptr) return out;
  if (!value->is_object()) return bad("'details' must be an object of texts");
  for (const auto& [key, one] : value->items()) {
    if (!one.is_string() && !one.is_number()) return bad("'details' must be an object of texts");
    out.emplace_back(key, one.is_string() ? one.get<std::string>() : one.dump());
  }
  return out;
}

}  // namespace nines::agent::http
