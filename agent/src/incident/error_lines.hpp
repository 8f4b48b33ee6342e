// ErrorLines: the newest lines of each service that say by themselves that something is wrong, for
// whoever is told of it. Of a line with a message the message is kept; of one without (access
// logs) only where it stands, and it is read again there when somebody asks: a file that is
// another one by then gives nothing.
//
// Bounded: kMaxServices, kKept lines a service, one a second. Ingest thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/observer.hpp"

namespace nines::agent::incident {

class ErrorLines {
 public:
  static constexpr size_t kMaxServices = 128, kKept = 3, kMaxBytes = 240;
  static constexpr int64_t kEveryNs = kNsPerSecond;

  // A record of level error or above, or answered with 5xx.
  void note(const collector::ObservedRecord& record);
  // "2026-03-01T21:58:00Z shop: ...": of these services since then, newest first; each text once.
  // Reads at most 16 KiB for each.
  std::vector<std::string> newest(const std::vector<std::string>& services, WallTime since,
                                  size_t most) const;
  uint64_t dropped() const noexcept { return dropped_; }  // lines of services beyond kMaxServices

 private:
  struct Line {
    WallTime at{};
    std::string text, path;  // path: of a line without a message
    int64_t offset = 0, status = 0;
  };
  struct Service {
    std::array<Line, kKept> lines;
    size_t next = 0;  // place of the oldest
    WallTime at{};    // of the newest
  };
  static std::string text_of(const Line& line);

  std::map<std::string, Service, std::less<>> services_;
  uint64_t dropped_ = 0;
};

}  // namespace nines::agent::incident
