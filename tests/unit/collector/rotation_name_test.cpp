#include "../../../collector/src/file/rotation_name.hpp"

#include <catch2/catch.hpp>

using nines::collector::is_rotated_name;

TEST_CASE("Rotated generations are told from other logs by their names", "[collector]") {
  for (const char* name : {"app.log.1", "app.log-20260101", "app.log.2026-01-01T10:00:00",
                           "app.1.log", "app-20260101.log", "app-2026-01-01.log", "app.log.old"}) {
    CAPTURE(name);
    CHECK(is_rotated_name("app.log", name));
  }
  for (const char* name : {"app-2.log", "app_2.log", "app2.log", "app.log.gz", "application.log",
                           "app-worker.log", "app.log", "app-1-2.log"}) {
    CAPTURE(name);
    CHECK_FALSE(is_rotated_name("app.log", name));
  }
}
