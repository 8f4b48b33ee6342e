#include <catch2/catch.hpp>

#include "support.hpp"

using namespace expr_test;

TEST_CASE("A status test reads numbers and texts alike", "[expr]") {
  CHECK(eval("status >= 500", {{"status", number(503)}}) == "true");
  CHECK(eval("status >= 500", {{"status", text("503")}}) == "true");
  CHECK(eval("status >= 500", {{"status", text("200")}}) == "false");
  CHECK(eval("status >= 500", {{"status", text("-")}}) == "null");
  CHECK(eval("status >= 500") == "null");
}
