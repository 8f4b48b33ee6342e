#include "http/changes_api.hpp"

#include <algorithm>
#include <charconv>

#include "config/reader.hpp"
#include "http/bearer.hpp"
#include "http/json_body.hpp"
#include "http/paging.hpp"
#include "http/query.hpp"
#include "view/changes_view.hpp"
#include "view/history.hpp"

namespace nines::agent::http {
namespace {

constexpr std::string_view kChanges = "/api/changes";
constexpr std::string_view kGatePrefix = "/api/gate/";
constexpr std::string_view kSloPrefix = "/api/slo/";
constexpr std::string_view kHistorySuffix = "/history";
constexpr std::string_view kOverrideSuffix = "/override";
constexpr std::string_view kImpactSuffix = "/impact";
constexpr int64_t kMaxImpactWindowS = 7 * 86400;
constexpr int64_t kKeptDays = 92;
constexpr size_t kListed = 200;

HttpResponse answer_json(std::string body, int status = 200) {
  return {status, "application/json", std::move(body), {}};
}
HttpResponse answer_text(std::string body) {
  return {200, "text/plain; charset=utf-8", std::move(body), {}};
}

HttpResponse answer_error(const Error& error) {
  switch (error.code) {
    case Errc::invalid_argument: return problem(400, error.message);
    case Errc::not_found: return problem(404, error.message);
    default: return problem(503, error.message);
  }
}

Result<slo::Change> read_annotation(const std::string& text) {
  NINES_TRY(const JsonBody body, JsonBody::parse(text, {"kind", "service", "slo", "at", "from",
                                                        "to", "who", "text", "details"}));
  slo::Change change;
  NINES_TRY(const std::string kind, body.text("kind"));
  const auto known = slo::change_kind_of(kind);
  if (!known) {
    return Error{Errc::invalid_argument,
                 "'kind' must be deploy, migration, manual_action or note, found '" + kind + "'"};
  }
  change.kind = *known;
  NINES_TRY(change.service, body.text("service"));
  NINES_TRY(change.slo, body.text("slo"));
  NINES_TRY(change.at, body.time("at"));
  NINES_TRY(change.from, body.time("from"));
  NINES_TRY(change.to, body.time("to"));
  NINES_TRY(change.who, body.text("who"));
  NINES_TRY(change.text, body.text("text"));
  NINES_TRY(change.details, body.details());
  return change;
}

Result<Logbook::OverrideWish> read_override(std::string name, const std::string& text) {
  NINES_TRY(const JsonBody body, JsonBody::parse(text, {"reason", "ttl", "by", "revoke"}));
  Logbook::OverrideWish wish;
  wish.name = std::move(name);
  NINES_TRY(wish.reason, body.text("reason"));
  NINES_TRY(wish.by, body.text("by"));
  NINES_TRY(wish.revoke, body.flag("revoke"));
  NINES_TRY(const std::string ttl, body.text("ttl"));
  if (!ttl.empty()) {
    const auto ms = config::parse_duration_ms(ttl);
    if (!ms || *ms <= 0 || *ms % 1000 != 0) {
      return Error{Errc::invalid_argument,
                   "'ttl' must be a duration such as 30m or 4h, found '" + ttl + "'"};
    }
    wish.ttl_s = *ms / 1000;
  }
  return wish;
}

// --- routes -------------------------------------------------------------------------------

struct Routes {
  ChangesAccess access;
  Handler reads;
};

std::optional<uint32_t> find_slo(const slo::SloEngine& engine, std::string_view name) {
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (engine.has(i) && engine.spec(i).name == name) return i;
  }
  return std::nullopt;
}

void write(const Routes& routes, Result<Record> decided, const Reply& reply) {
  if (!decided.ok()) return reply(answer_error(decided.error()));
  routes.access.record(std::move(*decided), [reply](Result<Record> done) {
    if (!done.ok()) return reply(answer_error(done.error()));
    std::string body;
    JsonWriter out(body, 2);
    view::write_change(out, done->changes.front());
    reply(answer_json(body + "\n", 201));
  });
}

void annotate(const Routes& routes, const HttpRequest& request, const Reply& reply) {
  auto read = read_annotation(request.body);
  if (!read.ok()) return reply(answer_error(read.error()));
  auto change = routes.access.book().annotation(std::move(*read), routes.access.now());
  if (!change.ok()) return reply(answer_error(change.error()));
  Record record;
  record.changes.push_back(std::move(*change));
  write(routes, std::move(record), reply);
}

void override_gate(const Routes& routes, std::string name, const HttpRequest& request,
                   const Reply& reply) {
  const auto wish = read_override(std::move(name), request.body);
  if (!wish.ok()) return reply(answer_error(wish.error()));
  write(routes, routes.access.book().override_gate(*wish, routes.access.now()), reply);
}

HttpResponse list(const Logbook& book, const HttpRequest& request) {
  const std::string_view query = request.query;
  const std::string service = decoded_parameter(query, "service");
  const std::string kind = decoded_parameter(query, "kind");
  if (!kind.empty() && !slo::change_kind_of(kind)) {
    return problem(400, "no entries are of kind '" + kind + "'");
  }
  std::vector<slo::Change> found;
  const auto& all = book.changes();
  for (auto it = all.rbegin(); it != all.rend(); ++it) {
    if (!service.empty() && it->service != service && it->slo != service) continue;
    if (!kind.empty() && slo::change_kind_name(it->kind) != kind) continue;
    found.push_back(*it);
  }
  const auto cursor = take_page(found, page_of(query, kListed, Logbook::kMaxChanges),
                                [](const slo::Change& one) { return std::to_string(one.id); });
  if (!cursor.ok()) return problem(400, cursor.error().message);
  if (parameter(query, "format") != "table") {
    HttpResponse response = answer_json(view::changes_json(found));
    link_next(response, request, *cursor);
    return response;
  }
  size_t width = 100;
  const std::string_view columns = parameter(query, "width");
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  return answer_text(view::changes_table(found, std::clamp<size_t>(width, 40, 400)));
}

HttpResponse impact(const Logbook& book, const slo::Change& change, std::string_view query,
                    WallTime now) {
  int64_t window_s = 2 * 3600;
  const std::string_view given = parameter(query, "window");
  if (!given.empty()) {
    const auto ms = config::parse_duration_ms(given);
    if (!ms || *ms < 60'000 || *ms > kMaxImpactWindowS * 1000) {
      return problem(400, "window must lie within 1m..7d");
    }
    window_s = *ms / 10'000 * 10;
  }
  const auto impacts = book.impact(change, now, window_s);
  if (parameter(query, "format") == "text") {
    return answer_text(view::impact_text(change, impacts));
  }
  return answer_json(view::impact_json(change, impacts));
}

HttpResponse one(const Routes& routes, std::string_view rest, std::string_view query) {
  const Logbook& book = routes.access.book();
  const bool wants_impact = rest.ends_with(kImpactSuffix);
  if (wants_impact) rest.remove_suffix(kImpactSuffix.size());
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), id);
  const bool number = error == std::errc() && end == rest.data() + rest.size();
  const slo::Change* change = number ? book.find(id) : nullptr;
  if (change == nullptr) {
    return problem(404,
                   "no change has the id '" + std::string(rest) + "'; /api/changes lists them");
  }
  if (wants_impact) return impact(book, *change, query, routes.access.now());
  const auto watches = book.watches_of(*change, routes.access.now());
  if (parameter(query, "format") == "text") return answer_text(view::change_text(*change, watches));
  return answer_json(view::change_json(*change, watches));
}

void report(const Routes& routes, std::string_view query, const Reply& reply) {
  auto wish =
      report_period(parameter(query, "month"), parameter(query, "days"), routes.access.now());
  if (!wish.ok()) return reply(answer_error(wish.error()));
  wish->markdown = parameter(query, "format") == "md";
  routes.access.report(*wish, [reply, markdown = wish->markdown](Result<std::string> done) {
    if (!done.ok()) return reply(answer_error(done.error()));
    if (!markdown) return reply(answer_json(std::move(*done)));
    reply({200, "text/markdown; charset=utf-8", std::move(*done), {}});
  });
}

// nullopt: the path is none of these. An SLO may itself be called "x/history".
std::optional<HttpResponse> history(const Routes& routes, const HttpRequest& request) {
  std::string_view name = request.path;
  if (!name.starts_with(kSloPrefix) || !name.ends_with(kHistorySuffix)) return std::nullopt;
  name.remove_prefix(kSloPrefix.size());
  const Logbook& book = routes.access.book();
  const slo::SloEngine& engine = book.engine();
  if (find_slo(engine, name)) return std::nullopt;
  name.remove_suffix(std::min(name.size(), kHistorySuffix.size()));
  const auto slo = find_slo(engine, name);
  if (!slo) return std::nullopt;  // the reading routes say what there is
  int64_t length_s = 86400;
  const std::string_view given = parameter(request.query, "span");
  if (!given.empty()) {
    const auto ms = config::parse_duration_ms(given);
    if (!ms || *ms < 3'600'000 || *ms > kKeptDays * 86'400'000) {
      return problem(400, "span must lie within 1h..92d");
    }
    length_s = *ms / 1000;
  }
  const view::Span span = view::history_span(routes.access.now(), length_s);
  return answer_json(view::history_json(engine, *slo, span, book.all()));
}

HttpResponse not_taken(const HttpRequest& request) {
  HttpResponse response = problem(405, "'" + request.path + "' takes no " + request.method);
  response.headers.emplace_back("Allow", "GET, HEAD");
  return response;
}

void post(const Routes& routes, const HttpRequest& request, const Reply& reply) {
  std::string_view path = request.path;
  const bool to_gate = path.starts_with(kGatePrefix) && path.ends_with(kOverrideSuffix) &&
                       path.size() > kGatePrefix.size() + kOverrideSuffix.size();
  if (path != kChanges && !to_gate) return reply(not_taken(request));
  if (auto refused = refusal(request, routes.access.token)) return reply(std::move(*refused));
  if (!to_gate) return annotate(routes, request, reply);
  path.remove_prefix(kGatePrefix.size());
  path.remove_suffix(kOverrideSuffix.size());
  override_gate(routes, std::string(path), request, reply);
}

}  // namespace

Result<ReportWish> report_period(std::string_view month, std::string_view days, WallTime now) {
  const auto wrong = [](std::string what) {
    return Error{Errc::invalid_argument, std::move(what)};
  };
  ReportWish out;
  out.to_s = (now.seconds() / 3600 + 1) * 3600;
  if (!month.empty() && !days.empty()) return wrong("give month or days, not both");
  if (!month.empty()) {
    int64_t year = 0;
    int number = 0;
    const bool shaped = month.size() == 7 && month[4] == '-';
    if (shaped) {
      std::from_chars(month.data(), month.data() + 4, year);
      std::from_chars(month.data() + 5, month.data() + 7, number);
    }
    if (year < 1970 || year > 2200 || number < 1 || number > 12) {
      return wrong("month must look like 2026-11, found '" + std::string(month) + "'");
    }
    const bool last = number == 12;
    out.from_s = days_from_civil(year, number, 1) * 86400;
    out.to_s = std::min(out.to_s,
                        days_from_civil(last ? year + 1 : year, last ? 1 : number + 1, 1) * 86400);
    if (out.from_s >= out.to_s) return wrong("month " + std::string(month) + " has not begun");
  } else {
    int64_t count = 30;
    if (!days.empty()) {
      const auto [end, error] = std::from_chars(days.data(), days.data() + days.size(), count);
      if (error != std::errc() || end != days.data() + days.size() || count < 1 ||
          count > kKeptDays) {
        return wrong("days must lie within 1..92, found '" + std::string(days) + "'");
      }
    }
    out.from_s = out.to_s - count * 86400;
  }
  if (now.seconds() - out.from_s > kKeptDays * 86400) {
    return wrong("counts are kept for 92 days; " + std::string(month) + " began before that");
  }
  return out;
}

AsyncHandler make_changes_api(ChangesAccess access, Handler reads) {
  const auto routes = std::make_shared<const Routes>(Routes{std::move(access), std::move(reads)});
  return [routes](const HttpRequest& request, const Reply& reply) {
    const std::string_view path = request.path;
    if (request.method == "POST") return post(*routes, request, reply);
    if (request.method != "GET" && request.method != "HEAD") return reply(not_taken(request));
    if (path == kChanges) return reply(list(routes->access.book(), request));
    if (path.starts_with(kChanges) && path[kChanges.size()] == '/') {
      return reply(one(*routes, path.substr(kChanges.size() + 1), request.query));
    }
    if (path == "/api/report") return report(*routes, request.query, reply);
    if (auto found = history(*routes, request)) return reply(std::move(*found));
    reply(routes->reads(request));
  };
}

}  // namespace nines::agent::http
