#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>

#include "snapshot_fixture.hpp"
#include "view/explain.hpp"
#include "view/status_table.hpp"
#include "view/text.hpp"

using namespace nines;
using namespace nines::agent;

TEST_CASE("print", "[.print]") {
  std::cout << view::status_table(test::snapshot(), {200, false, true})
            << view::status_table(test::snapshot(), {120, false, false})
            << view::status_table(test::snapshot(), {80, false, true})
            << view::sources_table(test::snapshot(), {80, false, true})
            << view::explain_text(test::burning_slo()) << view::explain_text(test::idle_slo());
}
