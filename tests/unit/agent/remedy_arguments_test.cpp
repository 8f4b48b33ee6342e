#include <catch2/catch.hpp>

#include "remedy/arguments.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)

namespace {

Order order() {
  Order out;
  out.target = {"shop", "api", ""};
  out.incident = "INC-2026-1122-001";
  out.key = "pi-1/7/12";
  return out;
}

}  // namespace

TEST_CASE("places of arguments are filled in, what is no place stays as it is", "[remedy]") {
  const auto out = filled({"--for={service}.{namespace}@{node}", "{incident}", "{key}", "{a: 1}",
                           "{}", "{", "$(x) {A} {{node}}"},
                          order(), "pi-1");
  REQUIRE(out.ok());
  CHECK(*out == std::vector<std::string>{"--for=api.shop@pi-1", "INC-2026-1122-001", "pi-1/7/12",
                                         "{a: 1}", "{}", "{", "$(x) {A} {pi-1}"});
  CHECK(places_in("{a}{b} {C} {d") == std::vector<std::string_view>{"a", "b"});
}

TEST_CASE("what does not fit the type of its place is never passed on", "[remedy]") {
  for (const char* hostile : {"--exec=sh", "a b", "a/../b", "../etc", "a\nb", "$(reboot)", "a;b",
                              "{node}", "'", "\xc3\xa4"}) {
    Order of = order();
    of.target.name = hostile;
    INFO(hostile);
    const auto out = filled({"{service}"}, of, "pi-1");
    REQUIRE_FALSE(out.ok());
    CHECK(out.error().message == "what {service} stands for is no plain name");
    CHECK(filled({"{node}"}, of, "pi-1").ok());  // only where it is asked for
  }
  Order of = order();
  of.target.ns.clear();
  CHECK(filled({"{namespace}"}, of, "pi-1").error().message == "{namespace} is not known");
  of.key = "a b";
  CHECK_FALSE(filled({"{key}"}, of, "pi-1").ok());
}
