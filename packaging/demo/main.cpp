// nines-demo DIR: plays the traffic of a small shop into log files under DIR until it is stopped,
// and writes a nines.yaml with SLOs for them. Real times; a "day" with its outage is minutes long.
//   --day-minutes M (default 5)  --rate R requests a second of the busiest service (40)
//   --seed N  --seconds S stop by itself  --rotate-bytes N
#include <time.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "scene.hpp"

namespace {

std::atomic<bool> g_stop{false};
void on_signal(int) { g_stop = true; }

int64_t wall_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * nines::demo::kNsPerSecond + now.tv_nsec;
}

int usage() {
  std::fputs(
      "usage: nines-demo DIR [--day-minutes M] [--rate R] [--seed N] [--seconds S] "
      "[--rotate-bytes N]\n",
      stderr);
  return 2;
}

bool parse(int argc, char** argv, nines::demo::SceneOptions& options, double& seconds) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name.substr(0, 2) != "--") {
      options.dir = name;
      continue;
    }
    if (++i == argc) return false;
    char* end = nullptr;
    const double value = std::strtod(argv[i], &end);
    if (end == argv[i] || *end != '\0' || !(value >= 0)) return false;
    if (name == "--day-minutes")
      options.day_s = value * 60;
    else if (name == "--rate")
      options.rate = value;
    else if (name == "--seed")
      options.seed = static_cast<uint64_t>(value);
    else if (name == "--seconds")
      seconds = value;
    else if (name == "--rotate-bytes")
      options.rotate_bytes = static_cast<size_t>(value);
    else
      return false;
  }
  return !options.dir.empty() && options.day_s > 0;
}

}  // namespace

int main(int argc, char** argv) {
  nines::demo::SceneOptions options;
  double seconds = 0;
  if (!parse(argc, argv, options, seconds)) return usage();
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  options.start_ns = wall_ns();
  std::string error;
  const auto scene = nines::demo::Scene::create(options, error);
  if (!scene) {
    std::fprintf(stderr, "nines-demo: %s\n", error.c_str());
    return 1;
  }
  while (!g_stop) {
    const int64_t now = wall_ns();
    if (!scene->play_until(now)) {
      std::fprintf(stderr, "nines-demo: cannot write to %s: %s\n", options.dir.c_str(),
                   std::strerror(errno));
      return 1;
    }
    if (seconds > 0 && static_cast<double>(now - options.start_ns) > seconds * 1e9) break;
    const timespec tick{0, 100'000'000};
    nanosleep(&tick, nullptr);
  }
  return 0;
}
