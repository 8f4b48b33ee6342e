#include "links/link_desk.hpp"

#include <algorithm>

#include "app/log.hpp"
#include "notify/message.hpp"
#include "view/text.hpp"

namespace nines::agent::links {
namespace {

constexpr size_t kMaxName = 32;   // of whom a person says he is
constexpr size_t kMaxWho = 60;    // an event takes 64
constexpr size_t kMaxText = 400;  // of a title on a page

const char* path_of(Purpose purpose) {
  return purpose == Purpose::acknowledge ? "/ack/" : "/approve/";
}

// "kim, by link to ops": what is known is to whom it was sent.
std::string who_of(const Grant& grant, std::string_view name) {
  const std::string given = notify::cut(view::printable(name), kMaxName);
  return notify::cut((given.empty() ? "" : given + ", ") + "by link to " + grant.notifier, kMaxWho);
}

std::string shown_title(const nines::incident::Incident& incident) {
  return view::priority_name(incident.severity) + " " + incident.id + ": " +
         notify::cut(view::printable(incident.title), kMaxText);
}

}  // namespace

LinkDesk::LinkDesk(Parts parts) : parts_(std::move(parts)), signer_(parts_.key) {}

LinkDesk::Links LinkDesk::links_for(const slo::AlertEvent& event, const std::string& notifier) {
  Links out;
  const std::string* const incident = event.detail("incident");
  if (event.kind != slo::AlertEvent::Kind::fired || incident == nullptr) return out;
  const WallTime now = parts_.now();
  Grant grant;
  grant.incident = *incident;
  grant.notifier = notifier;
  grant.event = std::to_string(event.boot) + "/" + std::to_string(event.sequence);
  const auto add = [&](const char* name, int64_t ttl_ms) {
    grant.expires = {(now.ns / kNsPerSecond + ttl_ms / 1000) * kNsPerSecond};
    const std::string token = signer_.sign(grant);
    if (token.empty()) return;
    out.emplace_back(name, parts_.settings.public_url + path_of(grant.purpose) + token);
    ++counters_.sent;
  };
  const auto about = parts_.incident(*incident);
  grant.reopens = about ? about->reopens : 0;
  const bool answered = about && (about->over() || about->acknowledged != WallTime{});
  if (!answered) add("acknowledge", parts_.settings.ttl_ms);
  const std::string *const rule = event.detail(kRule), *const target = event.detail(kTarget),
                           *const action = event.detail(kAction);
  if (rule == nullptr || target == nullptr || action == nullptr) return out;
  grant.purpose = Purpose::approve;
  grant.rule = *rule;
  grant.target = *target;
  grant.action = *action;
  add("approve", parts_.settings.approval_ms);
  return out;
}

LinkDesk::Answer LinkDesk::refused(const Signer::Opened& opened) {
  if (opened.refusal == Refusal::expired) {
    ++counters_.expired;
    return {410, "This link has expired", "Look at the incident: nines incident show", {}};
  }
  ++counters_.forged;
  log::warn("links", "a link was refused: its signature is not this agent's");
  return {403, "This link is not valid", "It is not whole, or another agent made it.", {}};
}

// What makes it pointless, or impossible.
std::optional<LinkDesk::Answer> LinkDesk::stands_against(const Grant& grant) {
  const auto incident = parts_.incident(grant.incident);
  if (!incident) return Answer{404, "This incident is not known any more", grant.incident, {}};
  const std::string title = shown_title(*incident);
  if (incident->reopens > grant.reopens) {
    ++counters_.expired;
    return Answer{410, "It is open again: this link is of before", title, {}};
  }
  if (incident->over()) {
    ++counters_.needless;
    return Answer{200, "It is over", title, {}};
  }
  if (grant.purpose == Purpose::acknowledge) {
    if (incident->acknowledged == WallTime{}) return std::nullopt;
    ++counters_.needless;
    return Answer{200, "Acknowledged by " + view::printable(incident->acknowledged_by), title, {}};
  }
  if (!parts_.may_approve) return Answer{404, "Nothing is to be approved here", title, {}};
  const Status may = parts_.may_approve(grant);
  if (may.ok()) return std::nullopt;
  ++counters_.failed;
  return Answer{409, "This cannot be approved any more", may.error().message, {}};
}

LinkDesk::Checked LinkDesk::check(Purpose purpose, std::string_view token) {
  Checked out;
  Signer::Opened opened = signer_.open(token, parts_.now());
  if (opened.ok && opened.read.grant.purpose != purpose) opened = {};
  if (!opened.ok) {
    out.answer = refused(opened);
    return out;
  }
  out.read = std::move(opened.read);
  if (used_.was_used(out.read.id)) {
    ++counters_.replayed;
    out.answer = {410, "This link was used already", out.read.grant.incident, {}};
    return out;
  }
  if (auto against = stands_against(out.read.grant)) {
    out.answer = std::move(*against);
    return out;
  }
  out.ok = true;
  return out;
}

LinkDesk::Answer LinkDesk::show(Purpose purpose, std::string_view token) {
  ++counters_.shown;
  const Checked checked = check(purpose, token);
  if (!checked.ok) return checked.answer;
  const Grant& grant = checked.read.grant;
  const auto incident = parts_.incident(grant.incident);
  const std::string title = incident ? shown_title(*incident) : grant.incident;
  if (purpose == Purpose::acknowledge) {
    return {200, title, "Whoever acknowledges it looks after it; nobody else is called.",
            "Acknowledge"};
  }
  return {200, title,
          "Rule " + view::printable(grant.rule) + " would do " + view::printable(grant.action) +
              " to " + view::printable(grant.target) + ", once.",
          "Approve this one act"};
}

LinkDesk::Answer LinkDesk::broken(const std::string& why) {
  ++counters_.failed;
  return {503, "It is not written yet", why, {}};
}

void LinkDesk::use(Purpose purpose, std::string_view token, std::string_view name,
                   std::function<void(Answer)> done) {
  const Checked checked = check(purpose, token);
  if (!checked.ok) return done(checked.answer);
  const Grant& grant = checked.read.grant;
  if (!used_.use(checked.read.id, grant.expires, parts_.now())) {
    ++counters_.beyond;
    return done({503, "Too many links were used", "Use nines incident ack, or nines remedy.", {}});
  }
  const std::string who = who_of(grant, name);
  if (purpose == Purpose::acknowledge) return acknowledge(checked.read, who, std::move(done));
  approve(checked.read, who, std::move(done));
}

// Both are written at once.
void LinkDesk::acknowledge(const Signer::Read& read, const std::string& who,
                           std::function<void(Answer)> done) {
  const Status acknowledged = parts_.acknowledge(read.grant.incident, who);
  if (!acknowledged.ok()) {
    used_.give_back(read.id);
    ++counters_.failed;
    return done({409, "It cannot be acknowledged", acknowledged.error().message, {}});
  }
  parts_.keep(used_.take_documents(),
              [this, alive = std::weak_ptr<bool>(alive_), who, incident = read.grant.incident,
               done = std::move(done)](const Status& kept) {
                if (alive.expired()) return;
                if (!kept.ok()) return done(broken(kept.error().message));
                ++counters_.used;
                log::info("links", incident + " was acknowledged " + who);
                done({200, "Acknowledged", incident, {}});
              });
}

// That it was used is on the disk before it is approved: a crash in between costs the approval, and
// never gives it twice.
void LinkDesk::approve(const Signer::Read& read, const std::string& who,
                       std::function<void(Answer)> done) {
  parts_.keep(used_.take_documents(),
              [this, alive = std::weak_ptr<bool>(alive_), who, grant = read.grant,
               done = std::move(done)](const Status& kept) {
                if (alive.expired()) return;
                if (!kept.ok()) return done(broken(kept.error().message));
                parts_.approve(grant, who, [this, alive, grant, who, done](const Status& approved) {
                  if (alive.expired()) return;
                  if (!approved.ok()) return done(broken(approved.error().message));
                  ++counters_.used;
                  log::info("links", grant.action + " to " + grant.target + " for " +
                                         grant.incident + " was approved " + who);
                  done({200, "Approved, once", grant.action + " to " + grant.target, {}});
                });
              });
}

std::string LinkDesk::metrics() const {
  const std::pair<const char*, uint64_t> outcomes[] = {
      {"sent", counters_.sent},         {"shown", counters_.shown},
      {"used", counters_.used},         {"forged", counters_.forged},
      {"expired", counters_.expired},   {"replayed", counters_.replayed},
      {"needless", counters_.needless}, {"beyond_limit", counters_.beyond},
      {"failed", counters_.failed}};
  std::string out =
      "# HELP nines_links_total Links in pages, and what became of them.\n"
      "# TYPE nines_links_total counter\n";
  for (const auto& [name, value] : outcomes) {
    out.append("nines_links_total{outcome=\"").append(name).append("\"} ");
    out.append(std::to_string(value)).append("\n");
  }
  return out;
}

}  // namespace nines::agent::links
