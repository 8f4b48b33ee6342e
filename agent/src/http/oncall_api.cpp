#include "http/oncall_api.hpp"

#include <memory>
#include <string>
#include <string_view>

#include "http/bearer.hpp"
#include "http/json_body.hpp"
#include "http/query.hpp"
#include "nines/oncall/load_report.hpp"
#include "view/oncall_view.hpp"

namespace nines::agent::http {
namespace {

namespace oncall = nines::oncall;

constexpr std::string_view kOncall = "/api/oncall";
constexpr int64_t kReportS = 28 * 86400;

HttpResponse as_json(std::string text) { return {200, "application/json", std::move(text), {}}; }

std::optional<int64_t> time_of(const std::string& query, const char* name, int64_t fallback) {
  const std::string text = decoded_parameter(query, name);
  if (text.empty()) return fallback;
  const auto at = zoned_time(text);
  return at ? std::optional(at->seconds()) : std::nullopt;
}

HttpResponse report(const incident::OnCall& on_call, const oncall::PageLedger& ledger,
                    const std::string& query, WallTime now) {
  const auto to = time_of(query, "to", now.seconds() + 1);  // with what was paged just now
  const auto from = to ? time_of(query, "from", *to - kReportS) : std::nullopt;
  if (!from || *from >= *to) {
    return problem(400, "'from' and 'to' must be RFC 3339 times with their zone, in that order");
  }
  const auto made = oncall::load_report(on_call.plan(), ledger, {*from, *to});
  if (!made.ok()) return problem(400, made.error().message);
  std::string out;
  JsonWriter json(out, 2);
  oncall::write_json(json, on_call.plan(), *made);
  return as_json(out + "\n");
}

HttpResponse route(const incident::OnCall& on_call, const oncall::PageLedger& ledger,
                   const std::string& query, WallTime now) {
  oncall::Request request;
  request.at_s = now.seconds();
  request.service = decoded_parameter(query, "service");
  request.signature = decoded_parameter(query, "signature");
  const std::string severity = decoded_parameter(query, "severity");
  const bool known =
      severity.size() == 2 && severity[0] == 'P' && severity[1] >= '0' && severity[1] <= '3';
  if (request.service.empty() || (!known && !severity.empty())) {
    return problem(400, "'service' is needed, and 'severity' must be P0 to P3");
  }
  if (known) request.severity = severity[1] - '0';
  std::string told = decoded_parameter(query, "told");  // ids, with commas
  while (!told.empty()) {
    const size_t comma = told.find(',');
    const std::string id = told.substr(0, comma);
    told.erase(0, comma == std::string::npos ? comma : comma + 1);
    const auto person = on_call.plan().roster->find(id);
    if (!person) return problem(400, "nobody is called '" + id + "'");
    request.told.push_back(*person);
  }
  const oncall::Route decided = oncall::route(on_call.plan(), ledger, request);
  if (parameter(query, "format") == "text") {
    return {200, "text/plain; charset=utf-8", explain(on_call.plan(), request, decided), {}};
  }
  std::string out;
  JsonWriter json(out, 2);
  oncall::write_json(json, on_call.plan(), request, decided);
  return as_json(out + "\n");
}

HttpResponse answer(const OncallAccess& access, std::string_view part, const std::string& query) {
  const incident::OnCall* const on_call = access.on_call();
  if (on_call == nullptr) {
    return problem(404, "nobody is on call: nines.yaml names no on-call document (oncall.file)");
  }
  const WallTime now = access.now();
  const incident::core::IncidentBook& book = access.book();
  if (part.empty()) return as_json(view::oncall_json(*on_call, book, now));
  if (part == "/pages") {
    return {200, "application/x-ndjson", view::oncall_pages(*on_call, book, now), {}};
  }
  if (part == "/report") return report(*on_call, on_call->ledger(book, now), query, now);
  if (part == "/route") return route(*on_call, on_call->ledger(book, now), query, now);
  return problem(404, "on-call has report, route and pages, not '" + std::string(part) + "'");
}

}  // namespace

AsyncHandler make_oncall_api(OncallAccess access, AsyncHandler next) {
  const auto shared = std::make_shared<const OncallAccess>(std::move(access));
  return [shared, next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    const bool ours =
        path.starts_with(kOncall) && (path.size() == kOncall.size() || path[kOncall.size()] == '/');
    if (!ours) return next(request, std::move(reply));
    if (request.method != "GET" && request.method != "HEAD") {
      return reply(problem(405, "on-call is asked, not told: GET"));
    }
    path.remove_prefix(kOncall.size());
    reply(answer(*shared, path, request.query));
  };
}

}  // namespace nines::agent::http
