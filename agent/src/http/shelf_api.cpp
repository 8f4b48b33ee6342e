#include "http/shelf_api.hpp"

#include <memory>
#include <string_view>
#include <utility>

#include "http/bearer.hpp"
#include "http/json_body.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::http {
namespace {

constexpr std::string_view kSaved = "/api/queries/saved";

HttpResponse answer_error(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument:
    case Errc::unsupported: return problem(400, error.message);
    case Errc::not_found: return problem(404, error.message);
    case Errc::exhausted: return problem(409, error.message);
    default: return problem(503, error.message);
  }
}

void write_query(JsonWriter& json, const query::ShelvedQuery& one) {
  json.begin_object().member("name", one.name).member("sql", one.sql);
  json.member("who", one.who).member("at", one.at).end_object();
}

HttpResponse listed(const query::QueryShelf& shelf) {
  HttpResponse response;
  JsonWriter json(response.body, 2);
  json.begin_array();
  for (const auto& [name, one] : shelf.all()) write_query(json, one);
  json.end_array();
  response.body += '\n';
  return response;
}

HttpResponse shown(const query::QueryShelf& shelf, const std::string& name) {
  const query::ShelvedQuery* const one = shelf.find(name);
  if (one == nullptr) return answer_error(shelf.remove(name).error());
  HttpResponse response;
  JsonWriter json(response.body, 2);
  write_query(json, *one);
  response.body += '\n';
  return response;
}

using Shared = std::shared_ptr<const ShelfAccess>;

// The shelf changes when the store has it.
void record(const Shared& access, store::Document document, std::function<HttpResponse()> told,
            Reply reply) {
  Record wanted;
  wanted.documents.push_back(document);
  access->record(std::move(wanted), [access, document = std::move(document), told = std::move(told),
                                     reply = std::move(reply)](const Result<Record>& done) {
    if (!done.ok()) {
      access->shelf().failed(document);
      return reply(problem(503, "not written: " + done.error().message));
    }
    access->shelf().written(document);
    reply(told());
  });
}

Result<query::ShelvedQuery> read(const ShelfAccess& access, const std::string& name,
                                 const std::string& text) {
  NINES_TRY(const JsonBody body, JsonBody::parse(text, {"sql", "who"}));
  query::ShelvedQuery out{name, {}, {}, access.now()};
  NINES_TRY(out.sql, body.text("sql"));
  NINES_TRY(out.who, body.text("who"));
  if (!out.sql.empty()) NINES_CHECK(access.check(out.sql));
  return out;
}

void keep(const Shared& access, const std::string& name, const std::string& body, Reply reply) {
  const auto wanted = read(*access, name, body);
  if (!wanted.ok()) return reply(answer_error(wanted.error()));
  auto document = access->shelf().keep(*wanted);
  if (!document.ok()) return reply(answer_error(document.error()));
  record(
      access, std::move(*document), [access, name] { return shown(access->shelf(), name); },
      std::move(reply));
}

void remove(const Shared& access, const std::string& name, Reply reply) {
  auto document = access->shelf().remove(name);
  if (!document.ok()) return reply(answer_error(document.error()));
  record(
      access, std::move(*document), [access] { return listed(access->shelf()); }, std::move(reply));
}

}  // namespace

AsyncHandler make_shelf_api(ShelfAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const ShelfAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    const bool ours =
        path.starts_with(kSaved) && (path.size() == kSaved.size() || path[kSaved.size()] == '/');
    if (!ours) return next(request, std::move(reply));
    path.remove_prefix(std::min(path.size(), kSaved.size() + 1));
    const std::string name(path);
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (reads && name.empty()) return reply(listed(shared->shelf()));
    if (reads) return reply(shown(shared->shelf(), name));
    if (auto refused = refusal(request, shared->token)) return reply(std::move(*refused));
    if (request.method == "DELETE") return remove(shared, name, std::move(reply));
    keep(shared, name, request.body, std::move(reply));
  };
}

}  // namespace nines::agent::http
