#include "view/knowledge_json.hpp"

namespace nines::agent::view {

void write_found(JsonWriter& json, const store::Knowledge& found) {
  json.begin_object().member("id", found.id).member("kind", found.kind);
  json.member("title", found.title).member("service", found.service);
  json.member("rank", Decimal{found.rank_milli, -3}).member("templates", found.templates);
  json.member("of_service", found.of_service).member("text", Decimal{found.text_milli, -3});
  json.member("excerpt", found.excerpt).end_object();
}

void write_article(JsonWriter& json, const store::Article& article) {
  json.begin_object().member("id", article.id).member("kind", article.kind);
  json.member("title", article.title).member("service", article.service);
  json.key("templates").begin_array();
  for (const std::string& one : article.templates) json.value(one);
  json.end_array().member("text", article.text).end_object();
}

}  // namespace nines::agent::view
