// Of evidence that is written anew the newest counts; the history is short.
#include "nines/incident/current_evidence.hpp"

#include <catch2/catch.hpp>

#include "book_fixture.hpp"
#include "nines/incident/narrative.hpp"
#include "nines/incident/postmortem.hpp"

namespace nines::incident {
namespace {

using namespace testing;

struct Story {
  Story() {
    book.keep(book.book.observe(condition("burn/shop", "shop", 1, at(0)), at(0)));
    id = book.all(0)[0].id;
  }
  void suspects(int64_t s, const std::vector<std::string>& names) {
    for (size_t rank = names.size(); rank > 0; --rank) {
      add(s, EventKind::suspects, names[rank - 1],
          {{"rank", std::to_string(rank)},
           {"of", std::to_string(names.size())},
           {"service", names[rank - 1]},
           {"wrong_if", "not " + names[rank - 1]}});
    }
  }
  void add(int64_t s, EventKind kind, const std::string& text, Details details) {
    book.keep(book.book.add(id, kind, "", text, std::move(details), at(s)));
  }
  void klass(int64_t s, const std::string& name) {
    add(s, EventKind::diagnostics, "failure class " + name + " (8.50)",
        {{"part", "class"}, {"class", name}, {"weight", "8.50"}, {"why-1", "it was deployed"}});
  }
  Incident incident() { return book.all(500)[0]; }

  Node book{"n1"};
  std::string id;
};

}  // namespace

TEST_CASE("Suspects are those of the newest answer, by rank", "[incident]") {
  Story story;
  story.suspects(10, {"mail", "pay", "web"});
  story.suspects(60, {"pay", "mail"});
  const Incident incident = story.incident();
  const auto current = current_evidence(incident);
  REQUIRE(current.suspects.size() == 2);
  CHECK(current.suspects[0]->entry.text == "pay");
  CHECK(current.suspects[1]->entry.text == "mail");
}

TEST_CASE("Of diagnostics each part's newest pages count, whatever it had before", "[incident]") {
  Story story;
  const auto page = [&](int64_t s, const std::string& part, const std::string& number,
                        const std::string& line) {
    story.add(s, EventKind::diagnostics, part, {{"part", part}, {"page", number}, {"1", line}});
  };
  page(10, "log", "1/2", "a");
  page(10, "log", "2/2", "b");
  page(10, "node", "1/1", "cpu");
  page(60, "log", "1/1", "c");
  story.klass(60, "disk");
  story.klass(70, "bad_deploy");
  const Incident incident = story.incident();
  const auto current = current_evidence(incident);
  REQUIRE(current.diagnostics.size() == 2);
  CHECK(lines_of(*current.diagnostics[0]) == std::vector<std::string>{"c"});
  CHECK(lines_of(*current.diagnostics[1]) == std::vector<std::string>{"cpu"});
  REQUIRE(current.failure_class != nullptr);
  CHECK(*current.failure_class->entry.detail("class") == "bad_deploy");
}

TEST_CASE("What was found at one moment is one line of the history", "[incident]") {
  Story story;
  story.suspects(10, {"pay", "mail", "web"});
  story.klass(10, "disk");
  story.add(10, EventKind::diagnostics, "the node", {{"part", "node"}, {"page", "1/1"}});
  story.suspects(40, {"pay", "web"});  // as before
  story.suspects(60, {"mail"});
  const auto history = short_history(story.incident());
  REQUIRE(history.size() == 4);
  CHECK(history[1].text == "pay");
  CHECK(history[2].text == "2 findings, see the evidence");
  CHECK(history[3].text == "mail");
}

TEST_CASE("The class of the failure is told in the story, the review and the JSON", "[incident]") {
  Story story;
  story.suspects(10, {"deploy of pay", "pay"});
  story.klass(10, "bad_deploy");
  const Incident incident = story.incident();
  const std::string told = narrate(incident, at(500)).text();
  CHECK(told.find("It looks like a bad deploy or change.") != std::string::npos);
  CHECK(told.find("First suspects, not confirmed: deploy of pay.") != std::string::npos);
  const Postmortem review = postmortem_of(incident, {}, at(500));
  CHECK(review.summary.back().find("Kind: failure class bad_deploy (8.50)") == 0);
  REQUIRE(review.factors.size() >= 2);
  CHECK(review.factors[0].text == "deploy of pay");
  CHECK(review.factors[0].wrong_if == "not deploy of pay");
  CHECK(review.factors[1].text == "pay");
  std::string json;
  JsonWriter out(json);
  write_json(out, incident, at(500));
  CHECK(json.find("\"failure_class\":{\"evidence\":\"E3\"") != std::string::npos);
  CHECK(json.find("\"class\":\"bad_deploy\"") != std::string::npos);
  CHECK(json.find("\"why-1\":\"it was deployed\"") != std::string::npos);
  CHECK(json.find("\"suspects\":[\"E2\",\"E1\"]") != std::string::npos);
}

TEST_CASE("A review lists what is known last, and says how much that replaced", "[incident]") {
  Story story;
  story.suspects(10, {"mail", "pay"});
  story.suspects(60, {"pay", "mail"});
  const Postmortem review = postmortem_of(story.incident(), {}, at(500));
  REQUIRE(review.evidence.size() == 3);
  CHECK(review.evidence.back().text.find("2 earlier findings") == 0);
}

TEST_CASE("A change that is a suspect is no second factor", "[incident]") {
  Story story;
  slo::Change change;
  change.id = 7;
  change.kind = slo::ChangeKind::deploy;
  change.at = at(-60);
  change.service = "pay";
  story.add(10, EventKind::suspects, "deploy of pay", {{"rank", "1"}, {"change", "7"}});
  const Postmortem review = postmortem_of(story.incident(), {{change}, {}}, at(500));
  CHECK(review.factors.size() == 1);
}

}  // namespace nines::incident
