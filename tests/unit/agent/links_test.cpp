#include <stdlib.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <memory>

#include "http/links_api.hpp"
#include "links/link_desk.hpp"
#include "links/link_token.hpp"
#include "links/used_links.hpp"
#include "notify/message.hpp"

using namespace nines;
using namespace nines::agent;
using links::Grant;
using links::LinkDesk;
using links::Purpose;
using links::Signer;

namespace {

constexpr WallTime kNow{1'800'000'000 * kNsPerSecond};

WallTime in_s(int64_t s) { return {kNow.ns + s * kNsPerSecond}; }

Grant grant_of(Purpose purpose = Purpose::acknowledge) {
  Grant out;
  out.purpose = purpose;
  out.incident = "INC-2026-1122-001";
  out.notifier = "ops chat";
  out.event = "3/17";
  out.expires = in_s(60);
  if (purpose == Purpose::approve) {
    out.rule = "restart";
    out.target = "unit/n1/worker.service";
    out.action = "unit-restart worker.service";
  }
  return out;
}

const std::string kKey(64, 'k');

// What links act on, without an agent.
struct LinkWorld {
  LinkWorld() { make(); }
  void make() {
    LinkDesk::Parts parts;
    parts.settings = {"https://nines.example.org", 3'600'000, 600'000};
    parts.key = kKey;
    parts.now = [this] { return now; };
    parts.incident = [this](const std::string& id) -> std::optional<nines::incident::Incident> {
      return id == incident.id ? std::optional(incident) : std::nullopt;
    };
    parts.acknowledge = [this](const std::string&, const std::string& who) -> Status {
      incident.acknowledged = now;
      incident.acknowledged_by = who;
      ++acknowledged;
      return Ok{};
    };
    parts.may_approve = [this](const Grant&) -> Status {
      if (may) return Ok{};
      return Error{Errc::invalid_argument, "the rule is not in force"};
    };
    parts.approve = [this](const Grant& grant, const std::string& who, auto done) {
      approved.push_back(grant.rule + " " + grant.target + " " + grant.incident + " " + who);
      done(Ok{});
    };
    parts.keep = [this](std::vector<store::Document> documents, auto done) {
      for (auto& one : documents) kept.push_back(std::move(one));
      if (writable) return done(Ok{});
      done(Error{Errc::io, "no space"});
    };
    desk = std::make_unique<LinkDesk>(std::move(parts));
  }
  slo::AlertEvent page() const {
    slo::AlertEvent event;
    event.kind = slo::AlertEvent::Kind::fired;
    event.slo = incident.id;
    event.boot = 3;
    event.sequence = 17;
    event.details = {{"incident", incident.id}};
    return event;
  }
  std::string token(const slo::AlertEvent& event, size_t which = 0) const {
    const auto links = desk->links_for(event, "ops");
    REQUIRE(links.size() > which);
    return links[which].second.substr(links[which].second.rfind('/') + 1);
  }
  LinkDesk::Answer use(Purpose purpose, const std::string& token, const std::string& name = {}) {
    std::optional<LinkDesk::Answer> out;
    desk->use(purpose, token, name, [&](LinkDesk::Answer answer) { out = std::move(answer); });
    REQUIRE(out);
    return *out;
  }

  WallTime now = kNow;
  nines::incident::Incident incident = [] {
    nines::incident::Incident out;
    out.id = "INC-2026-1122-001";
    out.title = "shop: <b>errors</b>";
    out.severity = 1;
    return out;
  }();
  bool may = true, writable = true;
  int acknowledged = 0;
  std::vector<std::string> approved;
  std::vector<store::Document> kept;
  std::unique_ptr<LinkDesk> desk;
};

}  // namespace

TEST_CASE("A link works on a node with the same key, and what is done there is done", "[links]") {
  LinkWorld sent, other;
  const std::string token = sent.token(sent.page());
  CHECK(other.use(Purpose::acknowledge, token, "kim").status == 200);
  CHECK(other.acknowledged == 1);
  sent.incident = other.incident;  // as nodes tell each other
  (void)sent.use(Purpose::acknowledge, token, "kim");
  CHECK(sent.acknowledged == 0);
  CHECK(sent.desk->counters().needless == 1);
}

TEST_CASE("A link says what it was signed for, until it expires", "[links]") {
  const Signer signer(kKey);
  for (const Purpose purpose : {Purpose::acknowledge, Purpose::approve}) {
    const Grant grant = grant_of(purpose);
    const std::string token = signer.sign(grant);
    const auto opened = signer.open(token, in_s(59));
    REQUIRE(opened.ok);
    CHECK(opened.read.grant == grant);
    CHECK(opened.read.id.size() == 32);
    const auto late = signer.open(token, in_s(60));
    CHECK_FALSE(late.ok);
    CHECK(late.refusal == links::Refusal::expired);
  }
}

TEST_CASE("A link that was changed anywhere is refused", "[links]") {
  const Signer signer(kKey);
  const std::string token = signer.sign(grant_of(Purpose::approve));
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'B', '.', '-', '%', '\0'}) {
      std::string changed = token;
      if (changed[i] == c) continue;
      changed[i] = c;
      INFO(i);
      CHECK_FALSE(signer.open(changed, kNow).ok);
    }
    CHECK_FALSE(signer.open(token.substr(0, i), kNow).ok);
  }
  for (const std::string& more : {token + "A", token + "=", token + ".", "A" + token, " " + token,
                                  std::string(), std::string("."), std::string(100'000, 'A')}) {
    CHECK_FALSE(signer.open(more, kNow).ok);
  }
  CHECK_FALSE(Signer(std::string(64, 'x')).open(token, kNow).ok);
}

TEST_CASE("What cannot stand in a link gets none", "[links]") {
  const Signer signer(kKey);
  Grant grant = grant_of();
  grant.notifier =
      "a\x1f"
      "b";  // would be two fields
  CHECK(signer.sign(grant).empty());
  grant.notifier = std::string(Signer::kMaxToken, 'n');
  CHECK(signer.sign(grant).empty());
}

TEST_CASE("The key is made once, for its owner only, and anew when others could read it",
          "[links]") {
  std::string state = (std::filesystem::temp_directory_path() / "nines-links-XXXXXX").string();
  REQUIRE(::mkdtemp(state.data()) != nullptr);
  const std::string path = state + "/link.key";
  const auto first = links::provide_link_key(state);
  REQUIRE(first.ok());
  CHECK(first->size() == 64);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(*links::provide_link_key(state) == *first);
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  const auto second = links::provide_link_key(state);
  CHECK(*second != *first);
  std::ofstream(path, std::ios::trunc) << "short\n";
  CHECK(*links::provide_link_key(state) != "short");
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  bool unkept = false;
  CHECK(links::provide_link_key(state + "/missing", &unkept).ok());
  CHECK(unkept);
  std::filesystem::remove_all(state);
}

TEST_CASE("Looking at a link does nothing, using it acknowledges once", "[links]") {
  LinkWorld world;
  const std::string token = world.token(world.page());
  for (int i = 0; i < 3; ++i) {
    const auto shown = world.desk->show(Purpose::acknowledge, token);
    CHECK(shown.status == 200);
    CHECK(shown.button == "Acknowledge");
  }
  CHECK(world.acknowledged == 0);
  CHECK(world.use(Purpose::acknowledge, token, "kim").title == "Acknowledged");
  CHECK(world.incident.acknowledged_by == "kim, by link to ops");
  REQUIRE(world.kept.size() == 1);
  CHECK(world.use(Purpose::acknowledge, token).status == 410);
  CHECK(world.desk->show(Purpose::acknowledge, token).button.empty());
  CHECK(world.acknowledged == 1);
  CHECK(world.desk->counters().used == 1);
  CHECK(world.desk->counters().replayed == 2);
  // After a restart, too.
  const auto kept = world.kept;
  world.make();
  world.desk->restore(kept);
  world.incident.acknowledged = {};
  CHECK(world.use(Purpose::acknowledge, token).status == 410);
  CHECK(world.acknowledged == 1);
}

TEST_CASE("A link for one thing does not do the other", "[links]") {
  LinkWorld world;
  slo::AlertEvent page = world.page();
  const std::string acknowledges = world.token(page);
  page.details.insert(page.details.end(), {{links::kRule, "restart"},
                                           {links::kTarget, "unit/n1/worker"},
                                           {links::kAction, "unit-restart worker"}});
  const std::string approves = world.token(page, 1);
  CHECK(world.use(Purpose::approve, acknowledges).status == 403);
  CHECK(world.use(Purpose::acknowledge, approves).status == 403);
  CHECK((world.acknowledged == 0 && world.approved.empty()));
  CHECK(world.desk->counters().forged == 2);
  CHECK(world.desk->show(Purpose::approve, approves).button == "Approve this one act");
  CHECK(world.use(Purpose::approve, approves).title == "Approved, once");
  CHECK(world.approved ==
        std::vector<std::string>{"restart unit/n1/worker INC-2026-1122-001 by link to ops"});
  CHECK(world.use(Purpose::approve, approves).status == 410);
  CHECK(world.approved.size() == 1);
}

TEST_CASE("An approval is written as used before it is given", "[links]") {
  LinkWorld world;
  slo::AlertEvent page = world.page();
  page.details.insert(page.details.end(),
                      {{links::kRule, "r"}, {links::kTarget, "t"}, {links::kAction, "a"}});
  const std::string token = world.token(page, 1);
  world.writable = false;
  CHECK(world.use(Purpose::approve, token).status == 503);
  CHECK(world.approved.empty());
  world.writable = true;
  CHECK(world.use(Purpose::approve, token).status == 410);  // nobody knows what is on the disk
  CHECK(world.approved.empty());
}

TEST_CASE("Nothing is approved of a rule that is not in force, or an incident that is over",
          "[links]") {
  LinkWorld world;
  slo::AlertEvent page = world.page();
  page.details.insert(page.details.end(),
                      {{links::kRule, "r"}, {links::kTarget, "t"}, {links::kAction, "a"}});
  const std::string token = world.token(page, 1);
  world.may = false;
  CHECK(world.use(Purpose::approve, token).status == 409);
  world.may = true;
  world.incident.state = nines::incident::State::resolved;
  CHECK(world.use(Purpose::approve, token).title == "It is over");
  CHECK(world.approved.empty());
  world.incident.id = "INC-2026-1122-002";
  CHECK(world.use(Purpose::approve, token).status == 404);
}

TEST_CASE("An approval lives for as long as it is set, not as an acknowledgement", "[links]") {
  LinkWorld world;
  slo::AlertEvent page = world.page();
  page.details.insert(page.details.end(),
                      {{links::kRule, "r"}, {links::kTarget, "t"}, {links::kAction, "a"}});
  const std::string approves = world.token(page, 1), acknowledges = world.token(page, 0);
  world.now = in_s(600);
  CHECK(world.use(Purpose::approve, approves).status == 410);
  CHECK(world.desk->counters().expired == 1);
  CHECK(world.use(Purpose::acknowledge, acknowledges).status == 200);
}

TEST_CASE("Only pages of incidents that wait for somebody carry links", "[links]") {
  LinkWorld world;
  slo::AlertEvent page = world.page();
  page.kind = slo::AlertEvent::Kind::resolved;
  CHECK(world.desk->links_for(page, "ops").empty());
  page = world.page();
  page.details.clear();
  CHECK(world.desk->links_for(page, "ops").empty());
  page = world.page();
  CHECK(world.desk->links_for(page, "ops").size() == 1);
  world.incident.acknowledged = kNow;
  CHECK(world.desk->links_for(page, "ops").empty());
}

TEST_CASE("Links that were used are remembered until they expire, and beyond the limit none work",
          "[links]") {
  links::UsedLinks used;
  for (size_t i = 0; i < links::UsedLinks::kMost; ++i) {
    REQUIRE(used.use(std::to_string(i), in_s(60), kNow));
  }
  CHECK_FALSE(used.use("one more", in_s(60), kNow));
  CHECK_FALSE(used.use("7", in_s(60), kNow));
  (void)used.take_documents();
  CHECK_FALSE(used.use("a week later", in_s(120), in_s(60)));  // a clock may have been ahead
  constexpr int64_t kWeek = 7 * 86'400;
  CHECK(used.use("later", in_s(kWeek + 120), in_s(kWeek + 60)));
  CHECK(used.size() == 1);
  CHECK(used.take_documents().size() == links::UsedLinks::kMost + 1);  // those that go, and it
  links::UsedLinks restored;
  restored.restore({{links::UsedLinks::kDocuments, "damaged", "???"}});
  CHECK(restored.was_used("damaged"));
}

TEST_CASE("What several people may approve is approved once", "[links]") {
  LinkWorld world;
  slo::AlertEvent page = world.page();
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {links::kRule, "restart"},
           {links::kTarget, "unit/n1/worker.service"},
           {links::kAction, "unit-restart worker.service"}}) {
    page.details.emplace_back(name, value);
  }
  const auto token_of = [&](const char* notifier) {
    const std::string link = world.desk->links_for(page, notifier).back().second;
    return link.substr(link.rfind('/') + 1);
  };
  const std::string ops = token_of("ops"), phone = token_of("phone");
  REQUIRE(ops != phone);
  CHECK(world.use(Purpose::approve, ops).status == 200);
  world.now = in_s(30);
  CHECK(world.use(Purpose::approve, phone).status == 410);
  CHECK(world.use(Purpose::approve, token_of("phone")).status == 410);
  CHECK(world.approved.size() == 1);
  page.sequence = 18;  // it is asked for again
  CHECK(world.use(Purpose::approve, token_of("phone")).status == 200);
}

TEST_CASE("A link of before does not silence an incident that came back", "[links]") {
  LinkWorld world;
  const std::string before = world.token(world.page());
  world.incident.reopens = 1;
  CHECK(world.use(Purpose::acknowledge, before).status == 410);
  CHECK(world.acknowledged == 0);
  CHECK(world.use(Purpose::acknowledge, world.token(world.page())).status == 200);
}

TEST_CASE("The page behind a link runs nothing and leaks nothing", "[links]") {
  LinkWorld world;
  const auto routes = http::make_links_api([&]() -> LinkDesk& { return *world.desk; },
                                           [](const http::HttpRequest&, const http::Reply& reply) {
                                             reply({204, "text/plain", "", {}});
                                           });
  const auto ask = [&](const std::string& method, const std::string& path,
                       const std::string& body = {}) {
    std::optional<http::HttpResponse> out;
    routes({method, path, "", "", body}, [&](http::HttpResponse r) { out = std::move(r); });
    REQUIRE(out);
    return *out;
  };
  CHECK(ask("GET", "/api/slo").status == 204);
  const std::string token = world.token(world.page());
  const auto shown = ask("GET", "/ack/" + token);
  CHECK(shown.status == 200);
  CHECK(shown.body.find("&lt;b&gt;errors&lt;/b&gt;") != std::string::npos);
  CHECK(shown.body.find("<b>") == std::string::npos);
  CHECK(shown.body.find("<form method=\"post\">") != std::string::npos);
  const auto has = [&](const std::string& name, const std::string& value) {
    for (const auto& [key, text] : shown.headers) {
      if (key == name && text.find(value) != std::string::npos) return true;
    }
    return false;
  };
  CHECK(has("Cache-Control", "no-store"));
  CHECK(has("Referrer-Policy", "no-referrer"));
  CHECK(has("Content-Security-Policy", "default-src 'none'"));
  CHECK(ask("HEAD", "/ack/" + token).status == 200);
  CHECK(world.acknowledged == 0);
  CHECK(ask("POST", "/ack/" + token + "x").status == 403);
  CHECK(ask("POST", "/approve/" + token).status == 403);
  CHECK(world.acknowledged == 0);
  CHECK(ask("POST", "/ack/" + token, "name=Kim+%3Cb%3E").status == 200);
  CHECK(world.incident.acknowledged_by == "Kim <b>, by link to ops");
  CHECK(ask("POST", "/ack/" + token).status == 410);
}
