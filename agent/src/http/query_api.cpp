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

struct Asked {
  query::Wish wish;
  const char* content_type;
  bool stream = false;
};

Result<std::vector<std::string>> nodes_of(const json& tree) {
  if (!tree.is_array()) {
    return Error{Errc::invalid_argument, R"('nodes' must be a list of names, such as ["all"])"};
  }
  std::vector<std::string> out;
  for (const json& name : tree) {
    if (!name.is_string()) {
      return Error{Errc::invalid_argument, "'nodes' must hold names or globs of nodes"};
    }
    out.push_back(name);
  }
  return out;
}

Result<Asked> asked_in(const std::string& body) {
  const json tree = json::parse(body, nullptr, false);
  if (!tree.is_object() || !tree.contains("sql") || !tree["sql"].is_string()) {
    return Error{
        Errc::invalid_argument,
        R"-(the body must be an object such as {"sql": "SELECT count(*) FROM logs('*')"})-"};
  }
  Asked out;
  query::Wish& wish = out.wish;
  wish.sql = tree["sql"];
  const json& output = tree.contains("output") ? tree["output"] : json("json");
  const auto kind = output.is_string() ? kKinds.find(output.get<std::string>()) : kKinds.end();
  if (kind == kKinds.end()) {
    return Error{Errc::invalid_argument, "'output' must be json, ndjson, csv, table or raw"};
  }
  wish.writer.format = kind->second.format;
  out.content_type = kind->second.content_type;
  if (tree.contains("nodes")) {
    NINES_TRY(wish.nodes, nodes_of(tree["nodes"]));
  }
  if (tree.contains("width") && tree["width"].is_number_unsigned())
    wish.writer.width = tree["width"];
  if (tree.contains("color") && tree["color"].is_boolean()) wish.writer.color = tree["color"];
  if (tree.contains("stream") && tree["stream"].is_boolean()) out.stream = tree["stream"];
  if (out.stream && wish.writer.format != Format::ndjson) {
    return Error{Errc::invalid_argument, "what is streamed are lines: 'output' must be ndjson"};
  }
  return out;
}

HttpResponse refused(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument:
    case Errc::unsupported: return problem(400, error.message);
    case Errc::not_found: return problem(404, error.message);
    default: return problem(503, error.message);
  }
}

HttpResponse response_of(Result<query::Answered> answer, const char* content_type) {
  if (answer.ok()) {
    HttpResponse response{200, content_type, std::move(answer->text), {}};
    if (!answer->complete) response.headers.emplace_back(kCompleteHeader, "false");
    return response;
  }
  return refused(answer.error());
}

void answer_live(const QueryAccess& access, Asked asked, const Reply& reply) {
  const Status checked = access.check(asked.wish);
  if (!checked.ok()) return reply(refused(checked.error()));
  LiveQuery live =
      make_live_query(access.live, [](const Error& error) { return refused(error).body; });
  asked.wish.live = std::move(live.answer);
  access.ask(std::move(asked.wish),
             [](const Result<query::Answered>&) {});  // it tells its end itself
  HttpResponse response{200, asked.content_type, "", {{"X-Accel-Buffering", "no"}}};
  response.stream = std::move(live.stream);
  reply(std::move(response));
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
    auto asked = asked_in(request.body);
    if (!asked.ok()) return reply(problem(400, asked.error().message));
    if (asked->stream) return answer_live(access, std::move(*asked), reply);
    const char* const type = asked->content_type;
    access.ask(std::move(asked->wish),
               [type, reply = std::move(reply)](Result<query::Answered> done) {
                 reply(response_of(std::move(done), type));
               });
  };
}

}  // namespace nines::agent::http
