// The composition root: the only place that reads system clocks, random devices and signals.
#include <malloc.h>
#include <sys/random.h>
#include <sys/timex.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "cli/cli.hpp"
#include "cli/commands.hpp"

namespace {

class SystemClock final : public nines::Clock {
 public:
  nines::Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
  }
  nines::WallTime wall() const noexcept override {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
  int64_t thread_cpu_ns() const noexcept override {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * nines::kNsPerSecond + used.tv_nsec;
  }
  bool synchronised() const noexcept override {
    struct timex state {};
    const int verdict = ::adjtimex(&state);
    return verdict < 0 || (verdict != TIME_ERROR && (state.status & STA_UNSYNC) == 0);
  }
};

void on_signal(int) { nines::agent::request_stop(); }

void install_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

uint64_t random_seed() {
  uint64_t seed = 1;
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = 1;
  return seed;
}

}  // namespace

int main(int argc, char** argv) {
  ::mallopt(M_ARENA_MAX, 2);  // an arena a thread costs megabytes that we promised not to use
  ::mallopt(M_TRIM_THRESHOLD, 256 * 1024);
  install_signals();
  const SystemClock clock;
  return nines::agent::run_cli(argc, argv, clock, random_seed());
}
