// What the running agent serves: its routes and what they may ask of its parts.
#include "app/live_impl.hpp"
#include "app/token.hpp"
#include "http/alerts_api.hpp"
#include "http/content_coding.hpp"
#include "http/events_api.hpp"
#include "http/fleet_api.hpp"
#include "http/incident_reports.hpp"
#include "http/incidents_api.hpp"
#include "http/kb_api.hpp"
#include "http/links_api.hpp"
#include "http/oncall_api.hpp"
#include "http/query_api.hpp"
#include "http/remedy_api.hpp"
#include "http/services_api.hpp"
#include "http/shelf_api.hpp"
#include "http/summary_api.hpp"
#include "nines/base/json_writer.hpp"
#include "view/remedy_view.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kBurst = 4;  // times the requests of a second, at once

const char* name_of(peer::PeerView::State state) {
  switch (state) {
    case peer::PeerView::State::alive: return "alive";
    case peer::PeerView::State::suspect: return "suspect";
    case peer::PeerView::State::silent: return "silent";
    case peer::PeerView::State::left: return "left";
  }
  return "";
}

}  // namespace

Status Live::start_server() {
  NINES_TRY(token_, provide_token(setup_.config.api_token_file, options_.common.state,
                                  move_->why().empty() ? nullptr : &token_unkept_));
  events_.emplace(store_->restored().boot);
  announcer_.emplace(*events_);
  http::FrontOptions front;
  front.cors_origins = setup_.config.cors_origins;
  if (!options_.allow_remote) {  // no name of the world leads to loopback but ours and a proxy's
    front.hosts.emplace({setup_.config.node});
    const auto outside = http::parse_url(setup_.config.public_url);
    if (outside.ok()) front.hosts->push_back(outside->host);
  }
  front.rate.per_s = setup_.config.http_rate_limit;
  front.rate.burst = kBurst * front.rate.per_s;
  front.now = [this] { return clock_.mono(); };
  NINES_TRY(front_, http::Front::create(std::move(front)));
  http::ServerOptions server;
  server.listen = setup_.config.listen;
  server.allow_non_loopback = options_.allow_remote;
  NINES_TRY(server_, http::HttpServer::start(io_, server, front_->before(routes())));
  return Ok{};
}

// Each passes on what it does not serve.
http::AsyncHandler Live::routes() {
  const auto now = [this] { return to_ms(clock_.wall()); };
  const auto snapshot = [this] { return this->snapshot(); };
  http::ChangesAccess access;
  access.token = token_;
  access.book = [this]() -> const Logbook& { return *logbook_; };
  access.now = now;
  access.record = [this](Record record, auto done) {
    keeper_->keep(std::move(record), RecordKeeper::Whose::people, std::move(done));
  };
  access.report = [this](const http::ReportWish& wish, auto done) {
    report(wish, std::move(done));
  };
  auto routes = http::make_changes_api(std::move(access), http::make_api(snapshot, insight()));
  if (fleet_) {
    routes = http::make_fleet_api(
        [this] { return brokers_->has_fleet() ? brokers_->fleet_json() : fleet_->json(); },
        std::move(routes));
  }
  if (setup_.config.incidents.enabled) routes = incident_routes(std::move(routes));
  const auto desk = [this] { return incidents_ ? &incidents_->desk() : nullptr; };
  routes =
      http::make_services_api({token_, snapshot, [this]() -> const Logbook& { return *logbook_; },
                               now, [this] { ingest_->request(); }},
                              std::move(routes));
  routes = http::make_alerts_api(
      {token_, snapshot, now, desk, [this](auto done) { keep_incidents({}, std::move(done)); }},
      std::move(routes));
  routes = http::make_summary_api(
      {snapshot, [this](std::string_view slo) { return http::spec_of(*logbook_, slo); }, now,
       [desk]() -> const incident::core::IncidentBook* {
         return desk() == nullptr ? nullptr : &desk()->book();
       },
       [this] { return logbook_->all(); },
       [this] {
         size_t alive = 0;
         const auto all = nodes();
         for (const auto& [node, state] : all) alive += state == "alive";
         return all.empty() ? std::pair<size_t, size_t>(1, 1) : std::pair(all.size(), alive);
       }},
      std::move(routes));
  routes = http::make_events_api(
      *events_,
      [this, now] {
        std::string hello;
        JsonWriter(hello)
            .begin_object()
            .member("node", setup_.config.node)
            .member("version", std::string_view(kVersion))
            .member("boot", store_->restored().boot)
            .member("now", now())
            .end_object();
        return hello;
      },
      std::move(routes));
  if (links_) {
    routes =
        http::make_links_api([this]() -> links::LinkDesk& { return *links_; }, std::move(routes));
  }
  routes = http::make_timeline_api(timeline_access(), std::move(routes));
  routes = http::make_kb_api({[this]() -> Librarian& { return *librarian_; }}, std::move(routes));
  return query_routes(std::move(routes));
}

http::AsyncHandler Live::query_routes(http::AsyncHandler next) {
  http::ShelfAccess shelf{token_, [this]() -> query::QueryShelf& { return queries_->shelf(); },
                          [this] { return to_ms(clock_.wall()); },
                          [this](const std::string& sql) { return queries_->service().check(sql); },
                          [this](Record record, auto done) {
                            keeper_->keep(std::move(record), RecordKeeper::Whose::people,
                                          std::move(done));
                          }};
  auto routes = http::make_shelf_api(std::move(shelf), std::move(next));
  http::QueryAccess queries{
      token_,
      [this](query::Wish wish, auto done) { queries_->ask(std::move(wish), std::move(done)); },
      [this](const query::Wish& wish) { return queries_->service().check(wish); },
      [this](auto wake) { return queries_->live(std::move(wake)); }};
  return http::make_query_api(std::move(queries), std::move(routes));
}

http::AsyncHandler Live::incident_routes(http::AsyncHandler next) {
  const auto now = [this] { return to_ms(clock_.wall()); };
  http::IncidentsAccess access{
      token_,
      [this]() -> incident::Desk& { return incidents_->desk(); },
      now,
      [this](std::function<void(Status)> done) { keep_incidents({}, std::move(done)); },
      [this] { return logbook_->all(); },
      [this](const nines::incident::Incident& incident, auto done) {
        timeline::StoryWish wish = http::story_of(incident, to_ms(clock_.wall()));
        const timeline::Scope scope = *wish.scope;
        timeline_->ask(std::move(wish), [scope, done](const timeline::core::Timeline& told) {
          done(timeline::review_lines(told, scope));
        });
      }};
  auto routes = http::make_incident_reports(
      {[this]() -> const incident::core::IncidentBook& { return incidents_->desk().book(); }, now,
       [this] { return logbook_->all(); }, [this] { return judge_->snapshot().slos; },
       [this] { return incidents_->rewriter(); }},
      http::make_incidents_api(std::move(access), std::move(next)));
  routes = http::make_oncall_api(
      {[this] { return incidents_->on_call(); },
       [this]() -> const incident::core::IncidentBook& { return incidents_->desk().book(); }, now},
      std::move(routes));
  return http::make_remedy_api({token_, [this]() -> Remediation& { return *remediation_; }, now},
                               std::move(routes));
}

http::TimelineAccess Live::timeline_access() {
  http::TimelineAccess access;
  access.now = [this] { return to_ms(clock_.wall()); };
  access.tell = [this](timeline::StoryWish wish, std::function<void(Result<std::string>)> done) {
    timeline_->ask(std::move(wish), std::move(done));
  };
  if (setup_.config.incidents.enabled) {
    access.incident = [this](const std::string& id) {
      return incidents_->desk().book().find(id, to_ms(clock_.wall()));
    };
  }
  return access;
}

std::vector<std::pair<std::string, std::string>> Live::nodes() const {
  std::vector<std::pair<std::string, std::string>> out;
  if (!fleet_) return out;
  out.emplace_back(setup_.config.node, "alive");
  for (const peer::PeerView& view : fleet_->peers()) {
    out.emplace_back(view.node, name_of(view.state));
  }
  return out;
}

// To those who listen (GET /api/events).
void Live::announce(WallTime now) {
  const Snapshot seen = snapshot();
  Announcer::Remedies remedies;
  if (remediation_) {
    const auto& steward = remediation_->steward();
    remedies = {steward.guard().limits().enabled, steward.guard().stopped(now),
                steward.stood().size(), steward.guard().acts().size(),
                http::etag_of(view::remedies_json(steward, now))};
  }
  announcer_->look({seen.slos, seen.incidents.open, nodes(), remedies, now, seen.watermark});
  if (unannounced_.empty()) return;
  incident::Desk* const desk = incidents_ ? &incidents_->desk() : nullptr;
  const auto lines = http::alerts_with_incidents(seen, desk, now);
  for (const slo::AlertEvent& event : unannounced_) {
    for (const view::AlertLine& line : lines) {
      const bool same = line.event.kind == event.kind && line.id == view::alert_id(event);
      if (!same) continue;
      announcer_->alert(line);
      break;
    }
  }
  unannounced_.clear();
}

}  // namespace nines::agent
