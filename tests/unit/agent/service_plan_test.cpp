// What `nines service` would do: the unit of the package with another path, in an order that works.
#include "cli/service_plan.hpp"

#include <catch2/catch.hpp>

using namespace nines::agent;
using Catch::Matchers::Contains;

namespace {

std::vector<std::string> lines(const ServiceOptions& options) {
  std::vector<std::string> out;
  for (const ServiceStep& step : service_plan(options)) out.push_back(to_string(step));
  return out;
}

}  // namespace

TEST_CASE("Installing makes user and folders before the service starts") {
  CHECK(lines({}) ==
        std::vector<std::string>{
            "copy    this program to /usr/local/bin/nines", "write   /etc/sysusers.d/nines.conf",
            "write   /etc/tmpfiles.d/nines.conf", "write   /etc/systemd/system/nines.service",
            "run     systemd-sysusers /etc/sysusers.d/nines.conf",
            "run     systemd-tmpfiles --create /etc/tmpfiles.d/nines.conf",
            "run     systemctl daemon-reload", "run     systemctl enable nines.service",
            "run     systemctl restart nines.service"});
}

TEST_CASE("The unit starts, checks and reloads the program where it was put") {
  ServiceOptions options;
  options.prefix = "/opt/nines";
  const std::string unit = service_plan(options)[3].content;
  CHECK_THAT(unit, Contains("ExecStart=/opt/nines/bin/nines agent\n"));
  CHECK_THAT(unit, Contains("ExecStartPre=/opt/nines/bin/nines slo lint\n"));
  CHECK_THAT(unit, Contains("ExecReload=/opt/nines/bin/nines slo lint\n"));
  CHECK_THAT(unit, !Contains("/usr/bin/nines"));
  CHECK_THAT(unit, Contains("SystemCallFilter=@system-service\n"));
}

TEST_CASE("Below another root files are written and nothing is run") {
  ServiceOptions options;
  options.root = "/image";
  for (const ServiceStep& step : service_plan(options)) {
    CHECK(step.kind != ServiceStep::Kind::run);
    CHECK(step.path.rfind("/image/", 0) == 0);
  }
}

TEST_CASE("Uninstalling stops it first, and keeps configuration and state unless told otherwise") {
  ServiceOptions options;
  options.uninstall = true;
  const std::vector<std::string> kept = lines(options);
  CHECK(kept.front() == "run     systemctl disable --now nines.service");
  CHECK(kept.back() == "run     systemctl daemon-reload");
  options.purge = true;
  std::vector<std::string> purged = lines(options);
  REQUIRE(purged.size() == kept.size() + 2);
  CHECK(purged[kept.size()] == "remove  /etc/nines");
  CHECK(purged[kept.size() + 1] == "remove  /var/lib/nines");
}
