// What nodes give each other when one asks who is suspected.
#include <catch2/catch.hpp>
#include <chrono>
#include <limits>
#include <thread>

#include "incident/watcher.hpp"
#include "nines/query/bytes.hpp"
#include "query/node_gather.hpp"
#include "query/node_serve.hpp"
#include "query/pipe_stream.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'000;

WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

void line(Watcher& watcher, int64_t ms, std::string_view service, const std::string& message,
          bool error = false) {
  collector::ObservedRecord record;
  record.at = {(kStart * 1000 + ms) * kNsPerMs};
  record.service = service;
  record.pod = error ? "pay-1" : "";
  record.message = message;
  record.level = error ? Level::error : Level::info;
  record.has_level = true;
  watcher.record(record);
}

// The front door on one node, what it calls on another one.
struct TwoNodes {
  Watcher front{"n1", {INT64_MIN}, 1024 * 1024}, back{"n2", {INT64_MIN}, 1024 * 1024};

  void requests(int64_t from_s, int64_t to_s, bool broken) {
    for (int64_t s = from_s; s < to_s; ++s) {
      const std::string id = " trace_id=abc" + std::to_string(100'000 + s);
      line(front, s * 1000, "shop", "order comes in" + id);
      line(back, s * 1000 + 10, "pay", "charging card" + id);
      if (broken) {
        line(back, s * 1000 + 20, "pay", "card service refused connection" + id, true);
        line(front, s * 1000 + 30, "shop", "order failed" + id, true);
      } else {
        line(back, s * 1000 + 20, "pay", "card charged" + id);
        line(front, s * 1000 + 30, "shop", "order answered" + id);
      }
      if (s % 10 != 0) continue;
      (void)front.look(at(s), true);
      (void)back.look(at(s), true);
    }
  }
};

EvidenceQuestion question(int64_t onset_s, int64_t now_s, uint32_t max_bytes = 1024 * 1024) {
  return {at(onset_s - 3'600), at(onset_s), at(now_s), max_bytes};
}

NodeEvidence some() {
  NodeEvidence out;
  core::RequestTrail trail;
  for (int64_t s = 0; s < 600; ++s) {
    const std::string request = "r" + std::to_string(s);
    trail.add({at(s), request, {}, "pay", static_cast<core::TemplateId>(1 + s % 3), s % 3 == 2});
  }
  out.trail = trail.save({INT64_MIN}, {INT64_MAX});
  out.used.push_back({"pay", {12.5, 80, 20, 25}});
  out.lines.push_back({3, "card refused <*>", {at(9), "pay", "pay-1", "card refused 12"}});
  out.speakers.push_back({"pay", 600, "pay-1"});
  return out;
}

// Names stand in the order in which they came.
std::string taken_and_saved(const std::string& trail) {
  core::RequestTrail out;
  REQUIRE(out.take(trail).ok());
  REQUIRE(out.lines() == 600);
  return out.save({INT64_MIN}, {INT64_MAX});
}

}  // namespace

TEST_CASE("Evidence comes back as it was given, and only of the time that was asked for",
          "[incident]") {
  const NodeEvidence given = some();
  const auto got = decode_evidence(encode(given), question(300, 1'000));
  REQUIRE(got);
  CHECK(taken_and_saved(got->trail) == taken_and_saved(given.trail));
  REQUIRE(got->used.size() == 1);
  CHECK(got->used[0].finding.usual == 20);
  REQUIRE(got->lines.size() == 1);
  CHECK(got->lines[0].example.text == "card refused 12");
  CHECK(got->lines[0].example.at == at(9));
  REQUIRE(got->speakers.size() == 1);
  CHECK(got->speakers[0].lines == 600);

  const auto cut = decode_evidence(encode(given), {at(100), at(150), at(200), 1024 * 1024});
  REQUIRE(cut);
  core::RequestTrail trail;
  REQUIRE(trail.take(cut->trail).ok());
  CHECK(trail.lines() == 100);
}

TEST_CASE("Evidence that is damaged, too long, or hides almost all requests is refused whole",
          "[incident]") {
  const std::string bytes = encode(some());
  const auto asked = question(300, 1'000);
  for (size_t length = 0; length < bytes.size(); ++length) {
    REQUIRE_FALSE(decode_evidence(std::string_view(bytes).substr(0, length), asked));
  }
  CHECK_FALSE(decode_evidence(bytes + "x", asked));
  CHECK_FALSE(decode_evidence(bytes, question(300, 1'000, 100)));

  NodeEvidence bad = some();
  bad.used[0].finding.score = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(decode_evidence(encode(bad), asked));
  bad.used[0].finding.score = 1e300;
  CHECK_FALSE(decode_evidence(encode(bad), asked));
  bad = some();
  bad.lines[0].text.assign(5'000, 'x');
  CHECK_FALSE(decode_evidence(encode(bad), asked));
  bad = some();
  bad.trail[1] = 32;  // one request in four thousand millions
  CHECK_FALSE(decode_evidence(encode(bad), asked));
}

TEST_CASE("A question comes back as it was asked, and none that turns time around", "[incident]") {
  const auto asked = question(300, 1'000, 200'000);
  const auto got = decode_question(encode(asked));
  REQUIRE(got);
  CHECK(got->from == asked.from);
  CHECK(got->onset == asked.onset);
  CHECK(got->asked == asked.asked);
  CHECK(got->max_bytes == 200'000);
  CHECK(decode_question(encode(question(300, 1'000, UINT32_MAX)))->max_bytes == kMostEvidenceBytes);
  CHECK_FALSE(decode_question(encode(EvidenceQuestion{at(9), at(5), at(10), 100'000})));
  CHECK_FALSE(decode_question(encode(EvidenceQuestion{at(1), at(5), at(4), 100'000})));
  CHECK_FALSE(decode_question(encode(asked) + "x"));
  CHECK_FALSE(decode_question(""));
}

TEST_CASE("A trail is thinned until it fits, by requests that all nodes choose alike",
          "[incident]") {
  core::RequestTrail a, b;
  for (int64_t n = 0; n < 40'000; ++n) {
    const std::string request = "request " + std::to_string(n / 2);
    auto& trail = n % 2 == 0 ? a : b;
    trail.add({at(n / 20), request, {}, n % 2 == 0 ? "web" : "pay", 7, false});
  }
  const std::string small = save_within(a, at(0), at(10'000), 30'000);
  CHECK(small.size() <= 30'000);
  CHECK(small.size() > 5'000);
  core::RequestTrail both;
  REQUIRE(both.take(small).ok());
  REQUIRE(both.take(save_within(b, at(0), at(10'000), 30'000)).ok());
  CHECK(both.thinning() >= 2);
  const auto said = both.speakers(at(0), at(10'000));
  REQUIRE(said.size() == 2);
  CHECK(said[0].second == said[1].second);  // each request with all of its lines
  CHECK(save_within(a, at(0), at(10'000), 10'000'000).size() > 100'000);
}

TEST_CASE("What two nodes saw is laid together: the first suspect runs on the other one",
          "[incident]") {
  TwoNodes nodes;
  nodes.requests(0, 1'800, false);
  nodes.requests(1'800, 1'960, true);
  const core::TrailQuestion asked{at(1'800), at(1'960)};
  const auto wanted = question(1'800, 1'960);

  const Answer alone = nodes.front.ask(asked);
  for (const Suspicion& one : alone.suspects) CHECK(one.told.service != "pay");

  auto evidence = decode_evidence(encode(nodes.back.share(wanted)), wanted);
  REQUIRE(evidence);
  evidence->node = "n2";
  const Answer together = nodes.front.ask(asked, {*evidence});
  REQUIRE_FALSE(together.suspects.empty());
  const Suspicion& first = together.suspects[0];
  CHECK(first.told.service == "pay");
  CHECK(first.node == "n2");
  CHECK(first.pod == "pay-1");
  // Of a template that the asking node has never seen.
  CHECK((first.told.evidence.at(0) + first.example.text).find("card") != std::string::npos);
  REQUIRE(together.calls.size() == 1);
  CHECK(together.calls[0].caller == "shop");
  CHECK(together.calls[0].callee == "pay");
}

TEST_CASE("CPU that is out of the usual on another node is evidence here", "[incident]") {
  TwoNodes nodes;
  nodes.requests(0, 300, false);
  NodeEvidence other;
  other.node = "n2";
  other.used.push_back({"pay", {400, 95, 10, 15}});
  other.trail = core::RequestTrail().save({0}, {1});
  const Answer answer = nodes.front.ask({at(200), at(300)}, {other});
  REQUIRE_FALSE(answer.suspects.empty());
  CHECK(answer.suspects[0].told.service == "pay");
}

namespace {

struct SteadyClock final : Clock {
  Instant mono() const noexcept override {
    return {std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count()};
  }
  WallTime wall() const noexcept override { return at(0); }
};

// A node over a pipe, which answers with `answer`; null: as a version that knows no such question.
class PipeNode {
 public:
  PipeNode(std::string name, std::function<Result<std::string>(std::string_view)> answer)
      : name_(std::move(name)), answer_(std::move(answer)) {}
  ~PipeNode() {
    for (auto& thread : threads_) thread.join();
  }
  query::NodeLink link() {
    return {name_, [this](Instant) -> Result<std::unique_ptr<stream::ByteStream>> {
              auto [mine, theirs] = query::make_pipe(clock_, name_);
              threads_.emplace_back([this, end = std::move(theirs)] {
                query::Environment environment{clock_,          {},          name_,   1,
                                               size_t{1} << 20, {INT64_MAX}, nullptr, nullptr,
                                               nullptr,         {},          false};
                environment.evidence = answer_;
                (void)query::serve_node_query(*end, environment, {});
              });
              return std::move(mine);
            }};
  }

 private:
  SteadyClock clock_;
  std::string name_;
  std::function<Result<std::string>(std::string_view)> answer_;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("Who does not answer in time, or too much, is left out and named", "[incident]") {
  SteadyClock clock;
  const std::string large(700'000, 'x');  // several pieces
  PipeNode good("good", [&](std::string_view question) -> Result<std::string> {
    return std::string(question) + large;
  });
  PipeNode refuses("refuses", [](std::string_view) -> Result<std::string> {
    return Error{Errc::timeout, "the node is busy reading"};
  });
  PipeNode older("older", nullptr);
  PipeNode chatty(
      "chatty", [](std::string_view) -> Result<std::string> { return std::string(900'000, 'y'); });
  std::vector<query::NodeLink> links{good.link(), refuses.link(), older.link(), chatty.link()};
  links.push_back({"gone", [](Instant) -> Result<std::unique_ptr<stream::ByteStream>> {
                     return Error{Errc::unavailable, "nobody listens"};
                   }});
  const auto answers = query::gather(links, "q:", 800'000, {clock.mono().ns + 20 * kNsPerSecond});
  REQUIRE(answers.size() == 5);
  CHECK(answers[0].node == "good");
  REQUIRE(answers[0].body.ok());
  CHECK(*answers[0].body == "q:" + large);
  CHECK(answers[1].body.error().message == "the node is busy reading");
  CHECK(answers[2].body.error().code == Errc::unsupported);
  CHECK(answers[3].body.error().code == Errc::exhausted);
  CHECK(answers[4].body.error().message == "nobody listens");
}

}  // namespace nines::agent::incident
