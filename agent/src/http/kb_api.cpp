#include "http/kb_api.hpp"

#include <charconv>
#include <memory>
#include <string_view>

#include "http/query.hpp"
#include "nines/base/json_writer.hpp"
#include "view/knowledge_json.hpp"

namespace nines::agent::http {
namespace {

constexpr std::string_view kKb = "/api/kb/";
constexpr size_t kMostFound = 50;
constexpr size_t kMaxText = 4096;  // of words

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (size_t from = 0; from < text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    if (comma > from) out.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return out;
}

Result<store::KnowledgeQuery> query_of(const std::string& query) {
  store::KnowledgeQuery out;
  out.text = decoded_parameter(query, "q");
  out.service = decoded_parameter(query, "service");
  out.kind = decoded_parameter(query, "kind");
  out.templates = split(decoded_parameter(query, "template"));
  const std::string_view limit = parameter(query, "limit");
  if (!limit.empty()) {
    const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), out.limit);
    const bool whole = error == std::errc() && end == limit.data() + limit.size();
    if (!whole || out.limit == 0 || out.limit > kMostFound) {
      return Error{Errc::invalid_argument, "limit must be 1 to 50"};
    }
  }
  if (!out.kind.empty() && out.kind != "runbook" && out.kind != "postmortem") {
    return Error{Errc::invalid_argument, "kind must be runbook or postmortem"};
  }
  if (out.text.size() > kMaxText) return Error{Errc::invalid_argument, "q is too long"};
  if (out.text.empty() && out.service.empty() && out.templates.empty()) {
    return Error{Errc::invalid_argument, "q, service or template is needed: what is looked for?"};
  }
  return out;
}

HttpResponse unavailable(const Error& error) {
  return problem(503, "the knowledge base cannot be read: " + error.message);
}

void search(const KbAccess& access, const HttpRequest& request, const Reply& reply) {
  auto query = query_of(request.query);
  if (!query.ok()) return reply(problem(400, query.error().message));
  access.librarian().search(std::move(*query), [reply](const Result<Librarian::Found>& found) {
    if (!found.ok()) return reply(unavailable(found.error()));
    std::string out;
    JsonWriter json(out, 2);
    json.begin_array();
    for (const store::Knowledge& one : *found) view::write_found(json, one);
    json.end_array();
    reply({200, "application/json", out + "\n", {}});
  });
}

void show(const KbAccess& access, const std::string& id, bool text, const Reply& reply) {
  access.librarian().article(
      id, [id, text, reply](const Result<std::optional<store::Article>>& found) {
        if (!found.ok()) return reply(unavailable(found.error()));
        if (!*found) return reply(problem(404, "there is no article '" + id + "'"));
        if (text) return reply({200, "text/markdown; charset=utf-8", (*found)->text, {}});
        std::string out;
        JsonWriter json(out, 2);
        view::write_article(json, **found);
        reply({200, "application/json", out + "\n", {}});
      });
}

}  // namespace

AsyncHandler make_kb_api(KbAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const KbAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    if (!path.starts_with(kKb) || request.method == "POST") return next(request, std::move(reply));
    path.remove_prefix(kKb.size());
    if (path == "search") return search(*shared, request, reply);
    show(*shared, std::string(path), parameter(request.query, "format") == "text", reply);
  };
}

}  // namespace nines::agent::http
