// What the pages of the running agent carry: knowledge and links.
#include <algorithm>
#include <utility>

#include "app/live_impl.hpp"

namespace nines::agent {

void Live::start_librarian() {
  librarian_.emplace(Librarian::Parts{
      io_, clock_, store_work_,
      knowledge::ShelfSettings{options_.common.state, setup_.config.knowledge.directory,
                               setup_.config.knowledge.reviews, setup_.config.incidents.show_lines},
      [this]() -> const nines::incident::IncidentBook* {
        return incidents_ ? &incidents_->desk().book() : nullptr;
      },
      [this] { return logbook_->all(); }});
  PageFacts::Parts facts{
      io_,
      clock_,
      judge_->engine(),
      [this]() -> const nines::incident::IncidentBook* {
        return incidents_ ? &incidents_->desk().book() : nullptr;
      },
      [this](std::vector<std::string> services, WallTime since, size_t most, auto done) {
        incidents_->error_lines(std::move(services), since, most, std::move(done));
      },
      setup_.config.incidents.show_lines};
  page_facts_.emplace(std::move(facts));
  notifiers_.on_telling([this](std::vector<slo::AlertEvent> events, auto done) {
    if (incidents_) incidents_->outgoing(events);
    page_facts_->prepare(std::move(events), [this, done = std::move(done)](auto found) {
      librarian_->prepare(std::move(found), done);
    });
  });
}

incident::Relay::Parts Live::relay_parts() {
  incident::Relay::Parts out;
  out.node = setup_.config.node;
  out.live = [this] {
    std::vector<std::string> names;
    if (!fleet_ || fleet_->node().role() != peer::Role::node) return names;
    names.push_back(setup_.config.node);
    for (const peer::PeerView& one : fleet_->peers()) {
      const bool may = one.role == peer::Role::node;
      if (may && one.state == peer::PeerView::State::alive) names.push_back(one.node);
    }
    std::sort(names.begin(), names.end());
    return names;
  };
  out.hopeless = [this](const slo::AlertEvent& event, const std::vector<std::string>& names) {
    return notifiers_.hopeless(event, names);
  };
  out.told_elsewhere = [this](const slo::AlertEvent& event, const std::vector<std::string>& names) {
    notifiers_.told_elsewhere(event, names);
  };
  out.working = [this](const std::vector<std::string>& names) { return notifiers_.working(names); };
  return out;
}

Status Live::start_links() {
  const NodeConfig& config = setup_.config;
  if (config.public_url.empty() || !config.incidents.enabled) return Ok{};
  links::LinkDesk::Parts parts;
  parts.settings = {config.public_url, config.link_ttl_ms,
                    std::min(config.link_ttl_ms, links::LinkDesk::kApprovalMs)};
  NINES_TRY(parts.key, links::provide_link_key(options_.common.state));
  parts.now = [this] { return to_ms(clock_.wall()); };
  parts.incident = [this](const std::string& id) {
    return incidents_->desk().book().find(id, to_ms(clock_.wall()));
  };
  parts.acknowledge = [this](const std::string& id, const std::string& who) -> Status {
    incident::Desk& desk = incidents_->desk();
    const WallTime now = to_ms(clock_.wall());
    const auto done = desk.did(desk.book().acknowledge(id, who, {}, now));
    return done.ok() ? Status(Ok{}) : Status(done.error());
  };
  parts.may_approve = [this](const links::Grant& grant) {
    return remediation_->may_approve(grant.rule, grant.action, to_ms(clock_.wall()));
  };
  parts.approve = [this](const links::Grant& grant, const std::string& who, auto done) {
    auto& steward = remediation_->steward();
    steward.did(steward.guard().allow_once(grant.rule, grant.target, grant.incident, who,
                                           to_ms(clock_.wall())),
                std::move(done));
  };
  parts.keep = [this](std::vector<store::Document> documents, auto done) {
    keep_incidents(std::move(documents), std::move(done));
  };
  links_.emplace(std::move(parts));
  NINES_TRY(const auto used, store_->documents(links::UsedLinks::kDocuments));
  links_->restore(used);
  notifiers_.on_links([this](const slo::AlertEvent& event, const std::string& notifier) {
    return links_->links_for(event, notifier);
  });
  return Ok{};
}

void Live::keep_incidents(std::vector<store::Document> more, std::function<void(Status)> done) {
  Record record;
  record.documents = incidents_->desk().take_documents();
  for (auto& document : more) record.documents.push_back(std::move(document));
  for (auto& document : timeline_->changes()) record.documents.push_back(std::move(document));
  incidents_->tell_fleet();
  keeper_->keep(std::move(record), RecordKeeper::Whose::agent,
                [done = std::move(done)](const Result<Record>& kept) {
                  done(kept.ok() ? Status(Ok{}) : Status(kept.error()));
                });
}

}  // namespace nines::agent
