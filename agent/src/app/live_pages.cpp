// What the pages of the running agent carry: knowledge and links.
#include <algorithm>
#include <utility>

#include "app/live_impl.hpp"

namespace nines::agent {

void Live::start_librarian() {
  librarian_.emplace(Librarian::Parts{
      io_, clock_, store_work_,
      knowledge::ShelfSettings{options_.common.state, setup_.config.knowledge.directory,
                               setup_.config.knowledge.reviews},
      [this]() -> const nines::incident::IncidentBook* {
        return incidents_ ? &incidents_->desk().book() : nullptr;
      },
      [this] { return logbook_->all(); }});
  PageFacts::Parts facts{
      io_, clock_, judge_->engine(),
      [this]() -> const nines::incident::IncidentBook* {
        return incidents_ ? &incidents_->desk().book() : nullptr;
      },
      [this](std::vector<std::string> services, WallTime since, size_t most, auto done) {
        incidents_->error_lines(std::move(services), since, most, std::move(done));
      }};
  page_facts_.emplace(std::move(facts));
  notifiers_.on_telling([this](std::vector<slo::AlertEvent> events, auto done) {
    page_facts_->prepare(std::move(events), [this, done = std::move(done)](auto found) {
      librarian_->prepare(std::move(found), done);
    });
  });
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
