// The yardstick is what was published: otherwise comparing with it would say nothing.
#include "drain_reference.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <iostream>

#include "loghub.hpp"

using namespace nines::incident::test;

TEST_CASE("The reference Drain has the published grouping accuracies with the published settings") {
  struct Set {
    const char* name;
    Drain::Settings settings;
    double published;
  };
  const std::string address = R"((\d+\.){3}\d+)";
  const Set sets[] = {
      {"Apache", {{address}, 0.5, 4}, 1.0},
      {"BGL", {{R"(core\.\d+)"}, 0.5, 4}, 0.9625},
      {"HDFS", {{R"(blk_-?\d+)", R"((\d+\.){3}\d+(:\d+)?)"}, 0.5, 4}, 0.9975},
      {"Hadoop", {{address}, 0.5, 4}, 0.9475},
      {"HealthApp", {{}, 0.2, 4}, 0.78},
      {"Linux", {{address, R"(\d{2}:\d{2}:\d{2})"}, 0.39, 6}, 0.69},
      {"OpenSSH", {{address, R"(([\w-]+\.){2,}[\w-]+)"}, 0.6, 5}, 0.7875},
      {"Zookeeper", {{R"((/|)(\d+\.){3}\d+(:\d+)?)"}, 0.5, 4}, 0.9665},
  };
  for (const Set& set : sets) {
    const auto lines = loghub(set.name);
    if (lines.empty()) {
      std::cout << "######## SKIPPED: no labelled samples of LogHub here ########\n";
      return;
    }
    Drain drain(set.settings);
    std::vector<uint64_t> groups;
    for (const auto& line : lines) groups.push_back(drain.add(line.content));
    for (uint64_t& group : groups) group = std::hash<std::string>()(drain.text(group));
    INFO(set.name);
    CHECK(accuracy_of(lines, groups).grouping == Approx(set.published).margin(1e-4));
  }
}
