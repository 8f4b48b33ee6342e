#include <catch2/catch.hpp>

#include "query/shelf.hpp"

using namespace nines;
using nines::agent::query::QueryShelf;
using nines::agent::query::ShelvedQuery;

namespace {

ShelvedQuery named(const std::string& name, const std::string& sql = "SELECT 1") {
  return {name, sql, "kim", WallTime::from_s(1'772'400'000)};
}

void put(QueryShelf& shelf, const ShelvedQuery& query) {
  const auto document = shelf.keep(query);
  REQUIRE(document.ok());
  shelf.written(*document);
}

Errc refusal_of(const Result<store::Document>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

}  // namespace

TEST_CASE("A kept query counts once it is written, and is there in the next life", "[query]") {
  QueryShelf shelf;
  const auto document = shelf.keep(named("errors", "SELECT \"ä\"\n"));
  REQUIRE(document.ok());
  CHECK(shelf.find("errors") == nullptr);
  shelf.written(*document);
  REQUIRE(shelf.find("errors") != nullptr);
  put(shelf, named("errors", "SELECT 2"));  // in place of it

  QueryShelf next;
  next.restore({*shelf.keep(named("errors", "SELECT 2"))});
  REQUIRE(next.find("errors") != nullptr);
  CHECK(next.find("errors")->sql == "SELECT 2");
  CHECK(next.find("errors")->who == "kim");
  CHECK(next.find("errors")->at == WallTime::from_s(1'772'400'000));

  const auto gone = next.remove("errors");
  REQUIRE(gone.ok());
  CHECK(gone->body.empty());
  next.written(*gone);
  CHECK(next.all().empty());
  CHECK(refusal_of(next.remove("errors")) == Errc::not_found);
}

TEST_CASE("The shelf is full at its bound, what is on its way to the store included", "[query]") {
  QueryShelf shelf;
  for (size_t i = 0; i + 1 < QueryShelf::kMost; ++i) put(shelf, named("q" + std::to_string(i)));
  const auto last = shelf.keep(named("last"));
  REQUIRE(last.ok());
  CHECK(refusal_of(shelf.keep(named("beyond"))) == Errc::exhausted);
  CHECK(shelf.keep(named("last")).ok());
  CHECK(shelf.keep(named("q0", "SELECT 2")).ok());
  shelf.failed(*last);
  shelf.failed(*last);
  CHECK(shelf.keep(named("beyond")).ok());  // its room is free again
}

TEST_CASE("What cannot be a kept query is refused, and read from no store", "[query]") {
  QueryShelf shelf;
  for (const char* name : {"", "a b", "../x", ".x", "a/b"}) {
    CAPTURE(name);
    CHECK(refusal_of(shelf.keep(named(name))) == Errc::invalid_argument);
  }
  CHECK(refusal_of(shelf.keep(named("a", ""))) == Errc::invalid_argument);
  CHECK(refusal_of(shelf.keep(named("a", std::string(QueryShelf::kMostSql + 1, 'x')))) ==
        Errc::invalid_argument);
  CHECK(refusal_of(shelf.keep({"a", "SELECT 1", "", {}})) == Errc::invalid_argument);
  shelf.restore({{QueryShelf::kDocuments, "a", "{"},
                 {QueryShelf::kDocuments, "b", "[]"},
                 {QueryShelf::kDocuments, "c", R"({"sql":1,"who":"kim","at_ns":0})"},
                 {QueryShelf::kDocuments, "../d", R"({"sql":"x","who":"kim","at_ns":0})"}});
  CHECK(shelf.all().empty());
  CHECK(shelf.unreadable() == 4);
}
