#include "../../../core/src/query/row_key.hpp"

#include <catch2/catch.hpp>

#include "rows_driver.hpp"

namespace nines::query::driving {
namespace {

const std::vector<std::string> kInputs = {"id", "n"};

std::vector<Value> values_of(const In& in) {
  std::vector<Value> values;
  make_row(in, 0, kInputs.size(), values);
  return values;
}

}  // namespace

TEST_CASE("The key of a row is the values of its columns, however they are written") {
  RowKey key(columns({"id", "n + 1"}), kInputs);
  REQUIRE(key.read(values_of({0, {"a", "1"}})));
  const std::string bytes = key.bytes();
  const uint64_t hash = key.hash();
  REQUIRE(key.read(values_of({0, {"a", "1.0"}})));
  CHECK(key.bytes() == bytes);
  CHECK(key.hash() == hash);
  REQUIRE(key.read(values_of({0, {"a", "2"}})));
  CHECK(key.bytes() != bytes);
  CHECK(key.hash() != hash);
  std::vector<Value> out = {Value::of_int(7)};
  key.append_values(bytes, out);
  REQUIRE(out.size() == 3);
  CHECK(show(out[1]) == "a");
  CHECK(show(out[2]) == "2");
}

TEST_CASE("A row has no key where a column that is needed for it is NULL") {
  RowKey whole(columns({"id", "n"}), kInputs);
  CHECK(whole.read(values_of({0, {"a", "1"}})));
  CHECK_FALSE(whole.read(values_of({0, {"a", ""}})));
  CHECK_FALSE(whole.read(values_of({0, {"", "1"}})));
  RowKey first(columns({"id", "n"}), kInputs, 1);
  REQUIRE(first.read(values_of({0, {"a", ""}})));
  std::vector<Value> out;
  first.append_values(first.bytes(), out);
  REQUIRE(out.size() == 2);
  CHECK(out[1].is_null());
  CHECK_FALSE(first.read(values_of({0, {"", "1"}})));
}

TEST_CASE("Without columns every row has one key") {
  RowKey key({}, kInputs);
  REQUIRE(key.read(values_of({0, {"a", ""}})));
  const uint64_t hash = key.hash();
  REQUIRE(key.read(values_of({0, {"", "2"}})));
  CHECK(key.hash() == hash);
  CHECK(key.bytes().empty());
}

}  // namespace nines::query::driving
