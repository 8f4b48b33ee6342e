#include "http/query_api.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/bearer.hpp"

namespace nines::agent::http {
namespace {

using nlohmann::json;
using query::Format;

constexpr std::string_view kPath = "/api/query";

struct Kind {
  Format format;
  const char* content_type;
};
const std::map<std::string, Kind, std::less<>> kKinds = {
    {"json", {Format::json, "application/json"}},
    {"ndjson", {Format::ndjson, "application/x-ndjson"}},
    {"csv", {Format::csv, "text/csv; charset=utf-8"}},
    {"table", {Format::table, "text/plain; charset=utf-8"}},
    {"raw", {Format::raw, "text/plain; charset=utf-8"}}};

Result<std::pair<query::Wish, const char*>> wish_of(const std::string& body) {
  const json tree = json::parse(body, nullptr, false);
  if (!tree.is_object() || !tree.contains("sql") || !tree["sql"].is_string()) {
    return Error{
        Errc::invalid_argument,
        R"-(the body must be an object such as {"sql": "SELECT count(*) FROM logs('*')"})-"};
  }
  query::Wish wish;
  wish.sql = tree["sql"];
  const json& output = tree.contains("output") ? tree["output"] : json("json");
  const auto kind = output.is_string() ? kKinds.find(output.get<std::string>()) : kKinds.end();
  if (kind == kKinds.end()) {
    return Error{Errc::invalid_argument, "'output' must be json, ndjson, csv, table or raw"};
  }
  wish.writer.format = kind->second.format;
  if (tree.contains("nodes")) {
    if (!tree["nodes"].is_array()) {
      return Error{Errc::invalid_argument, R"('nodes' must be a list of names, such as ["all"])"};
    }
    for (const json& name : tree["nodes"]) {
      if (!name.is_string()) {
        return Error{Errc::invalid_argument, "'nodes' must hold names or globs of nodes"};
      }
      wish.nodes.push_back(name);
    }
  }
  if (tree.contains("width") && tree["width"].is_number_unsigned())
    wish.writer.width = tree["width"];
  if (tree.contains("color") && tree["color"].is_boolean()) wish.writer.color = tree["color"];
  return std::pair{std::move(wish), kind->second.content_type};
}

HttpResponse response_of(Result<query::Answered> answer, const char* content_type) {
  if (answer.ok()) {
    HttpResponse response{200, content_type, std::move(answer->text), {}};
    if (!answer->complete) response.headers.emplace_back(kCompleteHeader, "false");
    return response;
  }
  switch (answer.error().code) {
    case Errc::invalid_argument:
    case Errc::unsupported: return problem(400, answer.error().message);
    case Errc::not_found: return problem(404, answer.error().message);
    default: return problem(503, answer.error().message);
  }
}

}  // namespace

AsyncHandler make_query_api(QueryAccess access, AsyncHandler next) {
  return [access = std::move(access), next = std::move(next)](const HttpRequest& request,
                                                              Reply reply) {
    if (request.path != kPath) return next(request, std::move(reply));
    if (request.method != "POST") {
      return reply(problem(405, "queries are sent with POST, as {\"sql\": \"...\"}"));
    }
    if (auto refused = refusal(request, access.token)) return reply(std::move(*refused));
    auto wish = wish_of(request.body);
    if (!wish.ok()) return reply(problem(400, wish.error().message));
    const char* const type = wish->second;
    access.ask(std::move(wish->first),
               [type, reply = std::move(reply)](Result<query::Answered> done) {
                 reply(response_of(std::move(done), type));
               });
  };
}

}  // namespace nines::agent::http
