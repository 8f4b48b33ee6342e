#include "http/insight.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "view/capacity.hpp"
#include "view/forecast.hpp"

namespace nines::agent::http {
namespace {

constexpr std::string_view kSloPrefix = "/api/slo/";

// The value of `name` in "a=1&b=2"; empty when absent.
std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
  }
  return {};
}

// What is asked for: of which SLO (empty: all), and how it is to look.
struct Question {
  const HttpRequest& request;
  std::string_view slo;
  bool table = false;
  view::TableOptions options;
};

Question question(const HttpRequest& request, std::string_view slo) {
  Question q{request, slo, parameter(request.query, "format") == "table", {}};
  const std::string_view width = parameter(request.query, "width");
  std::from_chars(width.data(), width.data() + width.size(), q.options.width);
  q.options.width = std::clamp<size_t>(q.options.width, 40, 400);
  q.options.color = parameter(request.query, "color") == "1";
  return q;
}

HttpResponse answer(const Question& q, std::string body) {
  const char* type = q.table ? "text/plain; charset=utf-8" : "application/json";
  return {200, type, std::move(body), {}};
}

std::vector<const slo::SloStatus*> asked_for(const Question& q, const Snapshot& snapshot) {
  std::vector<const slo::SloStatus*> slos;
  for (const slo::SloStatus& status : snapshot.slos) {
    if (q.slo.empty() || status.slo == q.slo) slos.push_back(&status);
  }
  return slos;
}

HttpResponse unknown(const Question& q) {
  return problem(404, "no SLO is called '" + std::string(q.slo) + "'; /api/slo lists them");
}

HttpResponse forecast(const Question& q, const Snapshot& snapshot) {
  const auto slos = asked_for(q, snapshot);
  if (slos.empty() && !q.slo.empty()) return unknown(q);
  if (q.table) return answer(q, view::forecast_table(slos, q.options));
  return answer(
      q, q.slo.empty() ? view::forecasts_json(snapshot) : view::forecast_json(*slos.front()));
}

HttpResponse backtest(const Question& q, const Snapshot& snapshot, const Insight& insight) {
  const auto slos = asked_for(q, snapshot);
  if (slos.empty() && !q.slo.empty()) return unknown(q);
  view::Backtests reports;
  for (const slo::SloStatus* status : slos) {
    auto report = insight.backtest ? insight.backtest(status->slo) : std::nullopt;
    if (report) reports.emplace_back(status->slo, std::move(*report));
  }
  return answer(q,
                q.table ? view::backtest_text(reports, q.options) : view::backtest_json(reports));
}

HttpResponse capacity(const Question& q, const Insight& insight) {
  const auto vitals = insight.capacity ? insight.capacity() : view::Capacities();
  return answer(q, q.table ? view::capacity_table(vitals, q.options) : view::capacity_json(vitals));
}

bool take_suffix(std::string_view& path, std::string_view suffix) {
  if (!path.ends_with(suffix) || path.size() == suffix.size()) return false;
  path.remove_suffix(suffix.size());
  return true;
}

}  // namespace

std::optional<HttpResponse> insight_routes(const HttpRequest& request,
                                           const std::function<Snapshot()>& snapshot,
                                           const Insight& insight) {
  const std::string_view path = request.path;
  if (path == "/api/forecast") return forecast(question(request, {}), snapshot());
  if (path == "/api/capacity") return capacity(question(request, {}), insight);
  if (path == "/api/backtest") return backtest(question(request, {}), snapshot(), insight);
  if (path == "/api/outbox") {
    return HttpResponse{200, "application/json", insight.outbox ? insight.outbox() : "{}", {}};
  }
  if (!path.starts_with(kSloPrefix)) return std::nullopt;
  std::string_view name = path.substr(kSloPrefix.size());
  if (!name.ends_with("/forecast") && !name.ends_with("/backtest")) return std::nullopt;
  const Snapshot now = snapshot();
  // An SLO may itself be called "x/forecast".
  for (const slo::SloStatus& status : now.slos) {
    if (status.slo == name) return std::nullopt;
  }
  if (take_suffix(name, "/forecast")) return forecast(question(request, name), now);
  if (take_suffix(name, "/backtest")) return backtest(question(request, name), now, insight);
  return std::nullopt;
}

}  // namespace nines::agent::http
