#include "../../../collector/src/file/rotation_name.hpp"

#include <catch2/catch.hpp>

using nines::collector::nomination;
using nines::collector::Nomination;

TEST_CASE("Rotated generations are told from other logs by their names", "[collector]") {
  for (const char* name :
       {"app.log.1", "app.log-20260101", "app.log.2026-01-01T10:00:00", "app.1.log",
        "app-20260101.log", "app-2026-01-01.log", "app.log.old", "app.log.gz", "app.log.2.gz",
        "app.log.3.zst", "app.2026-11-21.log", "app.2026-11-21.0.log.gz", "app.log.2026-11-21",
        "app.log.2026-11-21_01-35", "app.log.20261121-013551.gz"}) {
    CAPTURE(name);
    CHECK(nomination("app.log", name) == Nomination::strong);
  }
  CHECK(nomination("0.log", "0.log.20261121-013551.gz") == Nomination::strong);
  CHECK(nomination("x-json.log", "x-json.log.1") == Nomination::strong);
  // The second generation of app.log, or the log of the second app: inode and content decide.
  for (const char* name : {"app-2.log", "app_2.log", "app-1.log.gz", "app-1-2.log"}) {
    CAPTURE(name);
    CHECK(nomination("app.log", name) == Nomination::weak);
  }
  for (const char* name : {"app2.log", "application.log", "app-worker.log", "app.log", "app.log.bak",
                           "app.logs", "app.log.tmp.gz"}) {
    CAPTURE(name);
    CHECK(nomination("app.log", name) == Nomination::none);
  }
}

TEST_CASE("The names of which a file may be a copy include its uncompressed one", "[collector]") {
  const auto bases = nines::collector::possible_bases("app.log.1.gz");
  for (const char* base : {"app.log.1", "app.log"}) {
    CHECK(std::find(bases.begin(), bases.end(), base) != bases.end());
  }
}
