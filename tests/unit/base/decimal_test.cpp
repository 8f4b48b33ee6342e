#include "nines/base/decimal.hpp"

#include <catch2/catch.hpp>

using nines::Decimal;

TEST_CASE("Decimal parses what a number is and refuses the rest", "[base]") {
  CHECK(Decimal::parse("0.999")->to_string() == "0.999");
  CHECK(Decimal::parse("-12.50")->to_string() == "-12.5");
  CHECK(Decimal::parse("1e3")->to_string() == "1000");
  CHECK(Decimal::parse(".5")->to_string() == "0.5");
  CHECK(Decimal::parse("100000000000000000000000")->to_string() == "100000000000000000000000");
  for (const char* bad : {"", "-", "1x", "1.2.3", "e5", "1e", "0x10", "1234567890123456789"}) {
    CAPTURE(bad);
    CHECK_FALSE(Decimal::parse(bad).has_value());
  }
}

TEST_CASE("Decimal compares exactly over all magnitudes", "[base]") {
  CHECK(*Decimal::parse("0.1") == *Decimal::parse("0.10"));
  CHECK(*Decimal::parse("0.3") > *Decimal::parse("0.29999999999999999"));
  CHECK(*Decimal::parse("-1e300") < *Decimal::parse("-1e299"));
  CHECK(*Decimal::parse("1e-300") > *Decimal::parse("0"));
  CHECK(*Decimal::parse("999999999999999999") < *Decimal::parse("1e18"));
}

TEST_CASE("Decimal arithmetic is exact or refuses", "[base]") {
  CHECK(add(*Decimal::parse("0.1"), *Decimal::parse("0.2"))->to_string() == "0.3");
  CHECK(subtract(*Decimal::parse("1"), *Decimal::parse("0.999"))->to_string() == "0.001");
  CHECK(multiply(*Decimal::parse("0.123"), *Decimal::parse("1000"))->to_string() == "123");
  CHECK_FALSE(add(*Decimal::parse("1e40"), *Decimal::parse("1")).has_value());
  CHECK_FALSE(
      multiply(*Decimal::parse("123456789012345678"), *Decimal::parse("123456789")).has_value());
}
