#include "nines/store/knowledge_base.hpp"

#include <catch2/catch.hpp>

#include "support.hpp"

using namespace nines;
using namespace nines::store;
using namespace nines::store::test;

namespace {

std::unique_ptr<KnowledgeBase> open_kb(const TempDir& dir) {
  auto opened = KnowledgeBase::open(dir.state());
  if (!opened.ok()) FAIL(opened.error().message);
  return std::move(*opened);
}

bool added(KnowledgeBase& kb, const Article& article) {
  const auto done = kb.add(article);
  if (!done.ok()) FAIL(done.error().message);
  return *done;
}

// "id rank; id rank"
std::string found(KnowledgeBase& kb, const KnowledgeQuery& query) {
  const auto all = kb.search(query);
  if (!all.ok()) return all.error().message;
  std::string out;
  for (const Knowledge& one : *all) {
    out += (out.empty() ? "" : "; ") + one.id + " " + std::to_string(one.rank_milli);
  }
  return out;
}

Article article(const std::string& id, const std::string& service, const std::string& text,
                std::vector<std::string> templates = {}) {
  Article out;
  out.id = id;
  out.title = "About " + id;
  out.service = service;
  out.text = text;
  out.templates = std::move(templates);
  return out;
}

}  // namespace

TEST_CASE("Knowledge is ranked by templates, then by service, then by words", "[kb]") {
  const TempDir dir;
  auto kb = open_kb(dir);
  CHECK(added(*kb, article("both", "search", "nothing of it", {"t1", "t2"})));
  CHECK(added(*kb, article("one", "", "nothing of it", {"t2", "t9"})));
  CHECK(added(*kb, article("service", "checkout", "nothing of it")));
  CHECK(added(*kb, article("words", "", "The broker refused the connection")));
  CHECK(added(*kb, article("other", "search", "nothing of it")));
  CHECK(found(*kb, {{"t1", "t2", "t2"}, "checkout", "connection refused by broker", "", 5}) ==
        "both 4000; one 2000; service 2000; words 1000");
  CHECK(found(*kb, {{}, "", "nothing at all that matches: zebra", "", 5}).find("words") ==
        std::string::npos);
  CHECK(found(*kb, {{}, "", "zebra", "", 5}).empty());
}

TEST_CASE("A word in the title counts more than one in the text", "[kb]") {
  const TempDir dir;
  auto kb = open_kb(dir);
  Article title = article("title", "", "what to do when it happens to you");
  title.title = "Disk full";
  CHECK(added(*kb, title));
  CHECK(added(*kb, article("text", "", "what to do when the disk is not there")));
  const auto all = kb->search({{}, "", "disk", "", 5});
  REQUIRE(all.ok());
  REQUIRE(all->size() == 2);
  CHECK((*all)[0].id == "title");
  CHECK((*all)[0].text_milli == 1000);
  CHECK((*all)[1].text_milli < 1000);
  CHECK((*all)[1].excerpt.find("disk") != std::string::npos);
}

TEST_CASE("Adding the same again writes nothing, adding it changed replaces it", "[kb]") {
  const TempDir dir;
  auto kb = open_kb(dir);
  CHECK(added(*kb, article("a", "checkout", "old words", {"t1"})));
  CHECK_FALSE(added(*kb, article("a", "checkout", "old words", {"t1"})));
  CHECK(added(*kb, article("a", "search", "new text", {"t2"})));
  CHECK(kb->stats().articles == 1);
  CHECK(found(*kb, {{"t1"}, "checkout", "old", "", 5}).empty());
  CHECK(found(*kb, {{"t2"}, "search", "text", "", 5}) == "a 7000");
}

TEST_CASE("What is removed is not found, and the rest outlives closing the file", "[kb]") {
  const TempDir dir;
  {
    auto kb = open_kb(dir);
    CHECK(added(*kb, article("a", "s", "apples", {"t1"})));
    CHECK(added(*kb, article("b", "s", "bananas", {"t1"})));
    CHECK(*kb->remove("a"));
    CHECK_FALSE(*kb->remove("a"));
  }
  auto kb = open_kb(dir);
  CHECK(kb->stats().articles == 1);
  CHECK(found(*kb, {{"t1"}, "s", "apples bananas", "", 5}) == "b 7000");
  CHECK(kb->list()->size() == 1);
}

TEST_CASE("Hundreds of postmortems do not hide a runbook", "[kb]") {
  const TempDir dir;
  auto kb = open_kb(dir);
  for (int i = 0; i < 250; ++i) {
    Article past = article("incident/" + std::to_string(i), "shop", "disk disk full", {"t1"});
    past.title = "Disk full";
    past.kind = "postmortem";
    CHECK(added(*kb, past));
  }
  CHECK(added(*kb, article("runbook", "shop", "Long text about a disk", {"t1"})));
  CHECK(found(*kb, {{"t1"}, "shop", "disk full", "runbook", 1}) == "runbook 7000");
}

TEST_CASE("An article is given back as it was added", "[kb]") {
  const TempDir dir;
  auto kb = open_kb(dir);
  Article given = article("/runbooks/a b.md", "checkout", "# One\n\ntwo\n", {"t2", "t1"});
  given.kind = "postmortem";
  CHECK(added(*kb, given));
  const auto whole = kb->find("/runbooks/a b.md");
  REQUIRE(whole.ok());
  REQUIRE(*whole);
  CHECK(((*whole)->id == given.id && (*whole)->kind == "postmortem"));
  CHECK(((*whole)->title == given.title && (*whole)->service == "checkout"));
  CHECK((*whole)->text == "# One\n\ntwo\n");
  CHECK((*whole)->templates == std::vector<std::string>{"t1", "t2"});
  CHECK_FALSE(*kb->find("/runbooks/a"));
}

TEST_CASE("Nothing in a text to look for is taken for syntax", "[kb]") {
  const TempDir dir;
  auto kb = open_kb(dir);
  CHECK(added(*kb, article("a", "s", "NEAR the \"disk\" (full): title OR body")));
  for (const char* text : {"\"", "NEAR(disk, 5)", "title:disk*", "AND OR NOT", "disk\" OR \"",
                           "'; DROP TABLE words; --", "^disk", "-disk", "{a b}: c", "\xff\xfe disk",
                           "Größe übersteigt"}) {
    INFO(text);
    CHECK(kb->search({{}, "", text, "", 5}).ok());
  }
  CHECK(found(*kb, {{}, "", "disk) AND (", "", 5}) == "a 1000");
  CHECK(added(*kb, article("b", "s", "Die Größe der Platte")));
  CHECK(found(*kb, {{}, "", "GROSSE grosse größe", "", 5}) == "b 1000");
}

TEST_CASE("A knowledge base has bounds, and says what it refuses", "[kb]") {
  const TempDir dir;
  auto kb = open_kb(dir);
  Article large = article("large", "", std::string(KnowledgeBase::kMaxArticleBytes + 1, 'x'));
  CHECK(kb->add(large).error().code == Errc::exhausted);
  large.text = "x";
  large.templates.assign(KnowledgeBase::kMaxTemplates + 1, "t");
  CHECK(kb->add(large).error().code == Errc::exhausted);
  CHECK(kb->stats().refused == 2);
  CHECK(kb->add(article("", "", "x")).error().code == Errc::invalid_argument);
  Article odd = article("odd", "", "x");
  odd.kind = "poem";
  CHECK(kb->add(odd).error().code == Errc::invalid_argument);
  CHECK(kb->stats().articles == 0);
  for (int i = 0; i < 60; ++i) CHECK(added(*kb, article(std::to_string(i), "s", "x")));
  CHECK(kb->search({{}, "s", "", "", 1000})->size() == 50);
}

TEST_CASE("Two processes may use one knowledge base", "[kb]") {
  const TempDir dir;
  auto one = open_kb(dir), two = open_kb(dir);
  CHECK(added(*one, article("a", "s", "apples")));
  CHECK(found(*two, {{}, "", "apples", "", 5}) == "a 1000");
  CHECK(*two->remove("a"));
  CHECK(found(*one, {{}, "", "apples", "", 5}).empty());
}

TEST_CASE("A file that is no knowledge base is left alone", "[kb]") {
  const TempDir dir;
  { open_kb(dir); }
  std::filesystem::resize_file(dir.file("knowledge.db"), 3000);
  const auto opened = KnowledgeBase::open(dir.state());
  REQUIRE(!opened.ok());
  CHECK(std::filesystem::file_size(dir.file("knowledge.db")) == 3000);
}

TEST_CASE("A Markdown file says what it is about in its first lines", "[kb]") {
  const Article with = read_markdown(
      "runbooks/disk.md",
      "---\r\nservice: checkout\r\nkind: postmortem\r\ntemplates: [a1, \"b2\" , c3]\r\n---\r\n"
      "intro\r\n## Disk full\r\ntext\r\n");
  CHECK(with.id == "runbooks/disk.md");
  CHECK((with.service == "checkout" && with.kind == "postmortem" && with.title == "Disk full"));
  CHECK(with.templates == std::vector<std::string>{"a1", "b2", "c3"});
  CHECK(with.text.starts_with("intro"));
  const Article bare = read_markdown("x.md", "no heading: at all\n---\n");
  CHECK((bare.title == "x.md" && bare.service.empty() && bare.kind == "runbook"));
  CHECK(bare.text == "no heading: at all\n---\n");
  CHECK(read_markdown("y.md", "---\nservice: s\nnever closed").text ==
        "---\nservice: s\nnever closed");
}
