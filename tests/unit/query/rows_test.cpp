#include <catch2/catch.hpp>
#include <cmath>

#include "../../support/query_rows.hpp"

using namespace nines;
using namespace nines::query;
using namespace nines::query::testing;

namespace {

std::string key(const Value& v) {
  std::string bytes;
  append_key(bytes, v);
  return bytes;
}

}  // namespace

TEST_CASE("Values are ordered NULL, numbers, times, levels, texts") {
  const Value ordered[] = {Value::null(),
                           Value::of_real(-1e300),
                           number(-5),
                           Value::of_bool(false),
                           number(1, -1),
                           Value::of_real(0.5),
                           Value::of_bool(true),
                           number(INT64_MAX),
                           Value::of_real(9223372036854775808.0),
                           number(1, 300),
                           Value::of_time(-1),
                           Value::of_time(1),
                           Value::of_level(Level::warn, "zzz"),
                           Value::of_level(Level::error, "err"),
                           text(""),
                           text("a"),
                           text("b")};
  for (size_t i = 0; i < std::size(ordered); ++i) {
    for (size_t k = 0; k < std::size(ordered); ++k) {
      const int wanted = (i > k) - (i < k);
      INFO(i << " " << k);
      CHECK(compare_values(ordered[i], ordered[k]) == wanted);
      CHECK((key(ordered[i]) == key(ordered[k])) == (i == k));
    }
  }
}

TEST_CASE("One number has one key in whatever form it comes") {
  CHECK(key(number(1)) == key(number(10, -1)));
  CHECK(key(number(100)) == key(number(1, 2)));
  CHECK(key(number(1)) == key(Value::of_bool(true)));
  CHECK(key(number(5, -1)) == key(Value::of_real(0.5)));
  CHECK(key(Value::of_real(0x1p62)) == key(number(int64_t{1} << 62)));
  CHECK(key(Value::of_real(-0.0)) == key(number(0)));
  CHECK(key(Value::of_level(Level::error, "err")) == key(Value::of_level(Level::error, "E")));
}

TEST_CASE("A double and the decimal nearest to it are told apart by their exact values") {
  // 0.1 as a double is 0.1000000000000000055...
  CHECK(compare_values(number(1, -1), Value::of_real(0.1)) == -1);
  CHECK(compare_values(Value::of_real(-0.1), number(-1, -1)) == -1);
  CHECK(key(number(1, -1)) != key(Value::of_real(0.1)));
  CHECK(compare_values(number(1, 22), Value::of_real(1e22)) == 0);
  CHECK(compare_values(number(1, 23), Value::of_real(1e23)) == 1);  // 1e23 rounds down
  CHECK(compare_values(Value::of_real(NAN), number(1, 400)) == 1);
  CHECK(compare_values(Value::of_real(INFINITY), number(1, 400)) == 1);
}

TEST_CASE("Keys one behind the other read back value by value") {
  const Value values[] = {text("a"),
                          Value::null(),
                          number(-7, -3),
                          Value::of_real(1.0 / 3),
                          Value::of_time(INT64_MIN),
                          Value::of_level(Level::fatal, "x"),
                          text("")};
  std::string bytes;
  for (const Value& v : values) append_key(bytes, v);
  std::string_view rest = bytes;
  for (const Value& v : values) {
    Value back;
    REQUIRE(read_key(rest, back));
    CHECK(compare_values(back, v) == 0);
  }
  CHECK(rest.empty());
}

TEST_CASE("Bytes that no value writes are no key") {
  Value out;
  for (const std::string& bytes :
       {std::string(), std::string("\x07"), std::string("\x01"), std::string("\x01\x80"),
        std::string("\x01\x80\x00", 3), std::string("\x02\x00\x02", 3),
        std::string("\x02\x02\x14", 3), std::string("\x05\x06"), std::string("\x06\x02y"),
        std::string("\x03\0\0\0\0\0\0\0\0", 9), std::string("\x04\0\0\0", 4)}) {
    std::string_view in = bytes;
    CHECK_FALSE(read_key(in, out));
  }
}

TEST_CASE("A batch owns its rows and uses its memory again after clear") {
  RowBatch batch(2);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1000; ++i) {
      std::string large(static_cast<size_t>(i * 37 % 3000), 'x');
      const Value values[] = {text(large), number(i)};
      batch.take({values, WallTime{i}, {1, i}, true});
    }
    std::string huge(200'000, 'h');
    const Value values[] = {text(huge), Value::null()};
    batch.take({values, {}, {2, 3}, false});
    huge.assign(huge.size(), '-');
    REQUIRE(batch.size() == 1001);
    for (int i = 0; i < 1000; ++i) {
      const Row row = batch[static_cast<size_t>(i)];
      REQUIRE(row.values[0].text == std::string(static_cast<size_t>(i * 37 % 3000), 'x'));
      REQUIRE(row.values[1].mantissa == i);
      REQUIRE((row.has_ts && row.ts.ns == i && row.place == Place{1, i}));
    }
    CHECK(batch[1000].values[0].text == std::string(200'000, 'h'));
    CHECK_FALSE(batch[1000].has_ts);
    static size_t first_round = batch.memory_bytes();
    CHECK(batch.memory_bytes() <= first_round + 300'000);
    batch.clear();
    CHECK(batch.size() == 0);
  }
}
