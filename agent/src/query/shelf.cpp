#include "query/shelf.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "nines/base/json_writer.hpp"
#include "query/saved.hpp"

namespace nines::agent::query {
namespace {

std::string body_of(const ShelvedQuery& query) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("sql", query.sql).member("who", query.who);
  json.member("at_ns", query.at.ns).end_object();
  return out;
}

std::optional<ShelvedQuery> read(const store::Document& document) {
  const auto tree = nlohmann::json::parse(document.body, nullptr, false);
  const auto is_text = [&](const char* key) { return tree.contains(key) && tree[key].is_string(); };
  const bool whole = tree.is_object() && is_text("sql") && is_text("who") &&
                     tree.contains("at_ns") && tree["at_ns"].is_number_integer();
  if (!whole || !check_query_name(document.key).ok()) return std::nullopt;
  return ShelvedQuery{document.key, tree["sql"], tree["who"], WallTime{tree["at_ns"]}};
}

}  // namespace

void QueryShelf::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    auto query = read(document);
    if (query && all_.size() < kMost) {
      all_.insert_or_assign(document.key, std::move(*query));
    } else {
      ++unreadable_;
    }
  }
}

Result<store::Document> QueryShelf::keep(const ShelvedQuery& query) {
  NINES_CHECK(check_query_name(query.name));
  if (query.sql.empty()) return Error{Errc::invalid_argument, "'sql' is missing"};
  if (query.who.empty()) return Error{Errc::invalid_argument, "'who' is missing: who keeps it?"};
  if (query.sql.size() > kMostSql || query.who.size() > kMostWho) {
    return Error{Errc::invalid_argument, "a kept query has at most " + std::to_string(kMostSql) +
                                             " bytes, and a name of " + std::to_string(kMostWho)};
  }
  size_t names = all_.size() + !all_.contains(query.name);
  for (const auto& [name, writes] : on_the_way_) {
    names += !all_.contains(name) && name != query.name;
  }
  if (names > kMost) {
    return Error{Errc::exhausted,
                 "this node keeps " + std::to_string(kMost) + " queries already; remove one first"};
  }
  ++on_the_way_[query.name];
  return store::Document{kDocuments, query.name, body_of(query)};
}

Result<store::Document> QueryShelf::remove(const std::string& name) const {
  if (find(name) == nullptr) {
    return Error{Errc::not_found,
                 "no query is kept as '" + name + "'; /api/queries/saved lists them"};
  }
  return store::Document{kDocuments, name, ""};
}

void QueryShelf::written(const store::Document& document) {
  if (document.body.empty()) {
    all_.erase(document.key);
    return;
  }
  failed(document);  // its room is that of all_ now
  if (auto query = read(document)) all_.insert_or_assign(document.key, std::move(*query));
}

void QueryShelf::failed(const store::Document& document) {
  const auto found = on_the_way_.find(document.key);
  if (document.body.empty() || found == on_the_way_.end()) return;
  if (--found->second == 0) on_the_way_.erase(found);
}

const ShelvedQuery* QueryShelf::find(const std::string& name) const {
  const auto found = all_.find(name);
  return found == all_.end() ? nullptr : &found->second;
}

}  // namespace nines::agent::query
