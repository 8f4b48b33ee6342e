// Trails of requests: what is kept, thinned, laid together from several nodes, and found in them.
#include "nines/incident/request_trail.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "nines/incident/answer_line.hpp"

namespace nines::incident {
namespace {

constexpr int64_t kStartS = 1'790'000'000;

struct Call {
  int64_t ms = 0;
  std::string request, service;
  TemplateId line = 0;
  bool error = false;
};

// `shop` calls `pay` and `mail`; a request a second. From `broken_s` on pay fails.
std::vector<Call> hour_of_calls(int64_t seconds, int64_t broken_s) {
  std::vector<Call> calls;
  std::mt19937 random(7);
  for (int64_t s = 0; s < seconds; ++s) {
    const std::string id = "r" + std::to_string(s);
    const int64_t at = s * 1000 + static_cast<int64_t>(random() % 300);
    const bool broken = s >= broken_s;
    calls.push_back({at, id, "shop", 1});
    calls.push_back({at + 10, id, "pay", 2});
    calls.push_back({at + 30, id, "pay", broken ? TemplateId{9} : TemplateId{3}, broken});
    if (!broken) calls.push_back({at + 50, id, "mail", 4});
    calls.push_back({at + 60, id, "shop", 5});
  }
  return calls;
}

void add(RequestTrail& trail, const Call& call) {
  trail.add({{(kStartS * 1000 + call.ms) * kNsPerMs},
             call.request,
             "s-" + call.service,
             call.service,
             call.line,
             call.error});
}

WallTime second(int64_t s) { return WallTime::from_s(kStartS + s); }

std::string first_suspect(const TrailEvidence& evidence) {
  return evidence.findings.empty() ? "" : evidence.services[evidence.findings[0].service];
}

// Ids of services may differ; what is found may not.
std::multiset<std::string> told(const TrailEvidence& evidence) {
  std::multiset<std::string> out;
  for (const FlowFinding& f : evidence.findings) {
    out.insert(evidence.services[f.service] + " " + std::to_string(static_cast<int>(f.kind)) + " " +
               std::to_string(f.line) + " " + std::to_string(f.hits) + "/" + std::to_string(f.of) +
               " " + std::to_string(f.score));
  }
  return out;
}

}  // namespace

TEST_CASE("A trail names the service whose lines changed, from its healthy past", "[incident]") {
  RequestTrail trail;
  for (const Call& call : hour_of_calls(3'600, 3'450)) add(trail, call);
  const TrailEvidence evidence = ask_trail(trail, {second(3'450), second(3'600), 2});
  CHECK(first_suspect(evidence) == "pay");
  CHECK(evidence.read.requests > 3'500);
  // The same question before it broke.
  CHECK(ask_trail(trail, {second(3'400), second(3'440), 2}).findings.size() < 2);
}

TEST_CASE("Trouble that began before what is known hides nobody who breaks in the midst of it",
          "[incident]") {
  RequestTrail trail;
  for (const Call& call : hour_of_calls(1'000, 900)) add(trail, call);
  TrailQuestion question{second(900), second(1'000), 2, {{second(-3'600), second(1'000)}}};
  CHECK(first_suspect(ask_trail(trail, question)) == "pay");
  // Of two troubles the older one is what is usual, the other one is not.
  question.unhealthy.push_back({second(600), second(1'000)});
  TrailQuestion without_older = question;
  without_older.unhealthy.erase(without_older.unhealthy.begin());
  CHECK(told(ask_trail(trail, question)) == told(ask_trail(trail, without_older)));
  CHECK(first_suspect(ask_trail(trail, question)) == "pay");
}

TEST_CASE("Trouble is no past to compare with where there is a healthy one", "[incident]") {
  RequestTrail trail;
  for (const Call& call : hour_of_calls(3'600, 1'800)) add(trail, call);
  const TrailQuestion blind{second(3'450), second(3'600), 2};
  TrailQuestion question = blind;
  question.unhealthy.push_back({second(1'800), second(3'600)});
  const TrailEvidence evidence = ask_trail(trail, question);
  CHECK(first_suspect(evidence) == "pay");
  CHECK(evidence.findings.at(0).score > 2 * ask_trail(trail, blind).findings.at(0).score);
}

TEST_CASE("Trouble that was over is never a past to compare with", "[incident]") {
  RequestTrail trail;
  for (const Call& call : hour_of_calls(1'500, 0)) {
    if (call.ms < 800'000) add(trail, call);
  }
  for (const Call& call : hour_of_calls(1'500, 9'999)) {
    if (call.ms >= 1'400'000) add(trail, call);
  }
  const TrailQuestion question{second(1'450), second(1'500), 2, {{second(-3'600), second(840)}}};
  CHECK(ask_trail(trail, question).findings.empty());
}

TEST_CASE("A trail tells who calls whom", "[incident]") {
  RequestTrail trail;
  for (const Call& call : hour_of_calls(60, 99)) add(trail, call);
  const auto calls = trail.calls(second(0), second(61));
  REQUIRE(calls.size() == 2);
  std::set<std::string> told;
  for (const auto& call : calls) {
    CHECK(call.requests >= 59);
    told.insert(call.caller + ">" + call.callee);
  }
  CHECK(told == std::set<std::string>{"shop>mail", "shop>pay"});
  CHECK(trail.calls(second(100), second(200)).empty());
}

TEST_CASE("Who logs only that a request was answered called whoever was heard last", "[incident]") {
  RequestTrail trail;
  for (int64_t s = 0; s < 60; ++s) {
    const std::string id = "r" + std::to_string(s);
    add(trail, {s * 1000, id, "shop", 1});
    add(trail, {s * 1000 + 10, id, "pay", 2});
    add(trail, {s * 1000 + 20, id, "shop", 5});
    add(trail, {s * 1000 + 21, id, "door", answer_line(200)});
    add(trail, {s * 1000 + 22, id, "gate", answer_line(200)});
    // A queue's worker goes on when the answer is out, or begins before.
    add(trail, {s * 1000 + (s % 2 == 0 ? 15 : 400), id, "mail", 7});
    add(trail, {s * 1000 + 900, id, "mail", 8});
    // Refused by itself: nobody was called.
    add(trail, {s * 1000 + 30, "x" + id, "door", answer_line(502), true});
  }
  std::set<std::string> told;
  for (const auto& call : trail.calls(second(0), second(61))) {
    told.insert(call.caller + ">" + call.callee);
  }
  CHECK(told == std::set<std::string>{"gate>door", "door>shop", "shop>pay"});
  CHECK(answer_line(0) == 0);
  CHECK(answer_line(700) == 0);
  CHECK(answer_text(answer_line(503)) == "answers 5xx");
  CHECK_FALSE(is_answer(7));
}

TEST_CASE("Trails of three nodes laid together are the trail of one node that saw it all",
          "[incident]") {
  RequestTrail whole, nodes[3], together;
  for (const Call& call : hour_of_calls(1'800, 1'700)) {
    add(whole, call);
    add(nodes[call.service == "shop" ? 0 : call.service == "pay" ? 1 : 2], call);
  }
  for (const int i : {2, 0, 1}) {
    REQUIRE(together.take(nodes[i].save({INT64_MIN}, {INT64_MAX})).ok());
  }
  CHECK(together.lines() == whole.lines());
  const TrailQuestion question{second(1'700), second(1'800), 2};
  CHECK(told(ask_trail(together, question)) == told(ask_trail(whole, question)));
  CHECK(first_suspect(ask_trail(together, question)) == "pay");
}

TEST_CASE("A trail that is full before it reaches back far enough keeps every second request",
          "[incident]") {
  TrailLimits limits;
  limits.max_lines = 2'000;
  RequestTrail small(limits), whole;
  for (const Call& call : hour_of_calls(3'600, 3'450)) {
    add(small, call);
    add(whole, call);
  }
  CHECK(small.thinning() >= 3);
  CHECK(small.lines() <= limits.max_lines);
  CHECK(small.memory_bytes() < 2'000 * 24 * 2 + 4'096);
  CHECK(first_suspect(ask_trail(small, {second(3'450), second(3'600), 2})) == "pay");
  // It kept whole requests, and the same ones that another node would keep.
  RequestTrail other;
  REQUIRE(other.take(whole.save({INT64_MIN}, {INT64_MAX})).ok());
  REQUIRE(other.take(small.save({INT64_MIN}, {INT64_MAX})).ok());
  CHECK(other.thinning() == small.thinning());
}

TEST_CASE("A trail that reaches back far enough forgets the oldest lines", "[incident]") {
  TrailLimits limits;
  limits.max_lines = 2'000;
  limits.wanted_ns = 300 * kNsPerSecond;
  RequestTrail trail(limits);
  for (const Call& call : hour_of_calls(3'600, 9'999)) add(trail, call);
  CHECK(trail.thinning() == 0);
  CHECK(trail.lines() == 2'000);
  RequestTrail newest;
  REQUIRE(newest.take(trail.save(second(3'200), second(3'600))).ok());
  CHECK(newest.lines() == 2'000);  // 5 lines a second: nothing older is there
}

TEST_CASE("Templates that became one are one in the trail", "[incident]") {
  RequestTrail trail;
  std::vector<Call> calls = hour_of_calls(1'800, 1'700);
  for (Call& call : calls) {
    if (call.line == 3 && call.ms % 2 == 0) call.line = 33;
    add(trail, call);
  }
  trail.merge(33, 3);
  const TrailEvidence evidence = ask_trail(trail, {second(1'700), second(1'800), 2});
  CHECK(first_suspect(evidence) == "pay");
  for (const FlowFinding& finding : evidence.findings) CHECK(finding.line != 33);
}

TEST_CASE("Saved trails that are damaged are refused whole", "[incident]") {
  RequestTrail trail;
  for (const Call& call : hour_of_calls(30, 99)) add(trail, call);
  const std::string saved = trail.save({INT64_MIN}, {INT64_MAX});
  for (size_t cut = 0; cut < saved.size(); ++cut) {
    RequestTrail taken;
    CHECK_FALSE(taken.take(std::string_view(saved).substr(0, cut)).ok());
    CHECK(taken.lines() == 0);
  }
  std::mt19937 random(3);
  for (int i = 0; i < 2'000; ++i) {
    std::string damaged = saved;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    RequestTrail taken;
    if (taken.take(damaged).ok()) (void)ask_trail(taken, {second(10), second(30), 1});
  }
}

TEST_CASE("A trail knows no more services and templates than it has places for", "[incident]") {
  TrailLimits limits;
  limits.max_services = 4;
  limits.max_templates = 16;
  limits.max_lines = 64;
  limits.wanted_ns = 1;
  RequestTrail trail(limits);
  for (int i = 0; i < 1'000; ++i) {
    add(trail, {i, "r", "s" + std::to_string(i % 8), static_cast<TemplateId>(100 + i % 40)});
  }
  CHECK(trail.left_out() > 400);
  CHECK(trail.lines() <= 64);
  const TrailEvidence evidence = ask_trail(trail, {second(1), second(2), 1});
  CHECK(evidence.services.size() == 4);
}

TEST_CASE("Requests that failed are counted with the services they passed, and who erred first",
          "[incident]") {
  RequestTrail trail;
  for (const Call& call : hour_of_calls(1'000, 900)) add(trail, call);
  for (int64_t s = 950; s < 960; ++s) {  // the shop gives up, later
    add(trail, {s * 1000 + 70, "r" + std::to_string(s), "shop", 6, true});
  }
  const auto passed = trail.passed(second(900), second(1'000));
  CHECK(passed.requests == 100);
  CHECK(passed.failed == 100);
  REQUIRE(passed.services.size() == 2);  // mail was not reached
  CHECK(passed.services[0].requests == 100);
  const auto& pay = passed.services[0].service == "pay" ? passed.services[0] : passed.services[1];
  const auto& shop = passed.services[0].service == "pay" ? passed.services[1] : passed.services[0];
  CHECK(pay.service == "pay");
  CHECK(shop.service == "shop");
  CHECK(pay.first_error.ns != 0);
  CHECK(pay.first_error < shop.first_error);
  CHECK(pay.quiet_before);
  CHECK(passed.reaches_back < second(1));
  const auto half = trail.passed(second(950), second(1'000));
  CHECK(half.failed == 50);
  for (const auto& one : half.services) CHECK(one.quiet_before == (one.service == "shop"));
  CHECK(trail.passed(second(0), second(900)).failed == 0);
  CHECK(trail.passed(second(0), second(900)).services.empty());
}

}  // namespace nines::incident
